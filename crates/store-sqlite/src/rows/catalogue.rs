//! `locations`, `products` and `product_variants`.

use domain::catalogue::{Location, Product, ProductStatus, Variant};
use rusqlite::{Connection, Result, Row, params};

use crate::columns::{Columns, pairs, text};

pub(crate) const LOCATION: &str = "location_id, code, name, priority";
pub(crate) const PRODUCT: &str =
    "product_id, handle, title, description, status, currency, version, created_at, updated_at";
pub(crate) const VARIANT: &str =
    "variant_id, product_id, position, sku, title, options, unit_price, version";

pub(crate) fn read_location(row: &Row<'_>) -> Result<Location> {
    let mut c = Columns::new(row);
    Ok(Location {
        id: c.id()?,
        code: c.get()?,
        name: c.get()?,
        priority: c.get()?,
    })
}

pub(crate) fn read_product(row: &Row<'_>) -> Result<Product> {
    let mut c = Columns::new(row);
    Ok(Product {
        id: c.id()?,
        handle: c.get()?,
        title: c.get()?,
        description: c.get()?,
        status: c.name(ProductStatus::parse)?,
        currency: c.currency()?,
        version: c.get()?,
        created_at: c.time()?,
        updated_at: c.time()?,
    })
}

pub(crate) fn read_variant(row: &Row<'_>) -> Result<Variant> {
    let mut c = Columns::new(row);
    Ok(Variant {
        id: c.id()?,
        product_id: c.id()?,
        position: c.get()?,
        sku: c.get()?,
        title: c.get()?,
        options: c.pairs()?,
        unit_price: c.amount()?,
        version: c.get()?,
    })
}

pub(crate) fn write_location(conn: &Connection, tenant: &str, location: &Location) -> Result<()> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO locations (tenant_id, location_id, code, name, priority) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute(params![
        tenant,
        text(location.id),
        location.code,
        location.name,
        location.priority
    ])?;
    Ok(())
}

pub(crate) fn write_product(conn: &Connection, tenant: &str, product: &Product) -> Result<()> {
    let mut upsert = conn.prepare_cached(
        "INSERT INTO products (tenant_id, product_id, title, description, status, currency, \
         version, created_at, updated_at, handle) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT (tenant_id, product_id) DO UPDATE SET handle = excluded.handle, title = excluded.title, \
         description = excluded.description, status = excluded.status, \
         version = excluded.version, updated_at = excluded.updated_at",
    )?;
    upsert.execute(params![
        tenant,
        text(product.id),
        product.title,
        product.description,
        product.status.name(),
        product.currency.code(),
        product.version,
        product.created_at.millis(),
        product.updated_at.millis(),
        product.handle
    ])?;
    Ok(())
}

pub(crate) fn write_variant(conn: &Connection, tenant: &str, variant: &Variant) -> Result<()> {
    let mut upsert = conn.prepare_cached(
        "INSERT INTO product_variants (tenant_id, variant_id, product_id, position, sku, title, \
         options, unit_price, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (tenant_id, variant_id) DO UPDATE SET position = excluded.position, \
         sku = excluded.sku, title = excluded.title, options = excluded.options, \
         unit_price = excluded.unit_price, version = excluded.version",
    )?;
    upsert.execute(params![
        tenant,
        text(variant.id),
        text(variant.product_id),
        variant.position,
        variant.sku,
        variant.title,
        pairs(&variant.options),
        variant.unit_price.minor(),
        variant.version
    ])?;
    Ok(())
}
