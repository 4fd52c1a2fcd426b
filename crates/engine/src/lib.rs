//! The single writer: queue → batch → load → decide → commit → answer.
//!
//! Requests never open transactions. They hand a command to their tenant's lane ([`handle`]) and
//! wait; an [`executor`] takes what has queued, loads what it touches, lets `domain` decide it in
//! order ([`batch`]), commits once and then answers. There is no second way to write: expiry,
//! provider messages and clean-up are commands too.
//!
//! The ports live here: [`store`], [`reader`], [`codec`], [`clock`]. SQL, HTTP and JSON do not.

#![deny(
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::integer_division
)]

pub mod clock;
pub mod codec;
pub mod provider;
pub mod reader;
pub mod request;
pub mod store;

pub mod batch;
pub mod direct;
pub mod executor;
pub mod handle;
pub mod lanes;
mod open;
pub mod stats;

pub mod audit;
pub mod inbox;
pub mod memory_store;
pub mod reconcile;
pub mod saga;
pub mod sweeper;
