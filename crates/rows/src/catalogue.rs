//! `locations`, `products` and `product_variants`.

use domain::catalogue::{Location, Product, ProductStatus, Variant};

use crate::cell::{Cell, id, pairs};
use crate::columns::Columns;
use crate::table::Kind::{Id, Int, Text};
use crate::table::{Table, fixed, moves};

/// Places that hold stock.
pub const LOCATIONS: Table = Table {
    name: "locations",
    key: 1,
    columns: &[
        fixed("location_id", Id),
        fixed("code", Text),
        fixed("name", Text),
        fixed("priority", Int),
    ],
};

/// Products.
pub const PRODUCTS: Table = Table {
    name: "products",
    key: 1,
    columns: &[
        fixed("product_id", Id),
        moves("handle", Text),
        moves("title", Text),
        moves("description", Text),
        moves("status", Text),
        fixed("currency", Text),
        moves("version", Int),
        fixed("created_at", Int),
        moves("updated_at", Int),
    ],
};

/// Variants.
pub const VARIANTS: Table = Table {
    name: "product_variants",
    key: 1,
    columns: &[
        fixed("variant_id", Id),
        fixed("product_id", Id),
        moves("position", Int),
        moves("sku", Text),
        moves("title", Text),
        moves("options", Text),
        moves("unit_price", Int),
        moves("version", Int),
    ],
};

/// Reads a location.
pub fn read_location<C: Columns>(c: &mut C) -> Result<Location, C::Error> {
    Ok(Location {
        id: c.id()?,
        code: c.text()?,
        name: c.text()?,
        priority: c.int()?,
    })
}

/// The cells of a location.
#[must_use]
pub fn location_cells(location: &Location) -> Vec<Cell<'_>> {
    vec![
        id(location.id),
        (&location.code).into(),
        (&location.name).into(),
        location.priority.into(),
    ]
}

/// Reads a product.
pub fn read_product<C: Columns>(c: &mut C) -> Result<Product, C::Error> {
    Ok(Product {
        id: c.id()?,
        handle: c.maybe_text()?,
        title: c.text()?,
        description: c.maybe_text()?,
        status: c.name(ProductStatus::parse)?,
        currency: c.currency()?,
        version: c.int()?,
        created_at: c.time()?,
        updated_at: c.time()?,
    })
}

/// The cells of a product.
#[must_use]
pub fn product_cells(product: &Product) -> Vec<Cell<'_>> {
    vec![
        id(product.id),
        product.handle.as_ref().into(),
        (&product.title).into(),
        product.description.as_ref().into(),
        product.status.name().into(),
        product.currency.into(),
        product.version.into(),
        product.created_at.into(),
        product.updated_at.into(),
    ]
}

/// Reads a variant.
pub fn read_variant<C: Columns>(c: &mut C) -> Result<Variant, C::Error> {
    Ok(Variant {
        id: c.id()?,
        product_id: c.id()?,
        position: c.int()?,
        sku: c.maybe_text()?,
        title: c.text()?,
        options: c.json()?,
        unit_price: c.amount()?,
        version: c.int()?,
    })
}

/// The cells of a variant.
#[must_use]
pub fn variant_cells(variant: &Variant) -> Vec<Cell<'_>> {
    vec![
        id(variant.id),
        id(variant.product_id),
        variant.position.into(),
        variant.sku.as_ref().into(),
        (&variant.title).into(),
        pairs(&variant.options),
        variant.unit_price.into(),
        variant.version.into(),
    ]
}
