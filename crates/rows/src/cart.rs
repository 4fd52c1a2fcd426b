//! `carts` and `cart_items`.

use domain::cart::{Cart, CartItem};
use domain::ids::CartId;

use crate::cell::{Cell, id, maybe_id};
use crate::columns::Columns;
use crate::table::Kind::{Id, Int, Text};
use crate::table::{Table, fixed, moves};

/// Carts.
pub const CARTS: Table = Table {
    name: "carts",
    key: 1,
    columns: &[
        fixed("cart_id", Id),
        moves("status", Text),
        moves("currency", Text),
        fixed("customer_id", Text),
        fixed("customer_email", Text),
        fixed("session_id", Text),
        moves("order_id", Id),
        moves("version", Int),
        fixed("created_at", Int),
        moves("updated_at", Int),
    ],
};

/// Lines of carts.
pub const ITEMS: Table = Table {
    name: "cart_items",
    key: 2,
    columns: &[
        fixed("cart_id", Id),
        fixed("item_id", Id),
        fixed("product_id", Id),
        fixed("variant_id", Id),
        fixed("sku", Text),
        fixed("title", Text),
        moves("quantity", Int),
        moves("unit_price", Int),
    ],
};

/// Reads a cart without its items.
pub fn read<C: Columns>(c: &mut C) -> Result<Cart, C::Error> {
    let id = c.id()?;
    // The status follows from the order.
    c.text()?;
    Ok(Cart {
        id,
        currency: c.maybe_currency()?,
        customer_id: c.maybe_text()?,
        customer_email: c.maybe_text()?,
        session_id: c.maybe_text()?,
        items: Vec::new(),
        order_id: c.maybe_id()?,
        version: c.int()?,
        created_at: c.time()?,
        updated_at: c.time()?,
    })
}

/// The cells of a cart, without its items.
#[must_use]
pub fn cells(cart: &Cart) -> Vec<Cell<'_>> {
    let status = if cart.order_id.is_some() {
        "converted"
    } else {
        "active"
    };
    vec![
        id(cart.id),
        status.into(),
        cart.currency.into(),
        cart.customer_id.as_ref().into(),
        cart.customer_email.as_ref().into(),
        cart.session_id.as_ref().into(),
        maybe_id(cart.order_id),
        cart.version.into(),
        cart.created_at.into(),
        cart.updated_at.into(),
    ]
}

/// Reads an item with its cart's id.
pub fn read_item<C: Columns>(c: &mut C) -> Result<(CartId, CartItem), C::Error> {
    let cart_id = c.id()?;
    let item = CartItem {
        id: c.id()?,
        product_id: c.id()?,
        variant_id: c.id()?,
        sku: c.maybe_text()?,
        title: c.text()?,
        quantity: c.int()?,
        unit_price: c.amount()?,
    };
    Ok((cart_id, item))
}

/// The cells of an item.
#[must_use]
pub fn item_cells(cart_id: CartId, item: &CartItem) -> Vec<Cell<'_>> {
    vec![
        id(cart_id),
        id(item.id),
        id(item.product_id),
        id(item.variant_id),
        item.sku.as_ref().into(),
        (&item.title).into(),
        item.quantity.into(),
        item.unit_price.into(),
    ]
}
