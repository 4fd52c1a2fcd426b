//! Bodies of products and locations.

use std::collections::BTreeMap;

use domain::catalogue::ProductStatus;
use domain::command::Command;
use domain::decide::{AddLocation, ChangeProduct, CreateProduct, NewVariant, VariantChange};
use domain::ids::ProductId;
use domain::limits::{TEXT_MAX, VARIANTS_MAX};
use domain::rejection::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::typed;
use super::patch::{Faults, amount, present};
use crate::schema;

#[derive(Deserialize)]
struct VariantBody {
    id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    sku: Option<Option<String>>,
    title: Option<String>,
    options: Option<BTreeMap<String, String>>,
    unit_price: Option<i64>,
    stock_quantity: Option<i64>,
}

impl VariantBody {
    fn members() -> Vec<(&'static str, Value)> {
        vec![
            ("sku", schema::nullable(schema::name(TEXT_MAX))),
            ("title", schema::nullable(schema::name(TEXT_MAX))),
            ("options", schema::nullable(schema::names_to_texts(20))),
            ("unit_price", schema::money()),
            ("stock_quantity", schema::stock()),
        ]
    }

    fn into_new(self) -> NewVariant {
        NewVariant {
            sku: self.sku.flatten(),
            title: self.title,
            options: self.options.unwrap_or_default().into_iter().collect(),
            unit_price: amount(self.unit_price.unwrap_or_default()),
            stock_quantity: self.stock_quantity.unwrap_or_default(),
        }
    }
}

/// `POST /products`.
#[derive(Deserialize)]
pub struct NewProductBody {
    handle: Option<String>,
    title: String,
    description: Option<String>,
    currency: Option<String>,
    variants: Option<Vec<VariantBody>>,
    unit_price: Option<i64>,
    sku: Option<String>,
    stock_quantity: Option<i64>,
}

impl NewProductBody {
    /// Its schema: variants, or the fields of a simple product's only one.
    #[must_use]
    pub fn schema() -> Value {
        let variant = schema::object(&VariantBody::members(), &["unit_price"]);
        let mut shape = schema::object(
            &[
                ("handle", schema::nullable(schema::name(TEXT_MAX))),
                ("title", schema::name(TEXT_MAX)),
                ("description", schema::nullable(schema::long_text())),
                ("currency", schema::currency()),
                ("variants", schema::list(variant, 1, VARIANTS_MAX)),
                ("unit_price", schema::money()),
                ("sku", schema::nullable(schema::name(TEXT_MAX))),
                ("stock_quantity", schema::stock()),
            ],
            &["title"],
        );
        shape["oneOf"] = json!([{"required": ["variants"]}, {"required": ["unit_price"]}]);
        let example = json!({
            "title": "T-Shirt", "currency": "EUR", "unit_price": 1990, "stock_quantity": 10,
        });
        schema::with_example(shape, &example)
    }

    /// The command.
    pub fn command(body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let simple = body.sku.is_some() || body.stock_quantity.is_some();
        let variants = match body.variants {
            Some(_) if simple => {
                faults.add(
                    "/variants",
                    "give variants, or the fields of a simple product",
                );
                Vec::new()
            }
            Some(variants) => variants.into_iter().map(VariantBody::into_new).collect(),
            None => vec![NewVariant {
                sku: body.sku,
                unit_price: amount(body.unit_price.unwrap_or_default()),
                stock_quantity: body.stock_quantity.unwrap_or_default(),
                ..NewVariant::default()
            }],
        };
        let command = CreateProduct {
            handle: body.handle,
            title: body.title,
            description: body.description,
            currency: faults.currency("/currency", body.currency),
            variants,
        };
        faults.done(command.into())
    }
}

/// `PATCH /products/{id}`.
#[derive(Deserialize)]
pub struct ChangeProductBody {
    title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
    status: Option<String>,
    variants: Option<Vec<VariantBody>>,
    unit_price: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    sku: Option<Option<String>>,
    version: Option<i64>,
}

impl ChangeProductBody {
    /// Its schema: variants with an id are changed, those without are added.
    #[must_use]
    pub fn schema() -> Value {
        let mut members = VariantBody::members();
        members.push(("id", schema::uuid()));
        let variant = schema::object(&members, &[]);
        let shape = schema::object(
            &[
                ("title", schema::name(TEXT_MAX)),
                ("description", schema::nullable(schema::long_text())),
                ("status", schema::one_of(&["active", "archived"])),
                ("variants", schema::list(variant, 1, VARIANTS_MAX)),
                ("unit_price", schema::money()),
                ("sku", schema::nullable(schema::name(TEXT_MAX))),
                ("version", schema::integer(0, i64::MAX)),
            ],
            &[],
        );
        schema::with_example(
            shape,
            &json!({"title": "T-Shirt, organic", "unit_price": 2190}),
        )
    }

    /// The command.
    pub fn command(product_id: ProductId, body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let mut faults = Faults::default();
        let mut variants = Vec::new();
        let mut new_variants = Vec::new();
        if body.unit_price.is_some() || body.sku.is_some() {
            variants.push(VariantChange {
                sku: body.sku,
                unit_price: body.unit_price.map(amount),
                ..VariantChange::default()
            });
        }
        for (index, variant) in body.variants.unwrap_or_default().into_iter().enumerate() {
            let at = |field: &str| format!("/variants/{index}/{field}");
            let Some(id) = variant.id.clone() else {
                if variant.unit_price.is_none() {
                    faults.add(&at("unit_price"), "is required for a new variant");
                }
                new_variants.push(variant.into_new());
                continue;
            };
            if variant.stock_quantity.is_some() {
                faults.add(
                    &at("stock_quantity"),
                    "is set by PUT /stock once a variant exists",
                );
            }
            variants.push(VariantChange {
                id: faults.id(&at("id"), Some(id)),
                sku: variant.sku,
                title: variant.title,
                options: variant.options.map(|options| options.into_iter().collect()),
                unit_price: variant.unit_price.map(amount),
            });
        }
        let command = ChangeProduct {
            product_id,
            title: body.title,
            description: body.description,
            status: body.status.as_deref().and_then(ProductStatus::parse),
            variants,
            new_variants,
            version: body.version,
        };
        faults.done(command.into())
    }

    /// The command that takes a product off sale.
    #[must_use]
    pub fn archive(product_id: ProductId) -> Command {
        ChangeProduct {
            product_id,
            title: None,
            description: None,
            status: Some(ProductStatus::Archived),
            variants: Vec::new(),
            new_variants: Vec::new(),
            version: None,
        }
        .into()
    }
}

/// `POST /locations`.
#[derive(Deserialize)]
pub struct NewLocationBody {
    code: String,
    name: Option<String>,
    priority: Option<i64>,
}

impl NewLocationBody {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let shape = schema::object(
            &[
                ("code", schema::name(TEXT_MAX)),
                ("name", schema::name(TEXT_MAX)),
                ("priority", schema::integer(-1_000_000, 1_000_000)),
            ],
            &["code"],
        );
        schema::with_example(
            shape,
            &json!({"code": "berlin", "name": "Berlin", "priority": 10}),
        )
    }

    /// The command.
    pub fn command(body: Value) -> Result<Command, Vec<Fault>> {
        let body: Self = typed(body)?;
        let name = body.name.unwrap_or_else(|| body.code.clone());
        Ok(AddLocation {
            code: body.code,
            name,
            priority: body.priority.unwrap_or_default(),
        }
        .into())
    }
}
