//! Events as clients see them.

use engine::reader::RawEvent;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::At;
use crate::schema;

/// An event.
#[derive(Serialize)]
pub struct EventView<'a> {
    seq: i64,
    r#type: &'a str,
    at: At,
    data: Option<&'a RawValue>,
}

impl<'a> EventView<'a> {
    /// An event as it is stored.
    #[must_use]
    pub fn new(event: &'a RawEvent) -> Self {
        Self {
            seq: event.seq,
            r#type: &event.kind,
            at: At(event.at),
            data: serde_json::from_slice(&event.payload).ok(),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        schema::answer(&[
            ("seq", schema::any_integer()),
            ("type", schema::long_text()),
            ("at", schema::time()),
            ("data", json!({"type": "object"})),
        ])
    }
}
