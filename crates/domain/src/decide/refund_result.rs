//! Applies what a provider says of a refund.

use crate::command::{Context, Decision, Reply};
use crate::event::Event;
use crate::ids::{PaymentId, RefundId};
use crate::needs::Needs;
use crate::payment::RefundStatus;
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
    /// It certainly failed.
    Failed {
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
            (_, RefundStatus::Succeeded | RefundStatus::Failed)
            | (RefundOutcome::Pending { .. }, RefundStatus::Pending) => {
                return Ok(Decision::repeated(reply));
            }
            (RefundOutcome::Pending { provider_refund_id }, RefundStatus::Requested) => {
                Event::RefundSent {
                    order_id,
                    refund_id,
                    provider_refund_id: provider_refund_id.clone(),
                }
            }
            (
                RefundOutcome::Succeeded { provider_refund_id },
                RefundStatus::Requested | RefundStatus::Pending,
            ) => Event::RefundSettled {
                order_id,
                refund_id,
                provider_refund_id: provider_refund_id.clone(),
            },
            (RefundOutcome::Failed { code }, RefundStatus::Requested | RefundStatus::Pending) => {
                Event::RefundFailed {
                    order_id,
                    refund_id,
                    failure_code: code.clone(),
                }
            }
        };
        Ok(Decision::changed(vec![event.into()], reply))
    }
}
