//! Applies what a provider says of a payment. Money that was taken always finds an answer: the
//! order is paid, or revived and paid, or the money goes back, once.

use super::settle::{self, Receipt};
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event};
use crate::ids::PaymentId;
use crate::money::{Amount, Currency};
use crate::needs::Needs;
use crate::order::Order;
use crate::payment::{Payment, PaymentStatus, Unearned};
use crate::rejection::Rejection;
use crate::state::State;

/// How a payment went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderOutcome {
    /// The money was taken.
    Succeeded {
        /// What the provider calls the payment.
        provider_payment_id: String,
        /// What it says it took.
        amount: Amount,
        /// In which currency.
        currency: Currency,
    },
    /// It certainly failed.
    Failed {
        /// Why.
        code: String,
    },
}

/// A verified message about a payment. The same one again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderResult {
    /// The payment.
    pub payment_id: PaymentId,
    /// How it went.
    pub outcome: ProviderOutcome,
}

impl ProviderResult {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.payments.insert(self.payment_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let payment = state.payment(self.payment_id).ok_or(Rejection::NotFound)?;
        let order = state
            .orders
            .get(&payment.order_id)
            .ok_or(Rejection::NotFound)?;
        let reply = Reply::Payment(payment.id);
        match &self.outcome {
            ProviderOutcome::Failed { code } => {
                if payment.status != PaymentStatus::Pending {
                    return Ok(Decision::repeated(reply));
                }
                Ok(Decision::changed(failed(order, payment, code), reply))
            }
            ProviderOutcome::Succeeded {
                provider_payment_id,
                amount,
                currency,
            } => {
                if payment.status.is_captured() {
                    return Ok(Decision::repeated(reply));
                }
                if *currency != payment.currency {
                    return Err(Rejection::CurrencyMismatch);
                }
                if *amount != payment.amount {
                    return Err(Rejection::AmountMismatch);
                }
                let changes = succeeded(state, (order, payment), provider_payment_id, context)?;
                Ok(Decision::changed(changes, reply))
            }
        }
    }
}

fn failed(order: &Order, payment: &Payment, code: &str) -> Vec<Change> {
    let mut changes = vec![
        Event::PaymentFailed {
            order_id: order.id,
            payment_id: payment.id,
            failure_code: code.to_owned(),
        }
        .into(),
    ];
    if order.is_unpaid() {
        changes.push(Event::OrderPaymentFailed { order_id: order.id }.into());
    }
    changes
}

fn succeeded(
    state: &State,
    (order, payment): (&Order, &Payment),
    provider_payment_id: &str,
    context: &mut Context<'_>,
) -> Result<Vec<Change>, Rejection> {
    let receipt = Receipt {
        payment_id: payment.id,
        provider_payment_id: Some(provider_payment_id.to_owned()),
        payment_method: payment.payment_method.clone(),
        payment_reference: payment.provider_reference.clone(),
    };
    match settle::pay(state, order, receipt, context) {
        Ok(changes) => Ok(changes),
        Err(refusal) => {
            let why = if matches!(refusal, Rejection::InsufficientStock(_)) {
                Unearned::Late
            } else if refusal == Rejection::AlreadyCancelled {
                Unearned::Cancelled
            } else if refusal == Rejection::AlreadyPaid {
                Unearned::Twice
            } else {
                return Err(refusal);
            };
            Ok(take_and_return(
                state,
                (order, payment),
                provider_payment_id,
                why,
                context,
            ))
        }
    }
}

/// The money was taken and cannot be used: it is recorded, and goes back.
fn take_and_return(
    state: &State,
    (order, payment): (&Order, &Payment),
    provider_payment_id: &str,
    why: Unearned,
    context: &mut Context<'_>,
) -> Vec<Change> {
    let reason = match why {
        Unearned::Late => "paid after expiry, stock gone",
        Unearned::Cancelled => "paid after cancellation",
        Unearned::Twice => "order paid twice",
    };
    let reason = Some(reason.to_owned());
    let (_, refund) = settle::refund(state, (order, payment), (payment.amount, reason), context);
    let mut changes = vec![
        Event::PaymentSucceeded {
            order_id: payment.order_id,
            payment_id: payment.id,
            provider_payment_id: Some(provider_payment_id.to_owned()),
        }
        .into(),
        Event::PaymentUnearned {
            order_id: payment.order_id,
            payment_id: payment.id,
            why,
        }
        .into(),
    ];
    if refund.amount.is_positive() {
        changes.push(Event::PaymentRefunded { refund }.into());
    }
    changes
}
