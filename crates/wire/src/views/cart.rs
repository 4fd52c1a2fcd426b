//! Carts.

use domain::cart::{Cart, CartItem};
use serde::Serialize;
use serde_json::Value;

use super::{At, Id};
use crate::schema;

/// A cart.
#[derive(Serialize)]
pub struct CartView<'a> {
    id: Id,
    status: &'static str,
    currency: Option<&'a str>,
    customer_id: Option<&'a str>,
    customer_email: Option<&'a str>,
    session_id: Option<&'a str>,
    items: Vec<CartItemView<'a>>,
    subtotal: i64,
    order_id: Option<Id>,
    version: i64,
    created_at: At,
    updated_at: At,
}

#[derive(Serialize)]
struct CartItemView<'a> {
    id: Id,
    product_id: Id,
    variant_id: Id,
    sku: Option<&'a str>,
    title: &'a str,
    quantity: i64,
    unit_price: i64,
    total_price: i64,
}

impl<'a> CartItemView<'a> {
    fn new(item: &'a CartItem) -> Self {
        let unit_price = item.unit_price.minor();
        Self {
            id: Id::of(item.id),
            product_id: Id::of(item.product_id),
            variant_id: Id::of(item.variant_id),
            sku: item.sku.as_deref(),
            title: &item.title,
            quantity: item.quantity,
            unit_price,
            total_price: unit_price.saturating_mul(item.quantity),
        }
    }
}

impl<'a> CartView<'a> {
    /// A cart.
    #[must_use]
    pub fn new(cart: &'a Cart) -> Self {
        let items: Vec<_> = cart.items.iter().map(CartItemView::new).collect();
        Self {
            id: Id::of(cart.id),
            status: if cart.order_id.is_some() {
                "converted"
            } else {
                "active"
            },
            currency: cart.currency.as_ref().map(domain::money::Currency::code),
            customer_id: cart.customer_id.as_deref(),
            customer_email: cart.customer_email.as_deref(),
            session_id: cart.session_id.as_deref(),
            subtotal: items
                .iter()
                .fold(0, |sum, item| sum.saturating_add(item.total_price)),
            items,
            order_id: cart.order_id.map(Id::of),
            version: cart.version,
            created_at: At(cart.created_at),
            updated_at: At(cart.updated_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let item = schema::answer(&[
            ("id", schema::uuid()),
            ("product_id", schema::uuid()),
            ("variant_id", schema::uuid()),
            ("sku", schema::nullable(schema::long_text())),
            ("title", schema::long_text()),
            ("quantity", any()),
            ("unit_price", any()),
            ("total_price", any()),
        ]);
        schema::answer(&[
            ("id", schema::uuid()),
            ("status", schema::one_of(&["active", "converted"])),
            ("currency", schema::nullable(schema::currency())),
            ("customer_id", schema::nullable(schema::long_text())),
            ("customer_email", schema::nullable(schema::long_text())),
            ("session_id", schema::nullable(schema::long_text())),
            ("items", schema::any_list(item)),
            ("subtotal", any()),
            ("order_id", schema::nullable(schema::uuid())),
            ("version", any()),
            ("created_at", schema::time()),
            ("updated_at", schema::time()),
        ])
    }
}
