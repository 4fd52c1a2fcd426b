//! What money does to an order: freezing it, paying it, giving it back.

use std::collections::BTreeMap;

use super::supply;
use crate::command::Context;
use crate::event::{Change, Event};
use crate::ids::{OrderId, OrderItemId, PaymentId, RefundId, VariantId};
use crate::money::Amount;
use crate::order::{FinancialStatus, Order, OrderStatus};
use crate::payment::{Payment, PaymentStatus, Refund, RefundStatus};
use crate::rejection::Rejection;
use crate::state::State;
use crate::stock::{HoldStatus, LevelKey};

/// The event that freezes an order's totals, unless they are frozen already.
pub(super) fn lock(order: &Order, context: &Context<'_>) -> Option<Change> {
    (order.financial_status == FinancialStatus::Draft).then(|| {
        let snapshot_hash = context.seal.seal(order);
        Event::OrderLocked {
            order_id: order.id,
            snapshot_hash,
        }
        .into()
    })
}

/// The order's payment that still waits for its outcome.
pub(super) fn pending_payment(state: &State, order_id: OrderId) -> Option<&Payment> {
    state
        .payments_of(order_id)
        .find(|payment| payment.status == PaymentStatus::Pending)
}

/// The number of the order's next attempt.
pub(super) fn next_attempt(state: &State, order_id: OrderId) -> i64 {
    state
        .payments_of(order_id)
        .map(|payment| payment.attempt)
        .max()
        .unwrap_or(0)
        .saturating_add(1)
}

/// The money that arrived, and how to call it.
pub(super) struct Receipt {
    pub(super) payment_id: PaymentId,
    pub(super) provider_payment_id: Option<String>,
    pub(super) payment_method: Option<String>,
    pub(super) payment_reference: String,
}

/// Pays an order that may be paid: a draft takes its stock now, a pending order's holds become a
/// sale, and an order that time cancelled takes its stock again. `InsufficientStock` otherwise.
pub(super) fn pay(
    state: &State,
    order: &Order,
    receipt: Receipt,
    context: &mut Context<'_>,
) -> Result<Vec<Change>, Rejection> {
    let id = order.id;
    let mut changes = Vec::new();
    let take_now = |context: &mut Context<'_>| {
        let none = BTreeMap::new();
        supply::take(state, (id, &order.items), Some(context.now), &none, context)
    };
    match order.status {
        OrderStatus::Draft => {
            let holds = take_now(context)?;
            let payment_expires_at = supply::expiry(state, order, context);
            changes.push(
                Event::OrderSubmitted {
                    order_id: id,
                    payment_expires_at,
                }
                .into(),
            );
            let convert = supply::converted(id, holds.iter());
            changes.push(supply::reserved(id, holds));
            changes.push(convert);
        }
        OrderStatus::Pending => {
            changes.push(supply::converted(id, state.active_holds_of(id)));
        }
        OrderStatus::Cancelled if order.is_expired() => {
            let holds = take_now(context)?;
            changes.push(Event::OrderRevived { order_id: id }.into());
            let convert = supply::converted(id, holds.iter());
            changes.push(supply::reserved(id, holds));
            changes.push(convert);
        }
        OrderStatus::Cancelled => return Err(Rejection::AlreadyCancelled),
        OrderStatus::Paid
        | OrderStatus::Processing
        | OrderStatus::Shipped
        | OrderStatus::Delivered
        | OrderStatus::Refunded => return Err(Rejection::AlreadyPaid),
    }
    changes.extend(lock(order, context));
    changes.extend(cancel_pending(state, id, Some(receipt.payment_id)));
    changes.push(
        Event::PaymentSucceeded {
            order_id: id,
            payment_id: receipt.payment_id,
            provider_payment_id: receipt.provider_payment_id,
            captured_amount: None,
        }
        .into(),
    );
    changes.push(
        Event::OrderPaid {
            order_id: id,
            payment_id: receipt.payment_id,
            payment_method: receipt.payment_method,
            payment_reference: receipt.payment_reference,
        }
        .into(),
    );
    Ok(changes)
}

/// Ends every payment of an order that still waits, but for one.
pub(super) fn cancel_pending(
    state: &State,
    order_id: OrderId,
    but: Option<PaymentId>,
) -> impl Iterator<Item = Change> {
    state
        .payments_of(order_id)
        .filter(move |payment| payment.status == PaymentStatus::Pending && Some(payment.id) != but)
        .map(move |payment| {
            Event::PaymentCancelled {
                order_id,
                payment_id: payment.id,
            }
            .into()
        })
}

/// The tax in a refund: the order's tax in proportion to all that goes back with this refund, less
/// what went back of it before. Money that paid nothing has none.
fn tax_in(state: &State, (order, payment): (&Order, &Payment), amount: Amount) -> Amount {
    let totals = order.totals;
    if !payment.earned || !totals.total_amount.is_positive() {
        return Amount::ZERO;
    }
    let back = payment
        .refunded_amount
        .plus(amount)
        .unwrap_or(totals.total_amount);
    let share = totals
        .tax_amount
        .ratio(back.minor(), totals.total_amount.minor());
    let refunds = state.refunds_of(order.id);
    let before = refunds
        .filter(|refund| refund.payment_id == payment.id && refund.is_kept())
        .fold(Amount::ZERO, |sum, refund| {
            sum.plus(refund.tax_amount).unwrap_or(sum)
        });
    let tax = share.and_then(|share| share.minus(before));
    tax.unwrap_or_default().min(amount)
}

/// A refund of `amount` of a payment, with nothing put back.
pub(super) fn refund(
    state: &State,
    (order, payment): (&Order, &Payment),
    (amount, reason): (Amount, Option<String>),
    context: &mut Context<'_>,
) -> (RefundId, Refund) {
    let id = context.ids.make();
    let refund = Refund {
        id,
        payment_id: payment.id,
        order_id: payment.order_id,
        status: if payment.provider.is_remote() {
            RefundStatus::Requested
        } else {
            RefundStatus::Succeeded
        },
        provider_refund_id: None,
        failure_code: None,
        amount,
        tax_amount: tax_in(state, (order, payment), amount),
        currency: payment.currency,
        items: Vec::new(),
        restock: false,
        put_back: Some(Vec::new()),
        sent_at: None,
        settled_at: (!payment.provider.is_remote()).then_some(context.now),
        reason,
        created_at: context.now,
    };
    (id, refund)
}

/// Cancels an order in any state that allows it: holds go, pending payments end, money that was
/// captured goes back and unshipped units return to the shelf.
pub(super) fn cancel(
    state: &State,
    order: &Order,
    reason: Option<String>,
    context: &mut Context<'_>,
) -> Result<Vec<Change>, Rejection> {
    let id = order.id;
    let mut changes = Vec::new();
    match order.status {
        OrderStatus::Draft | OrderStatus::Pending => {
            changes.extend(supply::released(state, id, HoldStatus::Cancelled));
            changes.extend(cancel_pending(state, id, None));
        }
        OrderStatus::Paid | OrderStatus::Processing => {
            for payment in state
                .payments_of(id)
                .filter(|p| p.refundable().is_positive())
            {
                let why = Some("order cancelled".to_owned());
                let (_, refund) = refund(
                    state,
                    (order, payment),
                    (payment.refundable(), why),
                    context,
                );
                changes.push(Event::PaymentRefunded { refund }.into());
            }
            let units = unreturned_units(state, id);
            if !units.is_empty() {
                let reason = "order cancelled".to_owned();
                changes.push(
                    Event::StockReturned {
                        order_id: id,
                        units,
                        reason,
                    }
                    .into(),
                );
            }
            changes.push(
                Event::OrderRefunded {
                    order_id: id,
                    in_full: true,
                }
                .into(),
            );
        }
        OrderStatus::Cancelled => return Err(Rejection::AlreadyCancelled),
        OrderStatus::Shipped | OrderStatus::Delivered | OrderStatus::Refunded => {
            return Err(Rejection::InvalidState {
                from: order.status,
                to: "cancelled",
            });
        }
    }
    changes.push(
        Event::OrderCancelled {
            order_id: id,
            reason,
        }
        .into(),
    );
    Ok(changes)
}

/// Units of a variant that refunds have put back.
#[derive(Clone, Copy, Default)]
pub(super) struct Returned {
    /// Those that are on the shelf again.
    pub(super) units: i64,
    /// Those of them whose refund has failed, and that no refund since has counted.
    pub(super) unpaid: i64,
}

/// What refunds have put back. Goods stay on the shelf when the money of their refund stays: a
/// refund that is made again for them puts nothing back.
pub(super) fn returned_units(state: &State, order: &Order) -> BTreeMap<VariantId, Returned> {
    let mut returned: BTreeMap<VariantId, Returned> = BTreeMap::new();
    let mut paid: BTreeMap<VariantId, i64> = BTreeMap::new();
    for refund in state.refunds_of(order.id).filter(|refund| refund.restock) {
        let claimed = units_of(order, &refund.items);
        for (variant, units) in refund.put_back.as_ref().unwrap_or(&claimed) {
            let sum = returned.entry(*variant).or_default();
            sum.units = sum.units.saturating_add(*units);
        }
        for (variant, units) in claimed.iter().filter(|_| refund.is_kept()) {
            let sum = paid.entry(*variant).or_insert(0);
            *sum = sum.saturating_add(*units);
        }
    }
    for (variant, sum) in &mut returned {
        let paid = paid.get(variant).copied().unwrap_or(0);
        sum.unpaid = sum.units.saturating_sub(paid).max(0);
    }
    returned
}

/// Units of lines, by variant.
pub(super) fn units_of(order: &Order, items: &[(OrderItemId, i64)]) -> Vec<(VariantId, i64)> {
    let of = |(id, units): &(OrderItemId, i64)| {
        let item = order.items.iter().find(|item| item.id == *id)?;
        Some((item.variant_id, *units))
    };
    items.iter().filter_map(of).collect()
}

/// Units of a paid order that no refund has put back yet, by level. An order that was cancelled has
/// put all of them back.
pub(super) fn unreturned_units(state: &State, order_id: OrderId) -> Vec<(LevelKey, i64)> {
    let waits_for = |order: &&Order| order.status != OrderStatus::Cancelled;
    let Some(order) = state.orders.get(&order_id).filter(waits_for) else {
        return Vec::new();
    };
    let mut returned = returned_units(state, order);
    supply::sold_units(state, order_id)
        .into_iter()
        .filter_map(|((variant, location), quantity)| {
            let back = returned.entry(variant).or_default();
            let used = back.units.min(quantity);
            back.units = back.units.saturating_sub(used);
            let left = quantity.saturating_sub(used);
            (left > 0).then_some(((variant, location), left))
        })
        .collect()
}
