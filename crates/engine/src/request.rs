//! What a lane is handed, and what it hands back.

use bytes::Bytes;
use domain::command::{Command, Reply};
use domain::ids::{TenantId, TypedId as _, Uuid};
use domain::rejection::Rejection;
use domain::time::Timestamp;

/// The platform's own lane, where tenants and keys are made.
#[must_use]
pub fn platform() -> TenantId {
    TenantId::from_uuid(Uuid::nil())
}

/// A client's idempotency key, scoped and hashed: 128 bits of SHA-256 over credential and key.
pub type KeyDigest = [u8; 16];

/// A claim of an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key.
    pub key: KeyDigest,
    /// SHA-256 over the request's method, path and body: the same key must mean the same.
    pub fingerprint: [u8; 32],
}

/// A command on its way into a lane.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is wished.
    pub command: Command,
    /// The key under which the answer is kept.
    pub claim: Option<Claim>,
    /// Randomness for the ids that the command makes.
    pub entropy: u64,
}

/// An answer as it is kept under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// What the key meant.
    pub fingerprint: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
    /// The lane's `seq` of the original.
    pub seq: i64,
    /// When it was given.
    pub at: Timestamp,
}

/// What a caller gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
    /// The `seq` of the last event that the command made, or of the last one before it.
    pub seq: i64,
    /// Whether an earlier request's answer is given again.
    pub replayed: bool,
    /// What a provider is still to be asked for before this is an answer; the same request again,
    /// or this reply, shows it then.
    pub open: Option<Reply>,
}

/// Why a caller gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The command was refused; nothing changed.
    #[error("refused: {rejection}")]
    Refused {
        /// Why.
        rejection: Rejection,
        /// The lane's `seq` when it was refused.
        seq: i64,
    },
    /// The queue is full, or the command waited too long in it; nothing was done.
    #[error("overloaded")]
    Overloaded,
    /// The database is away, or the server is going down; nothing was done.
    #[error("store unavailable")]
    Unavailable,
    /// An operator has put the tenant into read-only mode; nothing was done.
    #[error("read-only")]
    ReadOnly,
    /// Conflicts with other writers used up the retries; nothing was done.
    #[error("retries used up")]
    Contended,
    /// A fault of ours; nothing was done.
    #[error("internal fault")]
    Internal,
}
