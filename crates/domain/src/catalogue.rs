//! Products, their variants, and the places that hold stock.

use crate::ids::{LocationId, ProductId, VariantId};
use crate::money::{Amount, Currency};
use crate::time::Timestamp;

/// Whether a product is on sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductStatus {
    /// Shown and sold.
    Active,
    /// Kept for old orders, no longer sold.
    Archived,
}

/// What a shop shows; it is sold as one of its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The name by which it is known outside, such as in an import's file; unique in the tenant.
    pub handle: Option<String>,
    /// Its name.
    pub title: String,
    /// A longer text.
    pub description: Option<String>,
    /// Whether it is on sale.
    pub status: ProductStatus,
    /// The currency of all its variants' prices.
    pub currency: Currency,
    /// Rises by one with each change of the product's own row.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its own row changed last.
    pub updated_at: Timestamp,
}

/// What is sold: a size, a colour, or the product itself when it is a simple one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its id.
    pub id: VariantId,
    /// The product it belongs to.
    pub product_id: ProductId,
    /// Its place among the product's variants, from zero.
    pub position: i64,
    /// The shop's own code, unique in the tenant.
    pub sku: Option<String>,
    /// Its name.
    pub title: String,
    /// Option names and values, such as `size` = `L`, in the order given.
    pub options: Vec<(String, String)>,
    /// Price of one unit, in minor units of the product's currency.
    pub unit_price: Amount,
    /// Rises by one with each change of the variant's own row.
    pub version: i64,
}

/// A place that holds stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// A short code, unique in the tenant.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Orders take from lower priorities first.
    pub priority: i64,
}

/// The code of the location that every tenant has.
pub const DEFAULT_LOCATION: &str = "default";
