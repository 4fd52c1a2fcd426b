//! A line of an import: one product as a file says it is. The same shape is exported.

use std::sync::LazyLock;

use domain::catalogue::ProductStatus;
use domain::command::Command;
use domain::decide::{ImportProduct, ImportedLevel, ImportedVariant, StockRule};
use domain::limits::{LOCATIONS_MAX, STOCK_MAX, TEXT_MAX, VARIANTS_MAX};
use domain::rejection::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::body::{Shape, typed};
use super::patch::{Faults, amount};
use crate::schema;

/// A product with all its variants and their stock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportLine {
    /// Its name outside; it is known by it, else by its variants' codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Its name; a new product wants one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A longer text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// ISO 4217; the tenant's default otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// `active` or `archived`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Its variants.
    pub variants: Vec<VariantLine>,
}

/// A variant of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantLine {
    /// Its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its options, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<OptionLine>,
    /// Minor units.
    pub unit_price: i64,
    /// Its levels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stock: Vec<LevelLine>,
}

/// An option of a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionLine {
    /// Such as `size`.
    pub name: String,
    /// Such as `L`.
    pub value: String,
}

/// A level of a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelLine {
    /// The location's code; the default one otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Units on hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock_quantity: Option<i64>,
    /// The level's own threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<i64>,
    /// Units that may be sold beyond what is on hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backorder_limit: Option<i64>,
}

impl ImportLine {
    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let maybe_name = || schema::nullable(schema::name(TEXT_MAX));
        let maybe_units = || schema::nullable(schema::stock());
        let on_hand = schema::nullable(schema::integer(-STOCK_MAX, STOCK_MAX));
        let level = schema::object(
            &[
                ("location", maybe_name()),
                ("stock_quantity", on_hand),
                ("low_stock_threshold", maybe_units()),
                ("backorder_limit", maybe_units()),
            ],
            &[],
        );
        let option = schema::object(
            &[
                ("name", schema::name(TEXT_MAX)),
                ("value", schema::long_text()),
            ],
            &["name", "value"],
        );
        let variant = schema::object(
            &[
                ("sku", maybe_name()),
                ("title", maybe_name()),
                ("options", schema::list(option, 0, 20)),
                ("unit_price", schema::money()),
                ("stock", schema::list(level, 0, LOCATIONS_MAX)),
            ],
            &["unit_price"],
        );
        let shape = schema::object(
            &[
                ("handle", maybe_name()),
                ("title", maybe_name()),
                ("description", schema::nullable(schema::long_text())),
                ("currency", schema::nullable(schema::currency())),
                (
                    "status",
                    schema::nullable(schema::one_of(&["active", "archived"])),
                ),
                ("variants", schema::list(variant, 1, VARIANTS_MAX)),
            ],
            &["variants"],
        );
        let example = json!({
            "handle": "t-shirt", "title": "T-Shirt", "currency": "EUR", "variants": [{
                "sku": "TS-L", "options": [{"name": "size", "value": "L"}], "unit_price": 1990,
                "stock": [{"location": "default", "stock_quantity": 10}],
            }],
        });
        schema::with_example(shape, &example)
    }

    /// Reads a line; its schema is compiled once.
    pub fn read(line: Value) -> Result<Self, Vec<Fault>> {
        static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::compile(&ImportLine::schema()));
        let faults = SHAPE.faults(&line);
        if faults.is_empty() {
            typed(line)
        } else {
            Err(faults)
        }
    }

    /// The command.
    pub fn command(self, stock: StockRule, dry_run: bool) -> Result<Command, Vec<Fault>> {
        let mut faults = Faults::default();
        let command = ImportProduct {
            handle: self.handle,
            title: self.title,
            description: self.description,
            currency: faults.currency("/currency", self.currency),
            status: self.status.as_deref().and_then(ProductStatus::parse),
            variants: self.variants.into_iter().map(variant).collect(),
            stock,
            dry_run,
        };
        faults.done(command.into())
    }
}

fn variant(line: VariantLine) -> ImportedVariant {
    let option = |option: OptionLine| (option.name, option.value);
    let level = |level: LevelLine| ImportedLevel {
        location: level.location,
        stock_quantity: level.stock_quantity,
        low_stock_threshold: level.low_stock_threshold,
        backorder_limit: level.backorder_limit,
    };
    ImportedVariant {
        sku: line.sku,
        title: line.title,
        options: line.options.into_iter().map(option).collect(),
        unit_price: amount(line.unit_price),
        stock: line.stock.into_iter().map(level).collect(),
    }
}
