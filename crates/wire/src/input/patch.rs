//! Fields that may be absent, `null` or given, and values that many bodies share.

use domain::ids::TypedId;
use domain::money::{Amount, Currency};
use domain::rejection::Fault;
use serde::{Deserialize, Deserializer};

/// For `Option<Option<T>>`: a field that is there is `Some`, `null` included.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Reads values that a schema cannot check alone, and collects their faults.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, pointer: &str, message: &str) {
        self.0.push(Fault {
            pointer: pointer.to_owned(),
            message: message.to_owned(),
        });
    }

    /// An id; the schema has seen to its form.
    pub(super) fn id<I: TypedId>(&mut self, pointer: &str, text: Option<String>) -> Option<I> {
        let text = text?;
        let parsed = text.parse().ok().map(I::from_uuid);
        if parsed.is_none() {
            self.add(pointer, "must be a UUID");
        }
        parsed
    }

    pub(super) fn currency(&mut self, pointer: &str, code: Option<String>) -> Option<Currency> {
        let parsed = Currency::parse(&code?);
        if parsed.is_none() {
            self.add(pointer, "must be an ISO 4217 currency with a minor unit");
        }
        parsed
    }

    /// What was read, unless something was at fault.
    pub(super) fn done<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.0)
        }
    }
}

/// An amount that the schema has found within bounds.
pub(super) fn amount(minor: i64) -> Amount {
    Amount::new(minor).unwrap_or_default()
}
