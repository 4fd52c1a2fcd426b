//! The store for production: PostgreSQL 14 or later, shared by any number of servers.
//!
//! * [`store::PostgresStore`] runs batches: lane row locked first, everything loaded in one round
//!   trip, everything written and committed in a second, as arrays through `UNNEST`.
//! * [`reader::PostgresReader`] answers reads, each from one snapshot.
//! * [`connections`] keeps connections, with their bounds in time; [`address`] reads a URL.
//! * [`replica`] takes lists to a streaming replica while that keeps up.
//! * [`migrate`] takes the schema up and down, and knows the two roles.
//! * [`copy`] takes a whole database out, and fills one.
//! * [`distribute`] spreads the tables over a Citus cluster.
//! * [`listen`] tells what other servers have committed.
//!
//! Only this crate and its SQLite sibling know SQL.

pub mod address;
pub mod connections;
pub mod copy;
pub mod distribute;
pub mod error;
mod ledger;
pub mod listen;
pub mod migrate;
pub mod reader;
pub mod replica;
pub mod roles;
pub mod secrets;
pub mod snapshot;
pub mod store;

mod apart;
mod arrays;
mod columns;
mod gather;
mod lists;
mod loading;
mod pipeline;
mod tls;
mod write;
