//! The real binary over real HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::excessive_nesting,
    reason = "tests fail loudly, and tables are long"
)]

mod admin;
mod bad_input;
mod carts;
mod contract;
mod crash;
mod expiry;
mod hostile;
mod idempotency;
mod import;
mod ledger;
mod levers;
mod operating;
mod orders;
mod payments;
mod process;
mod providers;
mod security;
mod seeds;
mod shop;
mod webhook_events;
