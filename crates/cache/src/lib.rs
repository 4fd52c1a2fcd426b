//! What servers share through Redis, where there is one: pages of the catalogue, for a second, and
//! how much of its rate each key has used.
//!
//! Nothing here is needed. A Redis that is away, or does not answer within [`link::ANSWER_MAX`], is
//! given up until a task of its own has reached it again; meanwhile nobody waits for it.
//!
//! * [`link`] is the connection: lost at the first fault, made again in the background.
//! * [`pages`] keeps pages of the catalogue by tenant.
//! * [`rate`] counts requests by key.

pub mod link;
pub mod pages;
pub mod rate;

mod making;
mod rounds;
