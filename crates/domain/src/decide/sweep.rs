//! Expires what is due. Expiry is exact without it: a batch first expires the due holds on what
//! it touches; the sweep makes the rest visible. It also brings deadlines in line after an
//! operator suspended or resumed expiry: that may concern more orders than one batch shall touch.

use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event};
use crate::ids::OrderId;
use crate::limits::SWEEP_MAX;
use crate::needs::Needs;
use crate::order::OrderStatus;
use crate::rejection::Rejection;
use crate::state::State;
use crate::stock::{Hold, HoldStatus};
use crate::time::Timestamp;

use super::{settle, supply};

/// Brings in up to [`SWEEP_MAX`] due orders of the tenant, which the batch expires before it
/// decides anything, and as many whose deadline is not yet as the controls want it.
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
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let controls = &state.lane.controls;
        let untidy = orders_of(state, |hold| controls.wants_tidying(hold));
        let orders = untidy.iter().filter_map(|id| state.orders.get(id));
        let changes: Vec<Change> = orders
            .filter_map(|order| supply::deadline(state, order, context).1)
            .collect();
        let more = changes.len() >= SWEEP_MAX;
        Ok(Decision::changed(changes, Reply::Swept { more }))
    }
}

/// The changes that expire every loaded order whose holds have ended at `now`. A batch applies
/// them before its commands.
#[must_use]
pub fn expire_due(state: &State, now: Timestamp) -> Vec<Change> {
    if state.lane.controls.read_only_since.is_some() {
        return Vec::new();
    }
    orders_of(state, |hold| state.lane.controls.is_due(hold, now))
        .iter()
        .flat_map(|order_id| expire(state, *order_id))
        .collect()
}

/// The orders of the loaded holds that are `meant`, each once.
fn orders_of(state: &State, meant: impl Fn(&Hold) -> bool) -> Vec<OrderId> {
    let holds = state.holds.values().filter(|hold| meant(hold));
    let mut orders: Vec<OrderId> = holds.map(|hold| hold.order_id).collect();
    orders.dedup();
    orders
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
