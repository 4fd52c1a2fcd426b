//! Events as they are stored: one JSON object each, under a type such as `order.placed`.
//!
//! These shapes are a promise: what was ever written must stay readable. A new field is optional
//! (`Option`) or read with a default; a changed meaning is a new type.

mod events;
mod plain;
mod shapes;

pub use events::{decode, encode};
