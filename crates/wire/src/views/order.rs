//! Orders, what checkout answers, and their statistics.

use domain::ids::TenantId;
use domain::order::{Contact, FinancialStatus, Order, OrderItem, OrderStatus, PaymentState};
use domain::payment::Payment;
use engine::reader::OrderStats;
use serde::Serialize;
use serde_json::{Value, json};

use super::{At, Id, Options};
use crate::schema;

/// An order.
#[derive(Serialize)]
pub struct OrderView<'a> {
    id: Id,
    order_number: String,
    business_id: Id,
    status: &'static str,
    payment_status: &'static str,
    financial_status: &'static str,
    currency: &'a str,
    subtotal: i64,
    discount_amount: i64,
    tax_amount: i64,
    shipping_fee: i64,
    total_amount: i64,
    items: Vec<OrderItemView<'a>>,
    customer_id: Option<&'a str>,
    customer_email: Option<&'a str>,
    customer_tier: Option<&'a str>,
    shipping_address: Option<&'a str>,
    shipping_city: Option<&'a str>,
    shipping_state: Option<&'a str>,
    shipping_pincode: Option<&'a str>,
    shipping_phone: Option<&'a str>,
    payment_method: Option<&'a str>,
    payment_reference: Option<&'a str>,
    payment_expires_at: Option<At>,
    locked_at: Option<At>,
    snapshot_hash: Option<&'a str>,
    paid_at: Option<At>,
    shipped_at: Option<At>,
    delivered_at: Option<At>,
    on_hold_since: Option<At>,
    on_hold_reason: Option<&'a str>,
    cancelled_at: Option<At>,
    tracking_number: Option<&'a str>,
    carrier: Option<&'a str>,
    notes: Option<&'a str>,
    admin_notes: Option<&'a str>,
    cart_id: Option<Id>,
    idempotency_key: Option<&'a str>,
    client_token: Option<String>,
    version: i64,
    created_at: At,
    updated_at: At,
}

#[derive(Serialize)]
struct OrderItemView<'a> {
    id: Id,
    product_id: Id,
    variant_id: Id,
    location_id: Option<Id>,
    sku: Option<&'a str>,
    title: &'a str,
    quantity: i64,
    unit_price: i64,
    discount: i64,
    total_price: i64,
    snapshot: ItemSnapshot<'a>,
}

/// What the catalogue said when the order was made.
#[derive(Serialize)]
struct ItemSnapshot<'a> {
    title: &'a str,
    variant_title: &'a str,
    sku: Option<&'a str>,
    options: Options<'a>,
    unit_price: i64,
    currency: &'a str,
}

impl<'a> OrderItemView<'a> {
    fn new(item: &'a OrderItem, currency: &'a str) -> Self {
        Self {
            id: Id::of(item.id),
            product_id: Id::of(item.product_id),
            variant_id: Id::of(item.variant_id),
            location_id: item.location_id.map(Id::of),
            sku: item.sku.as_deref(),
            title: &item.title,
            quantity: item.quantity,
            unit_price: item.unit_price.minor(),
            discount: item.discount.minor(),
            total_price: item.total_price.minor(),
            snapshot: ItemSnapshot {
                title: &item.title,
                variant_title: &item.variant_title,
                sku: item.sku.as_deref(),
                options: Options(&item.options),
                unit_price: item.unit_price.minor(),
                currency,
            },
        }
    }
}

impl<'a> OrderView<'a> {
    /// An order, with its client token for its maker.
    #[must_use]
    pub fn new(
        tenant: TenantId,
        order: &'a Order,
        contact: Option<&'a Contact>,
        client_token: Option<String>,
    ) -> Self {
        let of_contact = |field: fn(&Contact) -> &Option<String>| {
            contact.and_then(|contact| field(contact).as_deref())
        };
        Self {
            id: Id::of(order.id),
            order_number: order.number.to_string(),
            business_id: Id::of(tenant),
            status: order.status.name(),
            payment_status: order.payment_status.name(),
            financial_status: order.financial_status.name(),
            currency: order.currency.code(),
            subtotal: order.totals.subtotal.minor(),
            discount_amount: order.totals.discount_amount.minor(),
            tax_amount: order.totals.tax_amount.minor(),
            shipping_fee: order.totals.shipping_fee.minor(),
            total_amount: order.totals.total_amount.minor(),
            items: order
                .items
                .iter()
                .map(|item| OrderItemView::new(item, order.currency.code()))
                .collect(),
            customer_id: order.customer_id.as_deref(),
            customer_email: of_contact(|contact| &contact.customer_email),
            customer_tier: order.customer_tier.as_deref(),
            shipping_address: of_contact(|contact| &contact.shipping_address),
            shipping_city: of_contact(|contact| &contact.shipping_city),
            shipping_state: of_contact(|contact| &contact.shipping_state),
            shipping_pincode: of_contact(|contact| &contact.shipping_pincode),
            shipping_phone: of_contact(|contact| &contact.shipping_phone),
            payment_method: order.payment_method.as_deref(),
            payment_reference: order.payment_reference.as_deref(),
            payment_expires_at: order.payment_expires_at.map(At),
            locked_at: order.locked_at.map(At),
            snapshot_hash: order.snapshot_hash.as_deref(),
            paid_at: order.paid_at.map(At),
            shipped_at: order.shipped_at.map(At),
            delivered_at: order.delivered_at.map(At),
            on_hold_since: order.on_hold.as_ref().map(|on_hold| At(on_hold.since)),
            on_hold_reason: order
                .on_hold
                .as_ref()
                .map(|on_hold| on_hold.reason.as_str()),
            cancelled_at: order.cancelled_at.map(At),
            tracking_number: order.tracking_number.as_deref(),
            carrier: order.carrier.as_deref(),
            notes: order.notes.as_deref(),
            admin_notes: order.admin_notes.as_deref(),
            cart_id: order.cart_id.map(Id::of),
            idempotency_key: order.idempotency_key.as_deref(),
            client_token,
            version: order.version,
            created_at: At(order.created_at),
            updated_at: At(order.updated_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let maybe_text = || schema::nullable(schema::long_text());
        let maybe_time = || schema::nullable(schema::time());
        let maybe_id = || schema::nullable(schema::uuid());
        let names = |names: &[&str]| schema::one_of(names);
        schema::answer(&[
            ("id", schema::uuid()),
            ("order_number", schema::long_text()),
            ("business_id", schema::uuid()),
            (
                "status",
                names(&names_of(OrderStatus::ALL, OrderStatus::name)),
            ),
            (
                "payment_status",
                names(&names_of(PaymentState::ALL, PaymentState::name)),
            ),
            (
                "financial_status",
                names(&names_of(FinancialStatus::ALL, FinancialStatus::name)),
            ),
            ("currency", schema::currency()),
            ("subtotal", any()),
            ("discount_amount", any()),
            ("tax_amount", any()),
            ("shipping_fee", any()),
            ("total_amount", any()),
            ("items", schema::any_list(item_schema())),
            ("customer_id", maybe_text()),
            ("customer_email", maybe_text()),
            ("customer_tier", maybe_text()),
            ("shipping_address", maybe_text()),
            ("shipping_city", maybe_text()),
            ("shipping_state", maybe_text()),
            ("shipping_pincode", maybe_text()),
            ("shipping_phone", maybe_text()),
            ("payment_method", maybe_text()),
            ("payment_reference", maybe_text()),
            ("payment_expires_at", maybe_time()),
            ("locked_at", maybe_time()),
            ("snapshot_hash", maybe_text()),
            ("paid_at", maybe_time()),
            ("shipped_at", maybe_time()),
            ("delivered_at", maybe_time()),
            ("on_hold_since", maybe_time()),
            ("on_hold_reason", maybe_text()),
            ("cancelled_at", maybe_time()),
            ("tracking_number", maybe_text()),
            ("carrier", maybe_text()),
            ("notes", maybe_text()),
            ("admin_notes", maybe_text()),
            ("cart_id", maybe_id()),
            ("idempotency_key", maybe_text()),
            ("client_token", maybe_text()),
            ("version", any()),
            ("created_at", schema::time()),
            ("updated_at", schema::time()),
        ])
    }
}

fn names_of<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| name(*one)).collect()
}

fn item_schema() -> Value {
    let any = schema::any_integer;
    let maybe_text = || schema::nullable(schema::long_text());
    let snapshot = schema::answer(&[
        ("title", schema::long_text()),
        ("variant_title", schema::long_text()),
        ("sku", maybe_text()),
        ("options", schema::map(schema::long_text(), 20)),
        ("unit_price", any()),
        ("currency", schema::currency()),
    ]);
    schema::answer(&[
        ("id", schema::uuid()),
        ("product_id", schema::uuid()),
        ("variant_id", schema::uuid()),
        ("location_id", schema::nullable(schema::uuid())),
        ("sku", maybe_text()),
        ("title", schema::long_text()),
        ("quantity", any()),
        ("unit_price", any()),
        ("discount", any()),
        ("total_price", any()),
        ("snapshot", snapshot),
    ])
}

/// What `POST /checkout/create-order` answers, in its seed's spelling.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutView<'a> {
    order_id: Id,
    order_number: String,
    status: &'static str,
    payment_status: &'static str,
    total: i64,
    currency: &'a str,
    payment_id: Option<Id>,
    payment_url: Option<String>,
    client_secret: Option<&'a str>,
    payment_expires_at: Option<At>,
    client_token: String,
}

impl<'a> CheckoutView<'a> {
    /// An order with the payment that was started for it.
    #[must_use]
    pub fn new(
        order: &'a Order,
        payment: Option<&'a Payment>,
        payment_url: Option<String>,
        client_token: String,
    ) -> Self {
        Self {
            order_id: Id::of(order.id),
            order_number: order.number.to_string(),
            status: order.status.name(),
            payment_status: order.payment_status.name(),
            total: order.totals.total_amount.minor(),
            currency: order.currency.code(),
            payment_id: payment.map(|payment| Id::of(payment.id)),
            payment_url,
            client_secret: payment.and_then(|payment| payment.page.client_secret.as_deref()),
            payment_expires_at: order.payment_expires_at.map(At),
            client_token,
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let text = schema::long_text;
        schema::answer(&[
            ("orderId", schema::uuid()),
            ("orderNumber", schema::long_text()),
            ("status", text()),
            ("paymentStatus", text()),
            ("total", schema::any_integer()),
            ("currency", schema::currency()),
            ("paymentId", schema::nullable(schema::uuid())),
            ("paymentUrl", schema::nullable(text())),
            ("clientSecret", schema::nullable(text())),
            ("paymentExpiresAt", schema::nullable(schema::time())),
            ("clientToken", text()),
        ])
    }
}

/// Orders of a span of time: the figures of the currency with most orders at the top, every
/// currency below.
pub struct StatsView;

impl StatsView {
    /// The statistics; `currency` is the tenant's own where there are no orders.
    #[must_use]
    pub fn render(stats: &[OrderStats], currency: &str) -> Value {
        let one = |s: &OrderStats| {
            json!({
                "currency": s.currency,
                "total_orders": s.total_orders,
                "total_revenue": s.total_revenue,
                "pending_orders": s.pending_orders,
                "completed_orders": s.completed_orders,
                "average_order_value": s.total_revenue.checked_div(s.paid_orders).unwrap_or(0),
            })
        };
        let none = OrderStats {
            currency: currency.to_owned(),
            total_orders: 0,
            total_revenue: 0,
            pending_orders: 0,
            completed_orders: 0,
            paid_orders: 0,
        };
        let mut view = one(stats.first().unwrap_or(&none));
        view["currencies"] = stats.iter().map(one).collect();
        view
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let mut members = vec![
            ("currency", schema::currency()),
            ("total_orders", any()),
            ("total_revenue", any()),
            ("pending_orders", any()),
            ("completed_orders", any()),
            ("average_order_value", any()),
        ];
        let one = schema::answer(&members);
        members.push(("currencies", schema::any_list(one)));
        schema::answer(&members)
    }
}
