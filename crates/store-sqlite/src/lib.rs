//! The embedded store: one SQLite file, one writer, readers apart. No server to install.
//!
//! * [`store::SqliteStore`] runs batches: prepared statements row by row, WAL, `synchronous=FULL`.
//! * [`reader::SqliteReader`] answers reads from connections of its own.
//! * [`checkpoint`] moves the WAL into the database on a thread of its own, and bounds it.
//! * [`copy`] takes a whole file out, and fills one.
//! * [`migrate`] takes the schema up and down.
//!
//! Only this crate and its PostgreSQL sibling know SQL.

pub mod checkpoint;
pub mod copy;
pub mod database;
pub mod error;
pub mod migrate;
pub mod reader;
pub mod secrets;
pub mod snapshot;
pub mod store;

mod answers;
mod cells;
mod columns;
mod ledger;
mod lists;
mod load;
mod tenants;
mod write;
