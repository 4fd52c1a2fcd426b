//! What an operator's commands must answer, and what they do to deadlines.

use domain::command::Command;
use domain::control::Control;
use domain::decide::MoveControls;
use domain::ids::OrderId;
use domain::state::State;
use domain::time::Timestamp;
use engine::request::Request;

use crate::model::{HOLD_MILLIS, Stand};
use crate::world::{Watched, World};

impl<S: Watched> World<'_, S> {
    pub(super) fn move_controls(&mut self, moves: &MoveControls, after: &State) -> &'static str {
        for control in &moves.to {
            let controls = &mut self.model.controls;
            match control {
                Control::ExpirySuspended => controls.suspended = true,
                Control::ExpiryRunning if controls.suspended => {
                    controls.suspended = false;
                    controls.resumed_at = self.now;
                }
                Control::ReadOnly => controls.read_only = true,
                Control::ReadWrite => controls.read_only = false,
                _ => {}
            }
        }
        // What was kept from expiring may be due for what follows.
        self.settle_expired(after);
        "ok"
    }

    pub(super) fn hold(&mut self, id: OrderId) -> &'static str {
        let moment = self.model.at(self.now);
        let Some(order) = self.model.orders.get_mut(&id) else {
            return "not_found";
        };
        if !matches!(
            order.stand_at(moment),
            Stand::Draft | Stand::Waiting | Stand::Paid(0 | 1)
        ) {
            return "invalid_state";
        }
        order.on_hold = true;
        if order.stand == Stand::Waiting {
            order.expires_at = None;
        }
        "ok"
    }

    pub(super) fn release(&mut self, id: OrderId) -> &'static str {
        let deadline = self.model.deadline(self.now, false);
        let Some(order) = self.model.orders.get_mut(&id) else {
            return "not_found";
        };
        if std::mem::take(&mut order.on_hold) && order.stand == Stand::Waiting {
            order.expires_at = deadline;
        }
        "ok"
    }

    /// Deadlines that a sweep may have cleared or set anew; after a sweep alone, all of them are
    /// as the controls want them.
    pub(in crate::world) fn settle_deadlines(
        &mut self,
        requests: &[Request],
        after: &State,
    ) -> Result<(), String> {
        let is = |wanted: fn(&Request) -> bool| requests.iter().any(wanted);
        let swept = is(|request| matches!(request.command, Command::Sweep(_)));
        let moved = is(|request| matches!(request.command, Command::MoveControls(_)));
        // A sweep under a key may be an answer given again.
        let certain = is(|r| matches!(r.command, Command::Sweep(_)) && r.claim.is_none());
        let (now, controls) = (self.now, self.model.controls);
        if !swept {
            return Ok(());
        }
        for order in self.model.orders.values_mut() {
            let Some(stored) = after.orders.get(&order.id) else {
                continue;
            };
            if order.stand != Stand::Waiting {
                continue;
            }
            let ends = stored.payment_expires_at.map(Timestamp::millis);
            let cleared = ends.is_none() && (controls.suspended || moved);
            let left_over = order
                .expires_at
                .is_none_or(|end| end <= controls.resumed_at);
            let fresh = ends == Some(now + HOLD_MILLIS);
            let renewed = fresh && left_over && (moved || !order.on_hold);
            if cleared || renewed {
                order.expires_at = ends;
            }
            let tidy = if controls.suspended {
                ends.is_none()
            } else {
                order.on_hold || ends.is_some_and(|end| end > controls.resumed_at)
            };
            if certain && !moved && !controls.read_only && !tidy {
                return Err(format!("{:?} ends at {ends:?} after a sweep", order.id));
            }
        }
        Ok(())
    }
}
