//! The ledger: double entry, read out of the journal in its order. Money that paid an order is
//! revenue, shipping and tax; money that came for nothing is the customer's credit until it is
//! back; each transaction balances.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use domain::event::Event;
use domain::ids::PaymentId;
use domain::order::Order;
use domain::payment::{Payment, Refund};
use domain::state::State;
use domain::time::Timestamp;
use engine::codec::Codec as _;
use engine::reader::RawEvent;

use super::Frozen;
use super::sink::Sink;
use crate::serve::codec;

/// Events that are read together.
const EVENTS: usize = 1_000;

/// Debit above zero, credit below, by account, in minor units.
type Entries = BTreeMap<String, i64>;

/// A posting that is to be written.
struct Transaction {
    at: Timestamp,
    reference: String,
    order_number: i64,
    currency: String,
    entries: Entries,
}

pub(super) fn ledger(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    sink.columns(&[
        "at",
        "reference",
        "order_number",
        "account",
        "currency",
        "debit",
        "credit",
    ])?;
    let tenant = frozen.tenant.id;
    let mut after = 0;
    let mut unearned: Option<PaymentId> = None;
    loop {
        let events = frozen.snapshot.events(tenant, after, EVENTS)?;
        let Some(last) = events.last() else {
            return Ok(());
        };
        after = last.seq;
        let events = money_events(&events)?;
        let named = events.iter().map(|(_, event)| payment_of(event));
        let state = frozen.snapshot.payments(tenant, named.collect())?;
        for (at, event) in events {
            if let Some(transaction) = book(&state, at, &event, &mut unearned)? {
                write(sink, &transaction)?;
            }
        }
    }
}

/// The events of a page that move money, decoded.
fn money_events(events: &[RawEvent]) -> Result<Vec<(Timestamp, Event)>> {
    // Neither tokens nor addresses take part in reading.
    let codec = codec(&[0; 32], String::new());
    let kinds = ["order.paid", "payment.succeeded", "payment.refunded"];
    let money = events
        .iter()
        .filter(|raw| kinds.contains(&raw.kind.as_str()));
    money
        .map(|raw| {
            let event = codec.read_event(&raw.kind, &raw.payload);
            event
                .map(|event| (raw.at, event))
                .map_err(anyhow::Error::msg)
        })
        .collect()
}

fn payment_of(event: &Event) -> PaymentId {
    match event {
        Event::PaymentRefunded { refund } => refund.payment_id,
        Event::OrderPaid { payment_id, .. } | Event::PaymentSucceeded { payment_id, .. } => {
            *payment_id
        }
        _ => unreachable!("`money_events` lets only these through"),
    }
}

/// What an event books. A payment that succeeded and paid nothing goes back in the event that
/// follows it: `unearned` carries it there.
fn book(
    state: &State,
    at: Timestamp,
    event: &Event,
    unearned: &mut Option<PaymentId>,
) -> Result<Option<Transaction>> {
    let id = payment_of(event);
    let Some(payment) = state.payment(id) else {
        bail!("payment {id} is missing; `stockhold audit` says more");
    };
    let Some(order) = state.orders.get(&payment.order_id) else {
        bail!(
            "order {} is missing; `stockhold audit` says more",
            payment.order_id
        );
    };
    let transaction = |reference: String, entries: Entries| Transaction {
        at,
        reference,
        order_number: order.number,
        currency: payment.currency.code().to_owned(),
        entries,
    };
    let confirmed = format!("payment_confirmed:{id}");
    Ok(match event {
        Event::OrderPaid { .. } => {
            *unearned = None;
            Some(transaction(confirmed, earned(order, payment)))
        }
        Event::PaymentSucceeded { .. } if paid_by(order, payment) => None,
        Event::PaymentSucceeded { .. } => {
            *unearned = Some(id);
            let amount = payment.amount.minor();
            let entries = [
                (cash(payment), amount),
                ("customer_credit".to_owned(), -amount),
            ];
            Some(transaction(confirmed, entries.into()))
        }
        Event::PaymentRefunded { refund } => {
            let credit = unearned.take() == Some(id);
            let entries = returned(payment, refund, credit);
            Some(transaction(format!("refund:{}", refund.id), entries))
        }
        _ => None,
    })
}

/// Whether this payment, and no other, paid the order.
fn paid_by(order: &Order, payment: &Payment) -> bool {
    order.payment_reference.as_ref() == Some(&payment.provider_reference)
}

fn cash(payment: &Payment) -> String {
    format!("cash:{}", payment.provider.name())
}

fn earned(order: &Order, payment: &Payment) -> Entries {
    let totals = order.totals;
    let (tax, shipping) = (totals.tax_amount.minor(), totals.shipping_fee.minor());
    let discount = totals.discount_amount.minor();
    let revenue = totals.total_amount.minor() - tax - shipping + discount;
    [
        (cash(payment), payment.amount.minor()),
        ("discounts".to_owned(), discount),
        ("revenue".to_owned(), -revenue),
        ("shipping_revenue".to_owned(), -shipping),
        ("tax_payable".to_owned(), -tax),
    ]
    .into()
}

fn returned(payment: &Payment, refund: &Refund, credit: bool) -> Entries {
    let amount = refund.amount.minor();
    let account = if credit { "customer_credit" } else { "refunds" };
    [(account.to_owned(), amount), (cash(payment), -amount)].into()
}

fn write(sink: &mut Sink, transaction: &Transaction) -> Result<()> {
    let sum: i64 = transaction.entries.values().sum();
    if sum != 0 {
        bail!("{} does not balance: {sum}", transaction.reference);
    }
    for (account, amount) in transaction
        .entries
        .iter()
        .filter(|(_, amount)| **amount != 0)
    {
        sink.row(&[
            wire::time::format(transaction.at).into(),
            transaction.reference.clone().into(),
            transaction.order_number.into(),
            account.clone().into(),
            transaction.currency.clone().into(),
            (*amount).max(0).into(),
            (-*amount).max(0).into(),
        ])?;
    }
    Ok(())
}
