//! `payments` and `refunds`.

use domain::ids::{OrderItemId, TypedId as _};
use domain::payment::{Payment, PaymentStatus, Provider, Refund};
use rusqlite::{Connection, Result, Row, params};

use crate::columns::{Columns, text};
use crate::error::unreadable;

pub(crate) const PAYMENT: &str = "payment_id, order_id, attempt, provider, payment_method, \
     status, amount, refunded_amount, currency, provider_reference, provider_payment_id, \
     return_url, expires_at, failure_code, created_at, updated_at";
pub(crate) const REFUND: &str =
    "refund_id, payment_id, order_id, amount, currency, items, restock, reason, created_at";

pub(crate) fn read(row: &Row<'_>) -> Result<Payment> {
    let mut c = Columns::new(row);
    Ok(Payment {
        id: c.id()?,
        order_id: c.id()?,
        attempt: c.get()?,
        provider: c.name(Provider::parse)?,
        payment_method: c.get()?,
        status: c.name(PaymentStatus::parse)?,
        amount: c.amount()?,
        refunded_amount: c.amount()?,
        currency: c.currency()?,
        provider_reference: c.get()?,
        provider_payment_id: c.get()?,
        return_url: c.get()?,
        expires_at: c.maybe_time()?,
        failure_code: c.get()?,
        created_at: c.time()?,
        updated_at: c.time()?,
    })
}

pub(crate) fn read_refund(row: &Row<'_>) -> Result<Refund> {
    let mut c = Columns::new(row);
    Ok(Refund {
        id: c.id()?,
        payment_id: c.id()?,
        order_id: c.id()?,
        amount: c.amount()?,
        currency: c.currency()?,
        items: read_items(&c.get::<String>()?)?,
        restock: c.get()?,
        reason: c.get()?,
        created_at: c.time()?,
    })
}

fn read_items(json: &str) -> Result<Vec<(OrderItemId, i64)>> {
    let wrong = || unreadable(5, "a list of lines and units");
    let items: Vec<(String, i64)> = serde_json::from_str(json).map_err(|_| wrong())?;
    let item = |(id, quantity): (String, i64)| Ok((id.parse().map_err(|_| wrong())?, quantity));
    items.into_iter().map(item).collect()
}

pub(crate) fn write(
    conn: &Connection,
    tenant: &str,
    before: Option<&Payment>,
    payment: &Payment,
) -> Result<()> {
    if before.is_some() {
        let mut update = conn.prepare_cached(
            "UPDATE payments SET status = ?3, refunded_amount = ?4, provider_payment_id = ?5, \
             expires_at = ?6, failure_code = ?7, updated_at = ?8 \
             WHERE tenant_id = ?1 AND payment_id = ?2",
        )?;
        update.execute(params![
            tenant,
            text(payment.id),
            payment.status.name(),
            payment.refunded_amount.minor(),
            payment.provider_payment_id,
            payment.expires_at.map(domain::time::Timestamp::millis),
            payment.failure_code,
            payment.updated_at.millis()
        ])?;
        return Ok(());
    }
    let mut insert = conn.prepare_cached(
        "INSERT INTO payments (tenant_id, payment_id, order_id, attempt, provider, \
         payment_method, status, amount, refunded_amount, currency, provider_reference, \
         provider_payment_id, return_url, expires_at, failure_code, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    insert.execute(params![
        tenant,
        text(payment.id),
        text(payment.order_id),
        payment.attempt,
        payment.provider.name(),
        payment.payment_method,
        payment.status.name(),
        payment.amount.minor(),
        payment.refunded_amount.minor(),
        payment.currency.code(),
        payment.provider_reference,
        payment.provider_payment_id,
        payment.return_url,
        payment.expires_at.map(domain::time::Timestamp::millis),
        payment.failure_code,
        payment.created_at.millis(),
        payment.updated_at.millis()
    ])?;
    Ok(())
}

pub(crate) fn write_refund(conn: &Connection, tenant: &str, refund: &Refund) -> Result<()> {
    let items: Vec<(String, i64)> = refund
        .items
        .iter()
        .map(|(id, quantity)| (id.uuid().to_string(), *quantity))
        .collect();
    let mut insert = conn.prepare_cached(
        "INSERT INTO refunds (tenant_id, refund_id, payment_id, order_id, amount, currency, \
         items, restock, reason, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    insert.execute(params![
        tenant,
        text(refund.id),
        text(refund.payment_id),
        text(refund.order_id),
        refund.amount.minor(),
        refund.currency.code(),
        serde_json::json!(items).to_string(),
        refund.restock,
        refund.reason,
        refund.created_at.millis()
    ])?;
    Ok(())
}
