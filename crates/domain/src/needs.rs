//! What a command must have loaded before it can be decided.
//!
//! A store follows each key to all that hangs on it:
//! * a handle leads to its product, as does a variant's code where the product is asked for;
//!   a code leads to its variant, a product to all its variants;
//! * a variant leads to its product, its levels at every location, and the orders whose holds on
//!   it are due;
//! * an order leads to its lines' variants, contact, holds, payments and refunds;
//! * a payment leads to its order; a cart to its lines' variants and to the order it became.
//!
//! The lane's row, the tenant and its locations always come along.

use std::collections::BTreeSet;

use crate::ids::{
    CartId, KeyId, OrderId, PaymentId, ProductId, TenantId, VariantId, WebhookEventId,
};

/// The keys that a batch's commands name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Products.
    pub products: BTreeSet<ProductId>,
    /// Products by handle.
    pub handles: BTreeSet<String>,
    /// Products by the code of one of their variants.
    pub product_skus: BTreeSet<String>,
    /// Variants.
    pub variants: BTreeSet<VariantId>,
    /// Variants by code.
    pub skus: BTreeSet<String>,
    /// Orders.
    pub orders: BTreeSet<OrderId>,
    /// Payments.
    pub payments: BTreeSet<PaymentId>,
    /// Carts.
    pub carts: BTreeSet<CartId>,
    /// Messages of providers.
    pub webhook_events: BTreeSet<WebhookEventId>,
    /// Keys.
    pub keys: BTreeSet<KeyId>,
    /// Tenants, in the platform's lane.
    pub tenants: BTreeSet<TenantId>,
    /// Tenants by slug, in the platform's lane.
    pub slugs: BTreeSet<String>,
    /// How many of the tenant's due orders to bring in beside those on the named variants, and how
    /// many whose deadline is not as the controls want it.
    pub due: usize,
}
