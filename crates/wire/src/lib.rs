//! The JSON of Stockhold: what clients send and get, and what the journal keeps.
//!
//! * [`views`]: objects as clients see them, made from a working set.
//! * [`input`]: bodies and queries, checked against the very schemas that the `OpenAPI` document
//!   shows, and turned into commands.
//! * [`journal`]: events as they are stored, readable for ever.
//! * [`codec`]: the engine's port that ties these to a transaction.

pub mod codec;
pub mod cursor;
pub mod input;
pub mod journal;
pub mod problem;
pub mod schema;
pub mod time;
pub mod token;
pub mod views;

mod canonical;
