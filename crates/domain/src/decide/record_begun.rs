//! Records that a provider has begun a payment.

use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event, Row};
use crate::ids::PaymentId;
use crate::needs::Needs;
use crate::payment::{PayPage, PaymentStatus, Stage};
use crate::rejection::Rejection;
use crate::state::State;

/// What a provider answered to the beginning of a payment. The same again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBegun {
    /// The payment.
    pub payment_id: PaymentId,
    /// What the provider calls it, where it says so already.
    pub provider_payment_id: Option<String>,
    /// With what it is paid.
    pub page: PayPage,
}

impl RecordBegun {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.payments.insert(self.payment_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        _context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let payment = state.payment(self.payment_id).ok_or(Rejection::NotFound)?;
        let reply = Reply::Payment(payment.id);
        if payment.stage != Stage::Intended {
            return Ok(Decision::repeated(reply));
        }
        let mut changes: Vec<Change> = vec![
            Event::PaymentBegun {
                order_id: payment.order_id,
                payment_id: payment.id,
                provider_payment_id: self.provider_payment_id.clone(),
            }
            .into(),
        ];
        // Nobody is to pay what nobody waits for.
        if payment.status == PaymentStatus::Pending {
            let page = Row::PayPage(payment.order_id, payment.id, self.page.clone());
            changes.push(page.into());
        }
        Ok(Decision::changed(changes, reply))
    }
}
