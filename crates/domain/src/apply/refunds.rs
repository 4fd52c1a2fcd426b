//! What events do to refunds, and to the ledger by them: money counts as gone once the provider has
//! sent it, and as set aside before.

use super::{book, touch};
use crate::event::Event;
use crate::ledger::{self, Place};
use crate::order::{FinancialStatus, PaymentState};
use crate::payment::{Payment, PaymentStatus, Refund, RefundStatus};
use crate::state::State;
use crate::time::Timestamp;

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`apply_event` sends only these"
)]
pub(super) fn apply(state: &mut State, event: &Event, at: Timestamp) {
    match event {
        Event::PaymentRefunded { refund } => request(state, refund, at),
        Event::RefundSent {
            order_id,
            refund_id,
            provider_refund_id,
        } => {
            state.refunds.change(&(*order_id, *refund_id), |refund| {
                refund.status = RefundStatus::Pending;
                refund.sent_at = Some(at);
                refund.provider_refund_id.clone_from(provider_refund_id);
            });
        }
        Event::RefundSettled {
            order_id,
            refund_id,
            provider_refund_id,
        } => {
            let key = (*order_id, *refund_id);
            let Some(before) = state.refunds.get(&key).cloned() else {
                return;
            };
            if before.status == RefundStatus::Failed {
                set_aside(state, &before, at);
            }
            state.refunds.change(&key, |refund| {
                refund.status = RefundStatus::Succeeded;
                refund.provider_refund_id = Some(provider_refund_id.clone());
                refund.settled_at = Some(at);
                refund.failure_code = None;
            });
            book_refund(state, &before, at);
        }
        Event::RefundFailed {
            order_id,
            refund_id,
            provider_refund_id,
            failure_code,
        } => {
            let key = (*order_id, *refund_id);
            let Some(before) = state.refunds.get(&key).cloned() else {
                return;
            };
            state.refunds.change(&key, |refund| {
                refund.status = RefundStatus::Failed;
                if provider_refund_id.is_some() {
                    refund.provider_refund_id.clone_from(provider_refund_id);
                }
                refund.failure_code = Some(failure_code.clone());
            });
            take_back(state, &before, at);
            if before.status == RefundStatus::Succeeded {
                book_return(state, &before, at);
            }
        }
        _ => {}
    }
}

fn request(state: &mut State, refund: &Refund, at: Timestamp) {
    if refund.status == RefundStatus::Succeeded {
        book_refund(state, refund, at);
    }
    set_aside(state, refund, at);
    state
        .refunds
        .put((refund.order_id, refund.id), refund.clone());
}

fn set_aside(state: &mut State, refund: &Refund, at: Timestamp) {
    change_payment(state, refund, at, |payment| {
        let sum = payment.refunded_amount.plus(refund.amount);
        payment.refunded_amount = sum.unwrap_or(payment.captured_amount);
    });
}

/// The money is still there: it may be refunded again, and its order counts as paid for that much.
fn take_back(state: &mut State, refund: &Refund, at: Timestamp) {
    change_payment(state, refund, at, |payment| {
        let left = payment.refunded_amount.minus(refund.amount);
        payment.refunded_amount = left.unwrap_or_default();
    });
    let key = (refund.order_id, refund.payment_id);
    let Some(payment) = state.payments.get(&key).filter(|payment| payment.earned) else {
        return;
    };
    let paid = if payment.refunded_amount.is_positive() {
        PaymentState::PartiallyRefunded
    } else {
        PaymentState::Paid
    };
    touch(state, refund.order_id, at, |order| {
        order.payment_status = paid;
        order.financial_status = FinancialStatus::Paid;
    });
}

fn change_payment(
    state: &mut State,
    refund: &Refund,
    at: Timestamp,
    edit: impl FnOnce(&mut Payment),
) {
    let key = (refund.order_id, refund.payment_id);
    state.payments.change(&key, |payment| {
        edit(payment);
        payment.status = if !payment.refunded_amount.is_positive() {
            PaymentStatus::Succeeded
        } else if payment.refunded_amount < payment.captured_amount {
            PaymentStatus::PartiallyRefunded
        } else {
            PaymentStatus::Refunded
        };
        payment.updated_at = at;
    });
}

fn book_refund(state: &mut State, refund: &Refund, at: Timestamp) {
    let place = Place::of(state, at);
    let payment = state.payments.get(&(refund.order_id, refund.payment_id));
    let booked = payment.and_then(|payment| ledger::returned(payment, refund, place));
    book(state, booked);
}

/// Money that had gone is back.
fn book_return(state: &mut State, refund: &Refund, at: Timestamp) {
    let place = Place::of(state, at);
    let payment = state.payments.get(&(refund.order_id, refund.payment_id));
    let booked = payment.and_then(|payment| ledger::bounced(payment, refund, place));
    book(state, booked);
}
