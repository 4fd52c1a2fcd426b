//! Payments and refunds.

use domain::payment::{Payment, PaymentStatus, Provider, Refund, RefundStatus};
use serde::Serialize;
use serde_json::Value;

use super::{At, Id};
use crate::schema;

/// A payment.
#[derive(Serialize)]
pub struct PaymentView<'a> {
    id: Id,
    order_id: Id,
    attempt: i64,
    provider: &'static str,
    payment_method: Option<&'a str>,
    status: &'static str,
    amount: i64,
    captured_amount: i64,
    refunded_amount: i64,
    fee_amount: i64,
    currency: &'a str,
    payment_url: Option<String>,
    client_secret: Option<&'a str>,
    provider_reference: &'a str,
    provider_payment_id: Option<&'a str>,
    expires_at: Option<At>,
    failure_code: Option<&'a str>,
    created_at: At,
    updated_at: At,
}

impl<'a> PaymentView<'a> {
    /// A payment, with the address of the provider's page where it has one.
    #[must_use]
    pub fn new(payment: &'a Payment, payment_url: Option<String>) -> Self {
        Self {
            id: Id::of(payment.id),
            order_id: Id::of(payment.order_id),
            attempt: payment.attempt,
            provider: payment.provider.name(),
            payment_method: payment.payment_method.as_deref(),
            status: payment.status.name(),
            amount: payment.amount.minor(),
            captured_amount: payment.captured_amount.minor(),
            refunded_amount: payment.refunded_amount.minor(),
            fee_amount: payment.fee_amount.minor(),
            currency: payment.currency.code(),
            payment_url,
            client_secret: payment.page.client_secret.as_deref(),
            provider_reference: &payment.provider_reference,
            provider_payment_id: payment.provider_payment_id.as_deref(),
            expires_at: payment.expires_at.map(At),
            failure_code: payment.failure_code.as_deref(),
            created_at: At(payment.created_at),
            updated_at: At(payment.updated_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let maybe_text = || schema::nullable(schema::long_text());
        let statuses: Vec<_> = PaymentStatus::ALL
            .iter()
            .map(|status| status.name())
            .collect();
        let providers: Vec<_> = Provider::ALL
            .iter()
            .map(|provider| provider.name())
            .collect();
        schema::answer(&[
            ("id", schema::uuid()),
            ("order_id", schema::uuid()),
            ("attempt", any()),
            ("provider", schema::one_of(&providers)),
            ("payment_method", maybe_text()),
            ("status", schema::one_of(&statuses)),
            ("amount", any()),
            ("captured_amount", any()),
            ("refunded_amount", any()),
            ("fee_amount", any()),
            ("currency", schema::currency()),
            ("payment_url", maybe_text()),
            ("client_secret", maybe_text()),
            ("provider_reference", schema::long_text()),
            ("provider_payment_id", maybe_text()),
            ("expires_at", schema::nullable(schema::time())),
            ("failure_code", maybe_text()),
            ("created_at", schema::time()),
            ("updated_at", schema::time()),
        ])
    }
}

/// A refund's status for clients: whether the provider knows of it yet is no matter of theirs.
fn shown(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Requested | RefundStatus::Pending => RefundStatus::Pending.name(),
        RefundStatus::Succeeded | RefundStatus::Failed => status.name(),
    }
}

/// A refund.
#[derive(Serialize)]
pub struct RefundView<'a> {
    id: Id,
    payment_id: Id,
    order_id: Id,
    amount: i64,
    tax_amount: i64,
    currency: &'a str,
    status: &'static str,
    provider_refund_id: Option<&'a str>,
    failure_code: Option<&'a str>,
    items: Vec<RefundItemView>,
    restock: bool,
    reason: Option<&'a str>,
    created_at: At,
}

#[derive(Serialize)]
struct RefundItemView {
    order_item_id: Id,
    quantity: i64,
}

impl<'a> RefundView<'a> {
    /// A refund.
    #[must_use]
    pub fn new(refund: &'a Refund) -> Self {
        Self {
            id: Id::of(refund.id),
            payment_id: Id::of(refund.payment_id),
            order_id: Id::of(refund.order_id),
            amount: refund.amount.minor(),
            tax_amount: refund.tax_amount.minor(),
            currency: refund.currency.code(),
            status: shown(refund.status),
            provider_refund_id: refund.provider_refund_id.as_deref(),
            failure_code: refund.failure_code.as_deref(),
            items: refund
                .items
                .iter()
                .map(|(id, quantity)| RefundItemView {
                    order_item_id: Id::of(*id),
                    quantity: *quantity,
                })
                .collect(),
            restock: refund.restock,
            reason: refund.reason.as_deref(),
            created_at: At(refund.created_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let item = schema::answer(&[
            ("order_item_id", schema::uuid()),
            ("quantity", schema::any_integer()),
        ]);
        schema::answer(&[
            ("id", schema::uuid()),
            ("payment_id", schema::uuid()),
            ("order_id", schema::uuid()),
            ("amount", schema::any_integer()),
            ("tax_amount", schema::any_integer()),
            ("currency", schema::currency()),
            (
                "status",
                schema::one_of(&["pending", "succeeded", "failed"]),
            ),
            ("provider_refund_id", schema::nullable(schema::long_text())),
            ("failure_code", schema::nullable(schema::long_text())),
            ("items", schema::any_list(item)),
            ("restock", schema::flag()),
            ("reason", schema::nullable(schema::long_text())),
            ("created_at", schema::time()),
        ])
    }
}
