//! What leaves this server over HTTP, and what payment providers say to it.
//!
//! A provider builds requests and parses messages; it does no I/O itself. The one HTTP client is
//! in [`client`].

pub mod accounts;
mod adapter;
pub mod amounts;
pub mod client;
pub mod courier;
pub mod exchange;
pub mod mock;
pub mod providers;
pub mod standard_webhooks;
pub mod stripe;
mod texts;
pub mod vault;
pub mod vnpay;
pub mod yookassa;
