//! One value on its way into a database.

use std::borrow::Cow;

use domain::ids::{TypedId, Uuid};
use domain::money::{Amount, Currency};
use domain::time::Timestamp;

/// A value of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// An id.
    Id(Uuid),
    /// Text.
    Text(Cow<'a, str>),
    /// A count, minor units of money, or milliseconds since the epoch.
    Int(i64),
    /// True or false.
    Flag(bool),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
}

impl Cell<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Self::Null => Cell::Null,
            Self::Id(id) => Cell::Id(id),
            Self::Int(number) => Cell::Int(number),
            Self::Flag(flag) => Cell::Flag(flag),
            Self::Text(text) => Cell::Text(text.into_owned().into()),
            Self::Bytes(bytes) => Cell::Bytes(bytes.into_owned().into()),
        }
    }
}

/// The cell of an id.
pub fn id<'a>(id: impl TypedId) -> Cell<'a> {
    Cell::Id(id.uuid())
}

/// The cell of an id that may be missing.
pub fn maybe_id<'a>(id: Option<impl TypedId>) -> Cell<'a> {
    id.map_or(Cell::Null, |id| Cell::Id(id.uuid()))
}

/// The cell of a list of pairs: JSON.
pub(crate) fn pairs<'a>(pairs: &[(String, String)]) -> Cell<'a> {
    if pairs.is_empty() {
        "[]".into()
    } else {
        serde_json::json!(pairs).to_string().into()
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<i64> for Cell<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value.into())
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value.as_str().into())
    }
}

impl From<String> for Cell<'_> {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<'a> From<&'a [u8]> for Cell<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value.into())
    }
}

impl From<Timestamp> for Cell<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.millis())
    }
}

impl From<Amount> for Cell<'_> {
    fn from(value: Amount) -> Self {
        Self::Int(value.minor())
    }
}

impl From<Currency> for Cell<'_> {
    fn from(value: Currency) -> Self {
        Self::Text(value.code().to_owned().into())
    }
}
