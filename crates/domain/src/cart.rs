//! Carts: plain rows without events, changed through the same lane as everything else.

use crate::ids::{CartId, CartItemId, OrderId, ProductId, VariantId};
use crate::money::{Amount, Currency};
use crate::time::Timestamp;

/// One line of a cart; a cart has at most one line a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartItem {
    /// Its id.
    pub id: CartItemId,
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// The variant's code.
    pub sku: Option<String>,
    /// The product's title when it was added.
    pub title: String,
    /// Units.
    pub quantity: i64,
    /// Price of one unit when it was added or changed last; the order takes the catalogue's.
    pub unit_price: Amount,
}

/// A cart: `active` until it becomes `order_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// Its id.
    pub id: CartId,
    /// The currency; the first item's, when the maker named none.
    pub currency: Option<Currency>,
    /// The caller's own id of the customer.
    pub customer_id: Option<String>,
    /// The customer's e-mail address.
    pub customer_email: Option<String>,
    /// The caller's own id of the session.
    pub session_id: Option<String>,
    /// Its lines, at most 100.
    pub items: Vec<CartItem>,
    /// The order that it became.
    pub order_id: Option<OrderId>,
    /// Rises by one with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}
