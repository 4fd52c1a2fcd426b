//! Freezes an order's lines and totals, once. Touches no stock.

use super::settle;
use crate::command::{Context, Decision, Reply};
use crate::ids::OrderId;
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;

/// The order to freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOrder {
    /// The order.
    pub order_id: OrderId,
}

impl LockOrder {
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
        let Some(locked) = settle::lock(order, context) else {
            return Err(Rejection::OrderAlreadyLocked);
        };
        if !order.is_unpaid() {
            return Err(Rejection::InvalidState {
                from: order.status,
                to: "locked",
            });
        }
        let reply = Reply::Order {
            id: order.id,
            to_maker: false,
        };
        Ok(Decision::changed(vec![locked], reply))
    }
}
