//! `carts` and `cart_items`.

use domain::cart::{Cart, CartItem};
use rusqlite::{Connection, Result, Row, params};

use crate::columns::{Columns, text};

pub(crate) const CART: &str = "cart_id, currency, customer_id, customer_email, session_id, \
     order_id, version, created_at, updated_at";
pub(crate) const ITEM: &str = "item_id, product_id, variant_id, sku, title, quantity, unit_price";

/// Reads a cart without its items.
pub(crate) fn read(row: &Row<'_>) -> Result<Cart> {
    let mut c = Columns::new(row);
    Ok(Cart {
        id: c.id()?,
        currency: c.maybe_currency()?,
        customer_id: c.get()?,
        customer_email: c.get()?,
        session_id: c.get()?,
        items: Vec::new(),
        order_id: c.maybe_id()?,
        version: c.get()?,
        created_at: c.time()?,
        updated_at: c.time()?,
    })
}

pub(crate) fn read_item(row: &Row<'_>) -> Result<CartItem> {
    let mut c = Columns::new(row);
    Ok(CartItem {
        id: c.id()?,
        product_id: c.id()?,
        variant_id: c.id()?,
        sku: c.get()?,
        title: c.get()?,
        quantity: c.get()?,
        unit_price: c.amount()?,
    })
}

pub(crate) fn write(
    conn: &Connection,
    tenant: &str,
    before: Option<&Cart>,
    cart: &Cart,
) -> Result<()> {
    let mut upsert = conn.prepare_cached(
        "INSERT INTO carts (tenant_id, cart_id, status, currency, customer_id, customer_email, \
         session_id, order_id, version, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (tenant_id, cart_id) DO UPDATE SET status = excluded.status, \
         currency = excluded.currency, order_id = excluded.order_id, \
         version = excluded.version, updated_at = excluded.updated_at",
    )?;
    upsert.execute(params![
        tenant,
        text(cart.id),
        if cart.order_id.is_some() {
            "converted"
        } else {
            "active"
        },
        cart.currency.map(|currency| currency.code().to_owned()),
        cart.customer_id,
        cart.customer_email,
        cart.session_id,
        cart.order_id.map(text),
        cart.version,
        cart.created_at.millis(),
        cart.updated_at.millis()
    ])?;
    let stood: &[CartItem] = before.map_or(&[], |cart| &cart.items);
    for gone in stood
        .iter()
        .filter(|item| !cart.items.iter().any(|kept| kept.id == item.id))
    {
        let mut delete = conn.prepare_cached(
            "DELETE FROM cart_items WHERE tenant_id = ?1 AND cart_id = ?2 AND item_id = ?3",
        )?;
        delete.execute(params![tenant, text(cart.id), text(gone.id)])?;
    }
    for item in cart.items.iter().filter(|item| !stood.contains(item)) {
        write_item(conn, tenant, cart, item)?;
    }
    Ok(())
}

fn write_item(conn: &Connection, tenant: &str, cart: &Cart, item: &CartItem) -> Result<()> {
    let mut upsert = conn.prepare_cached(
        "INSERT INTO cart_items (tenant_id, cart_id, item_id, product_id, variant_id, sku, \
         title, quantity, unit_price) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (tenant_id, cart_id, item_id) DO UPDATE SET \
         quantity = excluded.quantity, unit_price = excluded.unit_price",
    )?;
    upsert.execute(params![
        tenant,
        text(cart.id),
        text(item.id),
        text(item.product_id),
        text(item.variant_id),
        item.sku,
        item.title,
        item.quantity,
        item.unit_price.minor()
    ])?;
    Ok(())
}
