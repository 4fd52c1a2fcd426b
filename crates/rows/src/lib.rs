//! What the two databases have in common: which tables there are, and how a row becomes a domain
//! value and a domain value a row. No SQL of either dialect, no driver.
//!
//! * [`table`] names tables, their keys and columns, in the order in which cells come.
//! * [`cell`] is one value on its way into a database.
//! * [`columns`] reads values that come out of one, one after another.
//! * [`copy`] takes one database over into another.
//! * [`steps`] is what taking a schema up and down has in common.
//! * The other modules do both for each kind of row.

pub mod answer;
pub mod cart;
pub mod catalogue;
pub mod cell;
pub mod columns;
pub mod copy;
pub mod event;
pub mod hold;
pub mod ledger;
pub mod level;
pub mod order;
pub mod payment;
pub mod secret;
pub mod steps;
pub mod table;
pub mod tenant;
pub mod webhook;

#[cfg(test)]
mod tests;

pub use cell::{Cell, id, maybe_id};
pub use columns::Columns;
pub use table::{Kind, Table};

/// Every table of the schema, each behind those that it refers to. Of answers under idempotency keys
/// see [`answer`]; what only one of the databases needs is its own.
pub const TABLES: &[&Table] = &[
    &tenant::TENANTS,
    &tenant::TIMEOUTS,
    &tenant::LANES,
    &tenant::KEYS,
    &catalogue::LOCATIONS,
    &catalogue::PRODUCTS,
    &catalogue::VARIANTS,
    &level::LEVELS,
    &order::ORDERS,
    &order::CONTACTS,
    &order::ITEMS,
    &hold::HOLDS,
    &payment::PAYMENTS,
    &payment::REFUNDS,
    &ledger::ENTRIES,
    &ledger::TRANSACTIONS,
    &cart::CARTS,
    &cart::ITEMS,
    &event::EVENTS,
    &webhook::EVENTS,
    &secret::SECRETS,
];
