//! Orders, and what hangs on them.

use anyhow::Result;
use domain::command::Reply;
use domain::money::Amount;
use domain::order::{Contact, Order, OrderItem};
use domain::state::State;
use domain::time::Timestamp;
use serde_json::{Value, json};

use super::Frozen;
use super::sink::{Format, Sink};
use crate::serve::codec;

const ORDER: [&str; 26] = [
    "order_id",
    "order_number",
    "status",
    "payment_status",
    "financial_status",
    "currency",
    "subtotal",
    "discount_amount",
    "tax_amount",
    "shipping_fee",
    "total_amount",
    "customer_id",
    "customer_email",
    "payment_method",
    "payment_reference",
    "payment_expires_at",
    "created_at",
    "paid_at",
    "item_id",
    "variant_id",
    "sku",
    "title",
    "quantity",
    "unit_price",
    "discount",
    "total_price",
];

fn at(time: Option<Timestamp>) -> Value {
    json!(time.map(wire::time::format))
}

fn money(amount: Amount) -> Value {
    amount.minor().into()
}

/// CSV: a row an item, with its order's columns; NDJSON: an order a line, as the API answers it.
pub(super) fn orders(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    // Tokens are no part of an export, and nothing is addressed.
    let codec = codec(&[0; 32], String::new());
    if sink.format == Format::Csv {
        sink.columns(&ORDER)?;
    }
    frozen.orders(|page| {
        for order in page.orders.values() {
            let (id, to_maker) = (order.id, false);
            match sink.format {
                Format::Ndjson => {
                    sink.object(&codec.render(page, Reply::Order { id, to_maker }))?;
                }
                Format::Csv => {
                    for item in &order.items {
                        sink.row(&cells(order, page.contacts.get(&id), item))?;
                    }
                }
            }
        }
        Ok(())
    })
}

fn cells(order: &Order, contact: Option<&Contact>, item: &OrderItem) -> Vec<Value> {
    let totals = order.totals;
    vec![
        order.id.to_string().into(),
        order.number.into(),
        order.status.name().into(),
        order.payment_status.name().into(),
        order.financial_status.name().into(),
        order.currency.code().into(),
        money(totals.subtotal),
        money(totals.discount_amount),
        money(totals.tax_amount),
        money(totals.shipping_fee),
        money(totals.total_amount),
        json!(order.customer_id),
        json!(contact.and_then(|contact| contact.customer_email.as_ref())),
        json!(order.payment_method),
        json!(order.payment_reference),
        at(order.payment_expires_at),
        at(Some(order.created_at)),
        at(order.paid_at),
        item.id.to_string().into(),
        item.variant_id.to_string().into(),
        json!(item.sku),
        item.title.clone().into(),
        item.quantity.into(),
        money(item.unit_price),
        money(item.discount),
        money(item.total_price),
    ]
}

/// Goes through the orders' own rows of one kind.
fn each(
    frozen: &mut Frozen,
    sink: &mut Sink,
    rows: impl Fn(&State) -> Vec<Vec<Value>>,
) -> Result<()> {
    frozen.orders(|page| {
        for row in rows(page) {
            sink.row(&row)?;
        }
        Ok(())
    })
}

pub(super) fn reservations(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    sink.columns(&[
        "reservation_id",
        "order_id",
        "product_id",
        "variant_id",
        "location",
        "quantity",
        "status",
        "reserved_at",
        "expires_at",
        "updated_at",
    ])?;
    each(frozen, sink, |page| {
        let row = |hold: &domain::stock::Hold| {
            let place = page.locations.get(&hold.location_id);
            vec![
                hold.id.to_string().into(),
                hold.order_id.to_string().into(),
                hold.product_id.to_string().into(),
                hold.variant_id.to_string().into(),
                json!(place.map(|place| &place.code)),
                hold.quantity.into(),
                hold.status.name().into(),
                at(Some(hold.reserved_at)),
                at(hold.expires_at),
                at(Some(hold.updated_at)),
            ]
        };
        page.holds.values().map(row).collect()
    })
}

pub(super) fn payments(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    sink.columns(&[
        "payment_id",
        "order_id",
        "attempt",
        "provider",
        "payment_method",
        "status",
        "currency",
        "amount",
        "refunded_amount",
        "provider_reference",
        "provider_payment_id",
        "created_at",
        "updated_at",
    ])?;
    each(frozen, sink, |page| {
        let row = |payment: &domain::payment::Payment| {
            vec![
                payment.id.to_string().into(),
                payment.order_id.to_string().into(),
                payment.attempt.into(),
                payment.provider.name().into(),
                json!(payment.payment_method),
                payment.status.name().into(),
                payment.currency.code().into(),
                money(payment.amount),
                money(payment.refunded_amount),
                payment.provider_reference.clone().into(),
                json!(payment.provider_payment_id),
                at(Some(payment.created_at)),
                at(Some(payment.updated_at)),
            ]
        };
        page.payments.values().map(row).collect()
    })
}

pub(super) fn refunds(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    sink.columns(&[
        "refund_id",
        "payment_id",
        "order_id",
        "currency",
        "amount",
        "restock",
        "reason",
        "created_at",
    ])?;
    each(frozen, sink, |page| {
        let row = |refund: &domain::payment::Refund| {
            vec![
                refund.id.to_string().into(),
                refund.payment_id.to_string().into(),
                refund.order_id.to_string().into(),
                refund.currency.code().into(),
                money(refund.amount),
                refund.restock.into(),
                json!(refund.reason),
                at(Some(refund.created_at)),
            ]
        };
        page.refunds.values().map(row).collect()
    })
}
