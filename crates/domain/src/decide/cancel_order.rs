//! Cancels an order: holds go at once, captured money goes back, unshipped units return.

use super::settle;
use crate::command::{Context, Decision, Reply};
use crate::ids::OrderId;
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;

/// The order to cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelOrder {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: Option<String>,
    /// True when the caller may cancel only what is unpaid (a customer with a client token).
    pub only_unpaid: bool,
}

impl CancelOrder {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let order = state
            .orders
            .get(&self.order_id)
            .ok_or(Rejection::NotFound)?;
        if self.only_unpaid && order.paid_at.is_some() && order.cancelled_at.is_none() {
            return Err(Rejection::AlreadyPaid);
        }
        if self.only_unpaid && order.on_hold.is_some() {
            return Err(Rejection::OrderOnHold);
        }
        let changes = settle::cancel(state, order, self.reason.clone(), context)?;
        Ok(Decision::changed(
            changes,
            Reply::Order {
                id: order.id,
                to_maker: false,
            },
        ))
    }
}
