//! Where a tenant's controls stand.

use domain::control::Controls;
use domain::tenant::Settings;
use serde::Serialize;
use serde_json::Value;

use super::At;
use crate::schema;

/// Controls; a time says since when one stands where it usually does not.
#[derive(Serialize)]
pub struct ControlsView {
    expiry: &'static str,
    expiry_suspended_at: Option<At>,
    cleanup: &'static str,
    cleanup_paused_at: Option<At>,
    stock_mode: &'static str,
    read_only: bool,
    read_only_since: Option<At>,
}

impl ControlsView {
    /// Controls, and the stock mode of the settings.
    #[must_use]
    pub fn new(controls: Controls, settings: &Settings) -> Self {
        let (suspended, paused) = (controls.expiry_suspended_at, controls.cleanup_paused_at);
        Self {
            expiry: if suspended.is_some() {
                "suspended"
            } else {
                "running"
            },
            expiry_suspended_at: suspended.map(At),
            cleanup: if paused.is_some() {
                "paused"
            } else {
                "running"
            },
            cleanup_paused_at: paused.map(At),
            stock_mode: settings.stock_mode.name(),
            read_only: controls.read_only_since.is_some(),
            read_only_since: controls.read_only_since.map(At),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let maybe_time = || schema::nullable(schema::time());
        schema::answer(&[
            ("expiry", schema::one_of(&["running", "suspended"])),
            ("expiry_suspended_at", maybe_time()),
            ("cleanup", schema::one_of(&["running", "paused"])),
            ("cleanup_paused_at", maybe_time()),
            ("stock_mode", schema::one_of(&["reserve", "immediate"])),
            ("read_only", schema::flag()),
            ("read_only_since", maybe_time()),
        ])
    }
}
