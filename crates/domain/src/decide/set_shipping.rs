//! Gives a paid order's parcel its number.

use crate::command::{Context, Decision, Reply};
use crate::event::Event;
use crate::ids::OrderId;
use crate::needs::Needs;
use crate::order::OrderStatus;
use crate::rejection::Rejection;
use crate::state::State;

/// A parcel's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetShipping {
    /// The order.
    pub order_id: OrderId,
    /// The carrier's number.
    pub tracking_number: String,
    /// The carrier.
    pub carrier: Option<String>,
}

impl SetShipping {
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
        match order.status {
            OrderStatus::Paid
            | OrderStatus::Processing
            | OrderStatus::Shipped
            | OrderStatus::Delivered => {}
            OrderStatus::Draft
            | OrderStatus::Pending
            | OrderStatus::Cancelled
            | OrderStatus::Refunded => {
                return Err(Rejection::InvalidState {
                    from: order.status,
                    to: "shipped",
                });
            }
        }
        if order.on_hold.is_some() {
            return Err(Rejection::OrderOnHold);
        }
        let event = Event::OrderShippingSet {
            order_id: order.id,
            tracking_number: self.tracking_number.clone(),
            carrier: self.carrier.clone(),
        };
        Ok(Decision::changed(
            vec![event.into()],
            Reply::Order {
                id: order.id,
                to_maker: false,
            },
        ))
    }
}
