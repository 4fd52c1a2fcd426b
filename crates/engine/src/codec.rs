//! Bytes that are part of a transaction. `wire` implements this port; nothing else knows JSON.

use bytes::Bytes;
use domain::command::{Decision, Seal};
use domain::event::Event;
use domain::state::State;

/// What a decision answers, as it is sent and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// The status of a sweep's answer when another sweep would find more (RFC 9110, 202 Accepted).
pub const SWEEP_AGAIN: u16 = 202;

/// Makes and reads the bytes that the store keeps.
pub trait Codec: Seal + Send + Sync {
    /// The answer to a decision that `state` has taken in.
    fn answer(&self, state: &State, decision: &Decision) -> Encoded;

    /// An event's type and its payload.
    fn event(&self, event: &Event) -> (&'static str, Vec<u8>);

    /// The event of a type and payload, of this version or an older one.
    fn read_event(&self, kind: &str, payload: &[u8]) -> Result<Event, String>;
}
