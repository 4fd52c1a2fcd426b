//! Applies what a provider says of a payment. Money that was taken always finds an answer: the
//! order is paid, or revived and paid, or the money goes back, once.

use super::hold_order;
use super::settle::{self, Receipt};
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event};
use crate::ids::PaymentId;
use crate::money::{Amount, Currency};
use crate::needs::Needs;
use crate::order::Order;
use crate::payment::{Dispute, Payment, PaymentStatus, RefundStatus, SUSPECTED, Stage, Unearned};
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
        /// What it keeps of it, where it says so.
        fee: Option<Amount>,
    },
    /// The provider itself says that it took less than was asked for.
    CapturedInPart {
        /// What the provider calls the payment.
        provider_payment_id: String,
        /// What it took.
        amount: Amount,
        /// In which currency.
        currency: Currency,
    },
    /// The money was taken, and the provider suspects a fraud: the order is kept where it is until
    /// somebody has looked.
    Suspected,
    /// The payer's bank disputes the payment.
    Disputed {
        /// What the provider calls the dispute.
        dispute_id: String,
        /// Where it stands.
        dispute: Dispute,
        /// How much of the money it is about.
        amount: Amount,
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
        let changes = match &self.outcome {
            ProviderOutcome::Failed { code } => failed(order, payment, code),
            ProviderOutcome::Succeeded {
                provider_payment_id,
                amount,
                currency,
                fee,
            } => {
                let mut changes = Vec::new();
                if payment.status.is_captured() {
                    // What was taken does not become another amount.
                    if *amount != payment.captured_amount {
                        return Err(Rejection::AmountMismatch);
                    }
                } else {
                    check_named(payment, provider_payment_id, *currency)?;
                    if *amount != payment.amount {
                        return Err(Rejection::AmountMismatch);
                    }
                    let money = (order, payment);
                    changes = succeeded(state, money, provider_payment_id, context)?;
                }
                changes.extend(fee.and_then(|fee| fee_known(payment, fee)));
                changes
            }
            ProviderOutcome::Suspected => suspected(order, payment),
            ProviderOutcome::CapturedInPart { .. } if payment.status.is_captured() => Vec::new(),
            ProviderOutcome::CapturedInPart {
                provider_payment_id,
                amount,
                currency,
            } => {
                check_named(payment, provider_payment_id, *currency)?;
                if *amount >= payment.amount || !amount.is_positive() {
                    return Err(Rejection::AmountMismatch);
                }
                let part = Payment {
                    amount: *amount,
                    ..payment.clone()
                };
                let money = (order, &part);
                take_and_return(
                    state,
                    money,
                    provider_payment_id,
                    Unearned::Partial,
                    context,
                )
            }
            ProviderOutcome::Disputed {
                dispute_id,
                dispute,
                amount,
            } => disputed(
                state,
                (order, payment),
                (dispute_id, *dispute, *amount),
                context,
            ),
        };
        Ok(if changes.is_empty() {
            Decision::repeated(reply)
        } else {
            Decision::changed(changes, reply)
        })
    }
}

/// A provider's own name for a payment does not change, and neither does its currency.
fn check_named(payment: &Payment, name: &str, currency: Currency) -> Result<(), Rejection> {
    let known = payment.provider_payment_id.as_deref();
    if known.is_some_and(|known| known != name) {
        Err(Rejection::NotFound)
    } else if currency != payment.currency {
        Err(Rejection::CurrencyMismatch)
    } else {
        Ok(())
    }
}

/// An order that waits is put on hold, once: time does not end it, and its stock stays. Whoever
/// releases it has looked.
fn suspected(order: &Order, payment: &Payment) -> Vec<Change> {
    let known = payment.failure_code.as_deref() == Some(SUSPECTED);
    if payment.status != PaymentStatus::Pending || known {
        return Vec::new();
    }
    let suspected = Event::PaymentSuspected {
        order_id: order.id,
        payment_id: payment.id,
    };
    let mut changes = vec![suspected.into()];
    if order.is_unpaid() && order.on_hold.is_none() {
        let by = payment.provider.name().to_owned();
        let reason = "money was taken, and a fraud is suspected".to_owned();
        changes.extend(hold_order::put_on_hold(order, by, reason));
    }
    changes
}

fn fee_known(payment: &Payment, fee: Amount) -> Option<Change> {
    let new = fee.is_positive() && fee < payment.amount && !payment.fee_amount.is_positive();
    new.then(|| {
        Event::PaymentFeeKnown {
            order_id: payment.order_id,
            payment_id: payment.id,
            fee_amount: fee,
        }
        .into()
    })
}

/// A dispute stands in the order's history; money that the bank took back is a refund, once.
fn disputed(
    state: &State,
    (order, payment): (&Order, &Payment),
    (dispute_id, dispute, amount): (&str, Dispute, Amount),
    context: &mut Context<'_>,
) -> Vec<Change> {
    let mut changes = vec![
        Event::PaymentDisputed {
            order_id: order.id,
            payment_id: payment.id,
            dispute_id: dispute_id.to_owned(),
            dispute,
        }
        .into(),
    ];
    let mut refunds = state.refunds_of(order.id);
    let known = refunds.any(|refund| refund.provider_refund_id.as_deref() == Some(dispute_id));
    let gone = amount.min(payment.refundable());
    if dispute != Dispute::Lost || known || !gone.is_positive() {
        return changes;
    }
    let reason = Some("dispute lost".to_owned());
    let (_, mut refund) = settle::refund(state, (order, payment), (gone, reason), context);
    refund.status = RefundStatus::Succeeded;
    refund.settled_at = Some(context.now);
    refund.provider_refund_id = Some(dispute_id.to_owned());
    changes.push(Event::PaymentRefunded { refund }.into());
    if payment.earned {
        let in_full = gone == payment.refundable();
        let order_id = order.id;
        changes.push(Event::OrderRefunded { order_id, in_full }.into());
    }
    changes
}

/// A payment that was waited for has failed; for one that was given up, it is the provider's last
/// word.
fn failed(order: &Order, payment: &Payment, code: &str) -> Vec<Change> {
    if payment.status == PaymentStatus::Cancelled && payment.stage != Stage::Closed {
        let closed = Event::PaymentClosed {
            order_id: order.id,
            payment_id: payment.id,
            code: code.to_owned(),
        };
        return vec![closed.into()];
    }
    if payment.status != PaymentStatus::Pending {
        return Vec::new();
    }
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
        Unearned::Partial => "paid only in part",
    };
    let reason = Some(reason.to_owned());
    let (_, refund) = settle::refund(state, (order, payment), (payment.amount, reason), context);
    let mut changes = vec![
        Event::PaymentSucceeded {
            order_id: payment.order_id,
            payment_id: payment.id,
            provider_payment_id: Some(provider_payment_id.to_owned()),
            captured_amount: (why == Unearned::Partial).then_some(payment.amount),
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
