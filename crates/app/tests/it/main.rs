//! The real binary over real HTTP.

mod admin;
mod bad_input;
mod carts;
mod contract;
mod crash;
mod expiry;
mod hostile;
mod idempotency;
mod orders;
mod payments;
mod process;
mod seeds;
mod shop;
