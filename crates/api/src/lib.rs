//! HTTP: requests become commands and reads, answers become JSON.
//!
//! [`operation`] describes an endpoint; [`endpoints`] lists them all; [`pipeline`] does for every
//! one of them what the contract asks in the order in which it asks it; [`openapi`] writes the
//! document from the same descriptions. There are no rules of the shop here, and no store: only a
//! handle to the lanes and a reader.

pub mod auth;
pub mod endpoints;
pub mod keys;
pub mod openapi;
pub mod operation;
pub mod rate_limit;
pub mod router;
pub mod server;
pub mod services;

mod call;
mod framing;
mod idempotency;
mod lines;
mod mock_page;
mod pages;
mod pipeline;
mod query;
mod reading;
mod respond;
mod sagas;
mod security;
