//! The pure core of Stockhold: what may be decided, and what that changes.
//!
//! `decide` looks at loaded [`state::State`] and returns changes or a [`rejection::Rejection`];
//! [`apply::apply`] is the only thing that changes state. There is no I/O here, no clock, no
//! randomness, no JSON and no async: time, entropy and hashing are arguments.
//!
//! Reading order: `ids`, `time`, `money`; `catalogue`, `stock`, `control`, `order`, `cart`, `payment`,
//! `tenant`; `event`, `state`, `apply`; `command`, `decide`; `invariant`.

#![deny(missing_docs)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::wildcard_enum_match_arm
)]
#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::integer_division,
        clippy::indexing_slicing,
        clippy::too_many_lines,
        reason = "tests fail loudly anyway"
    )
)]

pub mod ids;
pub mod limits;
pub mod money;
pub mod time;

mod currency;

pub mod cart;
pub mod catalogue;
pub mod control;
pub mod order;
pub mod payment;
pub mod stock;
pub mod tenant;
pub mod webhook;

mod names;

pub mod allocation;
pub mod pricing;

pub mod apply;
pub mod command;
pub mod decide;
pub mod event;
pub mod invariant;
pub mod ledger;
pub mod needs;
pub mod planted;
pub mod rejection;
pub mod state;
pub mod table;
