//! Products, variants, locations.

use domain::allocation;
use domain::catalogue::{Location, Product, Variant};
use domain::decide::shown_variant_version;
use domain::state::State;
use serde::Serialize;
use serde_json::Value;

use super::{At, Id, Options};
use crate::schema;

/// A product with its variants; figures are sums over locations.
#[derive(Serialize)]
pub struct ProductView<'a> {
    id: Id,
    handle: Option<&'a str>,
    title: &'a str,
    description: Option<&'a str>,
    status: &'static str,
    currency: &'a str,
    stock_quantity: i64,
    reserved_stock: i64,
    available: i64,
    version: i64,
    variants: Vec<VariantView<'a>>,
    created_at: At,
    updated_at: At,
}

#[derive(Serialize)]
struct VariantView<'a> {
    id: Id,
    product_id: Id,
    sku: Option<&'a str>,
    title: &'a str,
    options: Options<'a>,
    unit_price: i64,
    stock_quantity: i64,
    reserved_stock: i64,
    available: i64,
    version: i64,
    in_stock: bool,
}

impl<'a> ProductView<'a> {
    /// A product as the working set has it.
    #[must_use]
    pub fn new(state: &'a State, product: &'a Product) -> Self {
        let variants: Vec<_> = state
            .variants_of(product.id)
            .into_iter()
            .map(|variant| VariantView::new(state, variant))
            .collect();
        let sum = |of: fn(&VariantView<'_>) -> i64| variants.iter().map(of).sum();
        Self {
            id: Id::of(product.id),
            handle: product.handle.as_deref(),
            title: &product.title,
            description: product.description.as_deref(),
            status: product.status.name(),
            currency: product.currency.code(),
            stock_quantity: sum(|v| v.stock_quantity),
            reserved_stock: sum(|v| v.reserved_stock),
            available: sum(|v| v.available),
            version: product.version + sum(|v| v.version),
            variants,
            created_at: At(product.created_at),
            updated_at: At(product.updated_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let variant = schema::answer(&[
            ("id", schema::uuid()),
            ("product_id", schema::uuid()),
            ("sku", schema::nullable(schema::long_text())),
            ("title", schema::long_text()),
            ("options", schema::map(schema::long_text(), 20)),
            ("unit_price", any()),
            ("stock_quantity", any()),
            ("reserved_stock", any()),
            ("available", any()),
            ("version", any()),
            ("in_stock", schema::flag()),
        ]);
        schema::answer(&[
            ("id", schema::uuid()),
            ("handle", schema::nullable(schema::long_text())),
            ("title", schema::long_text()),
            ("description", schema::nullable(schema::long_text())),
            ("status", schema::one_of(&["active", "archived"])),
            ("currency", schema::currency()),
            ("stock_quantity", any()),
            ("reserved_stock", any()),
            ("available", any()),
            ("version", any()),
            ("variants", schema::any_list(variant)),
            ("created_at", schema::time()),
            ("updated_at", schema::time()),
        ])
    }
}

impl<'a> VariantView<'a> {
    fn new(state: &'a State, variant: &'a Variant) -> Self {
        let available = allocation::available(state, variant.id);
        Self {
            id: Id::of(variant.id),
            product_id: Id::of(variant.product_id),
            sku: variant.sku.as_deref(),
            title: &variant.title,
            options: Options(&variant.options),
            unit_price: variant.unit_price.minor(),
            stock_quantity: state
                .levels_of(variant.id)
                .map(|level| level.stock_quantity)
                .sum(),
            reserved_stock: state
                .levels_of(variant.id)
                .map(|level| level.reserved_stock)
                .sum(),
            available,
            version: shown_variant_version(state, variant),
            in_stock: available > 0,
        }
    }
}

/// A location.
#[derive(Serialize)]
pub struct LocationView<'a> {
    id: Id,
    code: &'a str,
    name: &'a str,
    priority: i64,
}

impl<'a> LocationView<'a> {
    /// A location.
    #[must_use]
    pub fn new(location: &'a Location) -> Self {
        Self {
            id: Id::of(location.id),
            code: &location.code,
            name: &location.name,
            priority: location.priority,
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        schema::answer(&[
            ("id", schema::uuid()),
            ("code", schema::long_text()),
            ("name", schema::long_text()),
            ("priority", schema::any_integer()),
        ])
    }
}
