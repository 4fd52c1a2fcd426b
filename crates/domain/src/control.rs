//! What an operator may switch while a shop runs, and what that means for deadlines.

use crate::planted::{self, Bug};
use crate::stock::{Hold, HoldStatus};
use crate::time::Timestamp;

/// A position that a control is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Time ends no order: deadlines are cleared, holds stay (seed 003's immediate fix).
    ExpirySuspended,
    /// Time ends unpaid orders again; those without a deadline get a new one.
    ExpiryRunning,
    /// Nothing sweeps: a due hold ends when a buyer wants its units, and not before.
    CleanupPaused,
    /// Due holds are swept.
    CleanupRunning,
    /// New orders reserve: stock is deducted when they are paid (seed 003).
    StockReserve,
    /// New orders deduct at once, and put back when they end unpaid (seeds 002 and 004).
    StockImmediate,
    /// Nothing is written; reads go on.
    ReadOnly,
    /// Writes are taken again.
    ReadWrite,
}

/// Where a tenant's controls stand, and since when; part of the lane's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// Since when time ends no order.
    pub expiry_suspended_at: Option<Timestamp>,
    /// When expiry was resumed last: a deadline from before it no longer counts.
    pub expiry_resumed_at: Option<Timestamp>,
    /// Since when nothing sweeps.
    pub cleanup_paused_at: Option<Timestamp>,
    /// Since when nothing is written.
    pub read_only_since: Option<Timestamp>,
}

/// Whether a deadline has passed: it has at this very moment.
fn is_past(deadline: Timestamp, now: Timestamp) -> bool {
    if planted::is(Bug::ExpiryOffByOne) {
        return deadline < now;
    }
    deadline <= now
}

impl Controls {
    /// Whether time ends orders.
    #[must_use]
    pub const fn expiry_runs(&self) -> bool {
        self.expiry_suspended_at.is_none()
    }

    /// Whether a deadline counts: it was not left over from before expiry was resumed.
    fn counts(&self, deadline: Timestamp) -> bool {
        self.expiry_resumed_at.is_none_or(|at| deadline > at)
    }

    /// Whether a hold has ended at `now`.
    #[must_use]
    pub fn is_due(&self, hold: &Hold, now: Timestamp) -> bool {
        let due = |at: Timestamp| is_past(at, now) && self.counts(at);
        self.expiry_runs() && hold.status == HoldStatus::Active && hold.expires_at.is_some_and(due)
    }

    /// Whether a hold's deadline is not yet as the controls want it: one that expiry's suspension
    /// clears, or one that is missing or left over since it was resumed. An order on hold keeps
    /// none; that is for the caller to know.
    #[must_use]
    pub fn wants_tidying(&self, hold: &Hold) -> bool {
        let untidy = if self.expiry_runs() {
            hold.expires_at.is_none_or(|at| !self.counts(at))
        } else {
            hold.expires_at.is_some()
        };
        hold.status == HoldStatus::Active && untidy
    }

    /// Moves a control at `at`. The stock mode stands with the tenant's settings.
    pub const fn set(&mut self, control: Control, at: Timestamp) {
        match control {
            Control::ExpirySuspended => self.expiry_suspended_at = Some(at),
            Control::ExpiryRunning => {
                self.expiry_suspended_at = None;
                self.expiry_resumed_at = Some(at);
            }
            Control::CleanupPaused => self.cleanup_paused_at = Some(at),
            Control::CleanupRunning => self.cleanup_paused_at = None,
            Control::ReadOnly => self.read_only_since = Some(at),
            Control::ReadWrite => self.read_only_since = None,
            Control::StockReserve | Control::StockImmediate => {}
        }
    }
}
