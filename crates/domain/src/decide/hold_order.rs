//! Puts an order on hold, and releases it: time does not end it meanwhile, and it does not move
//! on. Money that comes for it is taken, and the shop may still cancel it.

use super::supply;
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event};
use crate::ids::OrderId;
use crate::needs::Needs;
use crate::order::{Order, OrderStatus};
use crate::rejection::Rejection;
use crate::state::State;

/// An order to be kept where it is. One that is on hold already stays so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldOrder {
    /// The order.
    pub order_id: OrderId,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl HoldOrder {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        _context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let order = state
            .orders
            .get(&self.order_id)
            .ok_or(Rejection::NotFound)?;
        let from = order.status;
        match from {
            OrderStatus::Draft
            | OrderStatus::Pending
            | OrderStatus::Paid
            | OrderStatus::Processing => {}
            OrderStatus::Shipped
            | OrderStatus::Delivered
            | OrderStatus::Cancelled
            | OrderStatus::Refunded => {
                let to = "on hold";
                return Err(Rejection::InvalidState { from, to });
            }
        }
        if order.on_hold.is_some() {
            return Ok(unchanged(order));
        }
        let changes = put_on_hold(order, self.by.clone(), self.reason.clone());
        Ok(Decision::changed(changes, reply(order)))
    }
}

/// The changes that keep an order where it is; time does not end it meanwhile.
pub(super) fn put_on_hold(order: &Order, by: String, reason: String) -> Vec<Change> {
    let order_id = order.id;
    let held = Event::OrderPutOnHold {
        order_id,
        by,
        reason,
    };
    let mut changes: Vec<Change> = vec![held.into()];
    if order.payment_expires_at.is_some() {
        let payment_expires_at = None;
        let cleared = Event::DeadlineSet {
            order_id,
            payment_expires_at,
        };
        changes.push(cleared.into());
    }
    changes
}

/// An order to be let go on. A pending one gets a new deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseOrder {
    /// The order.
    pub order_id: OrderId,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl ReleaseOrder {
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
        if order.on_hold.is_none() {
            return Ok(unchanged(order));
        }
        let order_id = order.id;
        let released = Event::OrderReleased {
            order_id,
            by: self.by.clone(),
            reason: self.reason.clone(),
        };
        let mut changes: Vec<Change> = vec![released.into()];
        let free = Order {
            on_hold: None,
            ..order.clone()
        };
        let deadline = supply::renewed(state, &free, context);
        if order.status == OrderStatus::Pending && deadline.is_some() {
            let set = Event::DeadlineSet {
                order_id,
                payment_expires_at: deadline,
            };
            changes.push(set.into());
        }
        Ok(Decision::changed(changes, reply(order)))
    }
}

fn unchanged(order: &Order) -> Decision {
    Decision::changed(Vec::new(), reply(order))
}

fn reply(order: &Order) -> Reply {
    Reply::Order {
        id: order.id,
        to_maker: false,
    }
}
