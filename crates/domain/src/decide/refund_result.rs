//! Applies what a provider says of a refund.

use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event};
use crate::ids::{PaymentId, RefundId};
use crate::needs::Needs;
use crate::payment::{Payment, Refund, RefundStatus};
use crate::rejection::Rejection;
use crate::state::State;

/// How a refund went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The provider works on it.
    Pending {
        /// What the provider calls it, where it says so.
        provider_refund_id: Option<String>,
    },
    /// The money is on its way back.
    Succeeded {
        /// What the provider calls it.
        provider_refund_id: String,
    },
    /// It certainly failed; that may come after it had succeeded, when the payer's bank sends the
    /// money back.
    Failed {
        /// What the provider calls it, where it says so.
        provider_refund_id: Option<String>,
        /// Why.
        code: String,
    },
}

/// What a provider said of a refund. The same again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundResult {
    /// The refund's payment.
    pub payment_id: PaymentId,
    /// The refund.
    pub refund_id: RefundId,
    /// How it went.
    pub outcome: RefundOutcome,
}

impl RefundResult {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.payments.insert(self.payment_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        _context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let payment = state.payment(self.payment_id).ok_or(Rejection::NotFound)?;
        let order_id = payment.order_id;
        let refund = state
            .refunds
            .get(&(order_id, self.refund_id))
            .ok_or(Rejection::NotFound)?;
        let reply = Reply::Refund(order_id, refund.id);
        let refund_id = refund.id;
        let event = match (&self.outcome, refund.status) {
            (RefundOutcome::Pending { provider_refund_id }, RefundStatus::Requested) => {
                Event::RefundSent {
                    order_id,
                    refund_id,
                    provider_refund_id: provider_refund_id.clone(),
                }
            }
            (RefundOutcome::Pending { .. }, _)
            | (RefundOutcome::Succeeded { .. }, RefundStatus::Succeeded)
            | (RefundOutcome::Failed { .. }, RefundStatus::Failed) => {
                return Ok(Decision::repeated(reply));
            }
            (RefundOutcome::Succeeded { provider_refund_id }, status) => {
                if status == RefundStatus::Failed {
                    check_comes_after_all(payment, refund)?;
                }
                Event::RefundSettled {
                    order_id,
                    refund_id,
                    provider_refund_id: provider_refund_id.clone(),
                }
            }
            (
                RefundOutcome::Failed {
                    code,
                    provider_refund_id,
                },
                _,
            ) => Event::RefundFailed {
                order_id,
                refund_id,
                provider_refund_id: provider_refund_id.clone(),
                failure_code: code.clone(),
            },
        };
        let mut changes: Vec<Change> = vec![event.into()];
        // Its failure had made the order count as paid.
        let comes_after_all = matches!(self.outcome, RefundOutcome::Succeeded { .. })
            && refund.status == RefundStatus::Failed;
        if comes_after_all && payment.earned {
            let in_full = refund.amount == payment.refundable();
            changes.push(Event::OrderRefunded { order_id, in_full }.into());
        }
        Ok(Decision::changed(changes, reply))
    }
}

/// A refund that was taken for failed has gone through: its money must still be there, and it must
/// not have been booked before.
fn check_comes_after_all(payment: &Payment, refund: &Refund) -> Result<(), Rejection> {
    if refund.settled_at.is_none() && refund.amount <= payment.refundable() {
        Ok(())
    } else {
        Err(Rejection::RefundExceedsPayment)
    }
}
