//! Messages of payment providers.

use domain::payment::Provider;
use domain::webhook::{WebhookEvent, WebhookStatus};
use serde::Serialize;
use serde_json::Value;

use super::{At, Id};
use crate::schema;

/// A message.
#[derive(Serialize)]
pub struct WebhookEventView<'a> {
    id: Id,
    provider: &'static str,
    event_id: &'a str,
    r#type: &'a str,
    payment_id: Option<Id>,
    status: &'static str,
    code: Option<&'a str>,
    attempts: i64,
    body: Option<String>,
    received_at: At,
    processed_at: At,
}

impl<'a> WebhookEventView<'a> {
    /// A message with its body as it came; what is not UTF-8 in it is replaced.
    #[must_use]
    pub fn whole(event: &'a WebhookEvent) -> Self {
        Self {
            body: Some(String::from_utf8_lossy(&event.body).into_owned()),
            ..Self::new(event)
        }
    }

    /// A message without its body.
    #[must_use]
    pub fn new(event: &'a WebhookEvent) -> Self {
        Self {
            id: Id::of(event.id),
            provider: event.provider.name(),
            event_id: &event.event_id,
            r#type: &event.kind,
            payment_id: event.payment_id.map(Id::of),
            status: event.status.name(),
            code: event.code.as_deref(),
            attempts: event.attempts,
            body: None,
            received_at: At(event.received_at),
            processed_at: At(event.processed_at),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let names = |all: &[WebhookStatus]| all.iter().map(|s| s.name()).collect::<Vec<_>>();
        let providers: Vec<_> = Provider::ALL
            .iter()
            .map(|provider| provider.name())
            .collect();
        schema::answer(&[
            ("id", schema::uuid()),
            ("provider", schema::one_of(&providers)),
            ("event_id", schema::long_text()),
            ("type", schema::long_text()),
            ("payment_id", schema::nullable(schema::uuid())),
            ("status", schema::one_of(&names(WebhookStatus::ALL))),
            ("code", schema::nullable(schema::long_text())),
            ("attempts", schema::any_integer()),
            ("body", schema::nullable(schema::long_text())),
            ("received_at", schema::time()),
            ("processed_at", schema::time()),
        ])
    }
}
