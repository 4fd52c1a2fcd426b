//! Moves an order along its way: draft → pending, paid → processing → shipped → delivered.

use super::{settle, supply};
use crate::command::{Context, Decision, Reply};
use crate::event::Event;
use crate::ids::OrderId;
use crate::needs::Needs;
use crate::order::OrderStatus;
use crate::rejection::Rejection;
use crate::state::State;

/// The next status of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeStatus {
    /// The order.
    pub order_id: OrderId,
    /// Where it goes. `paid` and `refunded` come from payments and refunds alone.
    pub status: OrderStatus,
    /// The shop's notes.
    pub notes: Option<String>,
}

impl ChangeStatus {
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
        let reply = Reply::Order {
            id: order.id,
            to_maker: false,
        };
        let changes = match (order.status, self.status) {
            (_, status) if status != OrderStatus::Cancelled && order.on_hold.is_some() => {
                return Err(Rejection::OrderOnHold);
            }
            (OrderStatus::Draft, OrderStatus::Pending) => {
                let (_, taken) = supply::submit(state, order, context)?;
                let noted = self.notes.clone().map(|notes| {
                    let (order_id, admin_notes) = (order.id, Some(notes));
                    let notes = order.notes.clone();
                    Event::OrderAnnotated {
                        order_id,
                        notes,
                        admin_notes,
                    }
                    .into()
                });
                taken.into_iter().chain(noted).collect()
            }
            (OrderStatus::Paid, OrderStatus::Processing)
            | (OrderStatus::Processing, OrderStatus::Shipped)
            | (OrderStatus::Shipped, OrderStatus::Delivered) => {
                let (order_id, status) = (order.id, self.status);
                vec![
                    Event::OrderMoved {
                        order_id,
                        status,
                        notes: self.notes.clone(),
                    }
                    .into(),
                ]
            }
            (_, OrderStatus::Cancelled) => {
                settle::cancel(state, order, self.notes.clone(), context)?
            }
            (from, to) => {
                return Err(Rejection::InvalidState {
                    from,
                    to: to.name(),
                });
            }
        };
        Ok(Decision::changed(changes, reply))
    }
}
