//! `webhook_events`: messages of providers as they came.

use domain::payment::Provider;
use domain::webhook::{WebhookEvent, WebhookStatus};

use crate::cell::{Cell, id, maybe_id};
use crate::columns::Columns;
use crate::table::Kind::{Bytes, Id, Int, Text};
use crate::table::{Table, fixed, moves};

/// Messages.
pub const EVENTS: Table = Table {
    name: "webhook_events",
    key: 1,
    columns: &[
        fixed("webhook_event_id", Id),
        fixed("provider", Text),
        fixed("event_id", Text),
        moves("type", Text),
        moves("payment_id", Id),
        moves("status", Text),
        moves("code", Text),
        moves("attempts", Int),
        moves("body", Bytes),
        fixed("received_at", Int),
        moves("processed_at", Int),
    ],
};

/// The columns of [`EVENTS`] for a list, which shows no bodies: `empty` stands in their place.
#[must_use]
pub fn listed(empty: &str) -> String {
    let names = EVENTS.columns.iter().map(|column| match column.kind {
        Bytes => empty,
        _ => column.name,
    });
    names.collect::<Vec<_>>().join(", ")
}

/// For how long messages are kept that are no dead letters: ninety days, far longer than any provider
/// repeats one.
pub const KEPT_MILLIS: i64 = 90 * 86_400_000;
/// How many older ones are dropped at most with each batch that takes one in.
pub const FORGOTTEN_MAX: i64 = 16;

/// Reads a message.
pub fn read<C: Columns>(c: &mut C) -> Result<WebhookEvent, C::Error> {
    Ok(WebhookEvent {
        id: c.id()?,
        provider: c.name(Provider::parse)?,
        event_id: c.text()?,
        kind: c.text()?,
        payment_id: c.maybe_id()?,
        status: c.name(WebhookStatus::parse)?,
        code: c.maybe_text()?,
        attempts: c.int()?,
        body: c.maybe_bytes()?.unwrap_or_default(),
        received_at: c.time()?,
        processed_at: c.time()?,
    })
}

/// The cells of a message.
#[must_use]
pub fn cells(event: &WebhookEvent) -> Vec<Cell<'_>> {
    vec![
        id(event.id),
        event.provider.name().into(),
        (&event.event_id).into(),
        (&event.kind).into(),
        maybe_id(event.payment_id),
        event.status.name().into(),
        event.code.as_ref().into(),
        event.attempts.into(),
        event.body.as_slice().into(),
        event.received_at.into(),
        event.processed_at.into(),
    ]
}
