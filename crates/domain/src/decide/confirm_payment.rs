//! Confirms a started payment by hand: a capture, or the success of a manual one.

use super::settle::{self, Receipt};
use crate::command::{Context, Decision, Reply};
use crate::ids::PaymentId;
use crate::needs::Needs;
use crate::order::OrderStatus;
use crate::payment::{PaymentStatus, SUSPECTED};
use crate::rejection::Rejection;
use crate::state::State;

/// The payment to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmPayment {
    /// The payment; one that succeeded before is answered unchanged.
    pub payment_id: PaymentId,
}

impl ConfirmPayment {
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
        match payment.status {
            PaymentStatus::Succeeded
            | PaymentStatus::PartiallyRefunded
            | PaymentStatus::Refunded => return Ok(Decision::repeated(reply)),
            PaymentStatus::Cancelled if order.status == OrderStatus::Cancelled => {}
            PaymentStatus::Failed | PaymentStatus::Cancelled => {
                return Err(Rejection::InvalidState {
                    from: order.status,
                    to: "paid",
                });
            }
            PaymentStatus::Pending => {}
        }
        // What another's server takes, only that server can confirm; but money that it has taken
        // and suspects may be accepted by whoever has looked.
        let suspected = payment.failure_code.as_deref() == Some(SUSPECTED);
        if payment.provider.is_remote() && !suspected {
            return Err(Rejection::InvalidState {
                from: order.status,
                to: "paid",
            });
        }
        let receipt = Receipt {
            payment_id: payment.id,
            provider_payment_id: payment.provider_payment_id.clone(),
            payment_method: payment.payment_method.clone(),
            payment_reference: payment.provider_reference.clone(),
        };
        let changes = settle::pay(state, order, receipt, context)?;
        Ok(Decision::changed(changes, reply))
    }
}
