//! What events do to payments, and to the ledger by them.

use super::{book, touch};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::ledger::{self, Place};
use crate::money::Amount;
use crate::order::{OrderStatus, PaymentState};
use crate::payment::{PayPage, Payment, PaymentStatus, SUSPECTED, Stage};
use crate::state::State;
use crate::time::Timestamp;

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`apply_event` sends only these"
)]
pub(super) fn apply(state: &mut State, event: &Event, at: Timestamp) {
    let mut change = |order_id: OrderId, id: PaymentId, edit: &dyn Fn(&mut Payment)| {
        state.payments.change(&(order_id, id), |payment| {
            edit(payment);
            payment.updated_at = at;
        });
    };
    match event {
        Event::PaymentStarted { payment } => start(state, payment, at),
        Event::PaymentBegun {
            order_id,
            payment_id,
            provider_payment_id,
        } => change(*order_id, *payment_id, &|payment| {
            payment.stage = Stage::Begun;
            payment.provider_payment_id.clone_from(provider_payment_id);
        }),
        Event::PaymentSucceeded {
            order_id,
            payment_id,
            provider_payment_id,
            captured_amount,
        } => succeed(
            state,
            (*order_id, *payment_id),
            provider_payment_id.as_ref(),
            *captured_amount,
            at,
        ),
        Event::PaymentFailed {
            order_id,
            payment_id,
            failure_code,
        } => change(*order_id, *payment_id, &|payment| {
            payment.status = PaymentStatus::Failed;
            payment.failure_code = Some(failure_code.clone());
            close(payment);
        }),
        Event::PaymentClosed {
            order_id,
            payment_id,
            code,
        } => change(*order_id, *payment_id, &|payment| {
            payment.failure_code = Some(code.clone());
            close(payment);
        }),
        Event::PaymentCancelled {
            order_id,
            payment_id,
        } => change(*order_id, *payment_id, &|payment| {
            payment.status = PaymentStatus::Cancelled;
        }),
        Event::PaymentSuspected {
            order_id,
            payment_id,
        } => change(*order_id, *payment_id, &|payment| {
            payment.failure_code = Some(SUSPECTED.to_owned());
        }),
        Event::PaymentFeeKnown {
            order_id,
            payment_id,
            fee_amount,
        } => keep_fee(state, (*order_id, *payment_id), *fee_amount, at),
        _ => {}
    }
}

/// What the provider keeps of the money.
fn keep_fee(state: &mut State, key: (OrderId, PaymentId), fee_amount: Amount, at: Timestamp) {
    state.payments.change(&key, |payment| {
        payment.fee_amount = fee_amount;
        payment.updated_at = at;
    });
    let place = Place::of(state, at);
    let payment = state.payments.get(&key);
    let booked = payment.and_then(|payment| ledger::fee(payment, place));
    book(state, booked);
}

/// The provider has said its last word: there is nothing to pay with any more.
fn close(payment: &mut Payment) {
    payment.stage = Stage::Closed;
    payment.page = PayPage::default();
}

fn start(state: &mut State, payment: &Payment, at: Timestamp) {
    state
        .payments
        .put((payment.order_id, payment.id), payment.clone());
    touch(state, payment.order_id, at, |order| {
        if order.payment_status == PaymentState::Failed {
            order.payment_status = PaymentState::Pending;
        }
    });
}

/// An order that waits is paid by it, if it is all that was asked for; any other money is the
/// customer's.
fn succeed(
    state: &mut State,
    key: (OrderId, PaymentId),
    provider_payment_id: Option<&String>,
    captured: Option<Amount>,
    at: Timestamp,
) {
    let waits = state
        .orders
        .get(&key.0)
        .is_some_and(|order| order.status == OrderStatus::Pending);
    let earned = waits && captured.is_none();
    state.payments.change(&key, |payment| {
        payment.status = PaymentStatus::Succeeded;
        payment.captured_amount = captured.unwrap_or(payment.amount);
        payment.earned = earned;
        payment.provider_payment_id = provider_payment_id.cloned();
        payment.failure_code = None;
        payment.updated_at = at;
        close(payment);
    });
    let place = Place::of(state, at);
    let (Some(order), Some(payment)) = (state.orders.get(&key.0), state.payments.get(&key)) else {
        return;
    };
    let booked = if earned {
        ledger::earned(order, payment, place)
    } else {
        ledger::unearned(payment, place)
    };
    book(state, booked);
}
