//! A simulator: seeded histories of every command over any store, against a model that is kept
//! apart from `decide` and knows what may be answered.
//!
//! * [`workload`] draws commands; [`world`] runs them in batches, with time that only it moves.
//! * [`model`] predicts each answer and each figure, as simply as possible.
//! * After every batch the whole state is compared with the model and with every invariant; at
//!   the end the journal is folded again (`audit`). The same seed gives the same trace.
//! * [`conformance`] is what every store must pass.

pub mod conformance;
pub mod dice;
pub mod model;
pub mod workload;
pub mod world;
