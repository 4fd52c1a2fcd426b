//! Moves a tenant's controls: the levers of whoever is on call.

use crate::command::{Context, Decision, Reply};
use crate::control::Control;
use crate::event::{Change, Event};
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::StockMode;

/// Where controls are to go, by whom and why. A control that stands there already stays; deadlines
/// that the move concerns are brought in line by sweeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveControls {
    /// Where to.
    pub to: Vec<Control>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl MoveControls {
    #[expect(clippy::unused_self, reason = "every command has this method")]
    pub(crate) fn needs(&self, _needs: &mut Needs) {}

    pub(crate) fn decide(
        &self,
        state: &State,
        _context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        if state.tenant().is_none() {
            return Err(Rejection::NotFound);
        }
        let moved = |control: &Control| Event::ControlMoved {
            control: *control,
            by: self.by.clone(),
            reason: self.reason.clone(),
        };
        let elsewhere = self.to.iter().filter(|control| !stands(state, **control));
        let changes: Vec<Change> = elsewhere.map(|control| moved(control).into()).collect();
        Ok(Decision::changed(changes, Reply::Controls))
    }
}

/// Whether a control stands there already.
fn stands(state: &State, control: Control) -> bool {
    let controls = &state.lane.controls;
    let mode = state.settings().map(|settings| settings.stock_mode);
    match control {
        Control::ExpirySuspended => !controls.expiry_runs(),
        Control::ExpiryRunning => controls.expiry_runs(),
        Control::CleanupPaused => controls.cleanup_paused_at.is_some(),
        Control::CleanupRunning => controls.cleanup_paused_at.is_none(),
        Control::StockReserve => mode == Some(StockMode::Reserve),
        Control::StockImmediate => mode == Some(StockMode::Immediate),
        Control::ReadOnly => controls.read_only_since.is_some(),
        Control::ReadWrite => controls.read_only_since.is_none(),
    }
}
