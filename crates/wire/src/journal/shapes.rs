//! The objects that stand in events, field by field as in the domain.

use domain::catalogue::{Location, Product, ProductStatus, Variant};
use domain::ids::{
    CartId, LocationId, OrderId, OrderItemId, PaymentId, ProductId, RefundId, ReservationId,
    VariantId,
};
use domain::money::{Amount, Currency};
use domain::order::{FinancialStatus, OnHold, Order, OrderItem, OrderStatus, PaymentState, Totals};
use domain::payment::{PayPage, Payment, PaymentStatus, Provider, Refund, RefundStatus, Stage};
use domain::stock::{Hold, HoldStatus};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::plain::Plain;

/// The stage of payments that do not say it.
fn closed() -> String {
    Stage::Closed.name().to_owned()
}

/// The status of refunds that do not say it.
fn succeeded() -> String {
    RefundStatus::Succeeded.name().to_owned()
}

macro_rules! shapes {
    ($($json:ident of $domain:ident { $($(#[$older:meta])* $field:ident: $kind:ty,)* })*) => {$(
        #[derive(Serialize, Deserialize)]
        pub(crate) struct $json {
            $(
                $(#[$older])*
                $field: <$kind as Plain>::Json,
            )*
        }

        impl Plain for $domain {
            type Json = $json;

            fn to_json(&self) -> $json {
                $json { $($field: self.$field.to_json(),)* }
            }

            fn from_json(json: $json) -> Result<Self, String> {
                Ok(Self { $($field: <$kind as Plain>::from_json(json.$field)?,)* })
            }
        }
    )*};
}

shapes! {
    ProductJson of Product {
        id: ProductId,
        handle: Option<String>,
        title: String,
        description: Option<String>,
        status: ProductStatus,
        currency: Currency,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    VariantJson of Variant {
        id: VariantId,
        product_id: ProductId,
        position: i64,
        sku: Option<String>,
        title: String,
        options: Vec<(String, String)>,
        unit_price: Amount,
        version: i64,
    }
    LocationJson of Location {
        id: LocationId,
        code: String,
        name: String,
        priority: i64,
    }
    HoldJson of Hold {
        id: ReservationId,
        order_id: OrderId,
        product_id: ProductId,
        variant_id: VariantId,
        location_id: LocationId,
        quantity: i64,
        deducted: bool,
        reserved_at: Timestamp,
        expires_at: Option<Timestamp>,
        status: HoldStatus,
        updated_at: Timestamp,
    }
    OnHoldJson of OnHold {
        since: Timestamp,
        by: String,
        reason: String,
    }
    TotalsJson of Totals {
        subtotal: Amount,
        discount_amount: Amount,
        tax_amount: Amount,
        shipping_fee: Amount,
        total_amount: Amount,
    }
    OrderItemJson of OrderItem {
        id: OrderItemId,
        product_id: ProductId,
        variant_id: VariantId,
        location_id: Option<LocationId>,
        location_forced: bool,
        sku: Option<String>,
        title: String,
        variant_title: String,
        options: Vec<(String, String)>,
        quantity: i64,
        unit_price: Amount,
        discount: Amount,
        total_price: Amount,
    }
    OrderJson of Order {
        id: OrderId,
        number: i64,
        status: OrderStatus,
        payment_status: PaymentState,
        financial_status: FinancialStatus,
        currency: Currency,
        totals: Totals,
        given_tax: Option<Amount>,
        given_shipping: Option<Amount>,
        items: Vec<OrderItem>,
        customer_id: Option<String>,
        customer_tier: Option<String>,
        payment_method: Option<String>,
        payment_reference: Option<String>,
        payment_expires_at: Option<Timestamp>,
        hold_extended_millis: i64,
        locked_at: Option<Timestamp>,
        snapshot_hash: Option<String>,
        paid_at: Option<Timestamp>,
        shipped_at: Option<Timestamp>,
        delivered_at: Option<Timestamp>,
        on_hold: Option<OnHold>,
        cancelled_at: Option<Timestamp>,
        tracking_number: Option<String>,
        carrier: Option<String>,
        notes: Option<String>,
        admin_notes: Option<String>,
        cart_id: Option<CartId>,
        idempotency_key: Option<String>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    PaymentJson of Payment {
        id: PaymentId,
        order_id: OrderId,
        attempt: i64,
        provider: Provider,
        payment_method: Option<String>,
        status: PaymentStatus,
        // Before there were providers to ask, all payments were closed.
        #[serde(default = "closed")]
        stage: Stage,
        // Payments of before the ledger do not say it; their success does.
        #[serde(default)]
        earned: bool,
        amount: Amount,
        #[serde(default)]
        captured_amount: Amount,
        refunded_amount: Amount,
        #[serde(default)]
        fee_amount: Amount,
        currency: Currency,
        provider_reference: String,
        provider_payment_id: Option<String>,
        return_url: Option<String>,
        #[serde(skip)]
        page: PayPage,
        expires_at: Option<Timestamp>,
        failure_code: Option<String>,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    RefundJson of Refund {
        id: RefundId,
        payment_id: PaymentId,
        order_id: OrderId,
        #[serde(default = "succeeded")]
        status: RefundStatus,
        provider_refund_id: Option<String>,
        failure_code: Option<String>,
        amount: Amount,
        // Refunds of before the ledger say nothing of tax.
        #[serde(default)]
        tax_amount: Amount,
        currency: Currency,
        items: Vec<(OrderItemId, i64)>,
        restock: bool,
        put_back: Option<Vec<(VariantId, i64)>>,
        sent_at: Option<Timestamp>,
        settled_at: Option<Timestamp>,
        reason: Option<String>,
        created_at: Timestamp,
    }
}
