//! Expires what is due. Expiry is exact without it: a batch first expires the due holds on what
//! it touches; the sweep makes the rest visible.

use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event};
use crate::ids::OrderId;
use crate::limits::SWEEP_MAX;
use crate::needs::Needs;
use crate::order::OrderStatus;
use crate::rejection::Rejection;
use crate::state::State;
use crate::stock::HoldStatus;
use crate::time::Timestamp;

use super::{settle, supply};

/// Brings in up to [`SWEEP_MAX`] due orders of the tenant; the batch expires them before it
/// decides anything, so nothing is left to decide here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep;

impl Sweep {
    #[expect(clippy::unused_self, reason = "every command has this method")]
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.due = SWEEP_MAX;
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as every command"
    )]
    pub(crate) fn decide(
        &self,
        _state: &State,
        _context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        Ok(Decision::changed(Vec::new(), Reply::Done))
    }
}

/// The changes that expire every loaded order whose holds have ended at `now`. A batch applies
/// them before its commands.
#[must_use]
pub fn expire_due(state: &State, now: Timestamp) -> Vec<Change> {
    let mut due: Vec<OrderId> = state
        .holds
        .values()
        .filter(|hold| hold.is_due(now))
        .map(|hold| hold.order_id)
        .collect();
    due.dedup();
    due.iter()
        .flat_map(|order_id| expire(state, *order_id))
        .collect()
}

fn expire(state: &State, order_id: OrderId) -> Vec<Change> {
    let pending = state
        .orders
        .get(&order_id)
        .is_some_and(|order| order.status == OrderStatus::Pending);
    let mut changes = Vec::new();
    changes.extend(supply::released(state, order_id, HoldStatus::Expired));
    if pending {
        changes.extend(settle::cancel_pending(state, order_id, None));
        changes.push(Event::OrderExpired { order_id }.into());
    }
    changes
}
