//! Messages of payment providers, kept as they came.

use crate::ids::{PaymentId, WebhookEventId};
use crate::payment::Provider;
use crate::time::Timestamp;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WebhookStatus {
    /// It was applied.
    Applied,
    /// It is genuine and asks for nothing that we do.
    Ignored,
    /// It could not be applied: a dead letter, until it is replayed or comes again.
    Dead,
}

/// A verified message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// Its id, derived from the provider and its own name for the message: the claim.
    pub id: WebhookEventId,
    /// Who sent it.
    pub provider: Provider,
    /// What the provider calls the message; the same one has the same name however often it comes.
    pub event_id: String,
    /// What it is about, in the provider's words.
    pub kind: String,
    /// The payment that it is about.
    pub payment_id: Option<PaymentId>,
    /// What became of it.
    pub status: WebhookStatus,
    /// Why it could not be applied: a code of the API; `unchanged` where it said nothing new.
    pub code: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// The raw message.
    pub body: Vec<u8>,
    /// When it first came.
    pub received_at: Timestamp,
    /// When it was tried last.
    pub processed_at: Timestamp,
}
