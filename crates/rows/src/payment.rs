//! `payments` and `refunds`.

use domain::ids::{OrderItemId, TypedId as _, Uuid, VariantId};
use domain::payment::{PayPage, Payment, PaymentStatus, Provider, Refund, RefundStatus, Stage};
use engine::reader::OpenMoney;

use crate::cell::{Cell, id};
use crate::columns::Columns;
use crate::table::Kind::{Flag, Id, Int, Text};
use crate::table::{Table, fixed, moves};

/// Payment attempts.
pub const PAYMENTS: Table = Table {
    name: "payments",
    key: 1,
    columns: &[
        fixed("payment_id", Id),
        fixed("order_id", Id),
        fixed("attempt", Int),
        fixed("provider", Text),
        fixed("payment_method", Text),
        moves("status", Text),
        moves("stage", Text),
        moves("earned", Flag),
        fixed("amount", Int),
        moves("captured_amount", Int),
        moves("refunded_amount", Int),
        moves("fee_amount", Int),
        fixed("currency", Text),
        fixed("provider_reference", Text),
        moves("provider_payment_id", Text),
        fixed("return_url", Text),
        moves("payment_url", Text),
        moves("client_secret", Text),
        moves("expires_at", Int),
        moves("failure_code", Text),
        fixed("created_at", Int),
        moves("updated_at", Int),
    ],
};

/// Refunds.
pub const REFUNDS: Table = Table {
    name: "refunds",
    key: 1,
    columns: &[
        fixed("refund_id", Id),
        fixed("payment_id", Id),
        fixed("order_id", Id),
        moves("status", Text),
        moves("provider_refund_id", Text),
        moves("failure_code", Text),
        fixed("amount", Int),
        fixed("tax_amount", Int),
        fixed("currency", Text),
        fixed("items", Text),
        fixed("restock", Flag),
        fixed("put_back", Text),
        moves("sent_at", Int),
        moves("settled_at", Int),
        fixed("reason", Text),
        fixed("created_at", Int),
    ],
};

/// Reads a payment.
pub fn read<C: Columns>(c: &mut C) -> Result<Payment, C::Error> {
    Ok(Payment {
        id: c.id()?,
        order_id: c.id()?,
        attempt: c.int()?,
        provider: c.name(Provider::parse)?,
        payment_method: c.maybe_text()?,
        status: c.name(PaymentStatus::parse)?,
        stage: c.name(Stage::parse)?,
        earned: c.flag()?,
        amount: c.amount()?,
        captured_amount: c.amount()?,
        refunded_amount: c.amount()?,
        fee_amount: c.amount()?,
        currency: c.currency()?,
        provider_reference: c.text()?,
        provider_payment_id: c.maybe_text()?,
        return_url: c.maybe_text()?,
        page: PayPage {
            payment_url: c.maybe_text()?,
            client_secret: c.maybe_text()?,
        },
        expires_at: c.maybe_time()?,
        failure_code: c.maybe_text()?,
        created_at: c.time()?,
        updated_at: c.time()?,
    })
}

/// The cells of a payment.
#[must_use]
pub fn cells(payment: &Payment) -> Vec<Cell<'_>> {
    vec![
        id(payment.id),
        id(payment.order_id),
        payment.attempt.into(),
        payment.provider.name().into(),
        payment.payment_method.as_ref().into(),
        payment.status.name().into(),
        payment.stage.name().into(),
        payment.earned.into(),
        payment.amount.into(),
        payment.captured_amount.into(),
        payment.refunded_amount.into(),
        payment.fee_amount.into(),
        payment.currency.into(),
        (&payment.provider_reference).into(),
        payment.provider_payment_id.as_ref().into(),
        payment.return_url.as_ref().into(),
        payment.page.payment_url.as_ref().into(),
        payment.page.client_secret.as_ref().into(),
        payment.expires_at.into(),
        payment.failure_code.as_ref().into(),
        payment.created_at.into(),
        payment.updated_at.into(),
    ]
}

/// Reads a refund.
pub fn read_refund<C: Columns>(c: &mut C) -> Result<Refund, C::Error> {
    Ok(Refund {
        id: c.id()?,
        payment_id: c.id()?,
        order_id: c.id()?,
        status: c.name(RefundStatus::parse)?,
        provider_refund_id: c.maybe_text()?,
        failure_code: c.maybe_text()?,
        amount: c.amount()?,
        tax_amount: c.amount()?,
        currency: c.currency()?,
        items: read_items(c)?,
        restock: c.flag()?,
        put_back: read_put_back(c)?,
        sent_at: c.maybe_time()?,
        settled_at: c.maybe_time()?,
        reason: c.maybe_text()?,
        created_at: c.time()?,
    })
}

/// Reads what a provider has not said its last word about.
pub fn open_money<C: Columns>(c: &mut C) -> Result<OpenMoney, C::Error> {
    Ok(OpenMoney {
        tenant: c.id()?,
        payment_id: c.id()?,
        refund_id: c.maybe_id()?,
        begun: c.flag()?,
        now: c.time()?,
        ends_at: c.maybe_time()?,
    })
}

/// Variants and units, stored as JSON.
fn read_put_back<C: Columns>(c: &mut C) -> Result<Option<Vec<(VariantId, i64)>>, C::Error> {
    let Some(text) = c.maybe_text()? else {
        return Ok(None);
    };
    let unreadable = || c.unreadable("variants and units");
    let units: Vec<(Uuid, i64)> = serde_json::from_str::<Vec<(String, i64)>>(&text)
        .ok()
        .and_then(|units| {
            let parsed = units
                .into_iter()
                .map(|(id, units)| Some((id.parse().ok()?, units)));
            parsed.collect()
        })
        .ok_or_else(unreadable)?;
    let variant = |(id, units)| (VariantId::from_uuid(id), units);
    Ok(Some(units.into_iter().map(variant).collect()))
}

fn put_back(refund: &Refund) -> Option<String> {
    let units = refund.put_back.as_ref()?.iter();
    let units: Vec<(String, i64)> = units
        .map(|(id, units)| (id.uuid().to_string(), *units))
        .collect();
    Some(serde_json::json!(units).to_string())
}

/// Lines and units, stored as JSON.
fn read_items<C: Columns>(c: &mut C) -> Result<Vec<(OrderItemId, i64)>, C::Error> {
    let items: Vec<(String, i64)> = c.json()?;
    let item = |(id, quantity): (String, i64)| {
        let id: Uuid = id.parse().map_err(|_| c.unreadable("lines and units"))?;
        Ok((OrderItemId::from_uuid(id), quantity))
    };
    items.into_iter().map(item).collect()
}

/// The cells of a refund.
#[must_use]
pub fn refund_cells(refund: &Refund) -> Vec<Cell<'_>> {
    let items: Vec<(String, i64)> = refund
        .items
        .iter()
        .map(|(id, quantity)| (id.uuid().to_string(), *quantity))
        .collect();
    vec![
        id(refund.id),
        id(refund.payment_id),
        id(refund.order_id),
        refund.status.name().into(),
        refund.provider_refund_id.as_ref().into(),
        refund.failure_code.as_ref().into(),
        refund.amount.into(),
        refund.tax_amount.into(),
        refund.currency.into(),
        serde_json::json!(items).to_string().into(),
        refund.restock.into(),
        put_back(refund).into(),
        refund.sent_at.into(),
        refund.settled_at.into(),
        refund.reason.as_ref().into(),
        refund.created_at.into(),
    ]
}
