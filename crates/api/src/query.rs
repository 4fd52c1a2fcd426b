//! Query strings: known names only, each once, each of its kind.

use std::collections::BTreeMap;

use domain::ids::{TypedId, Uuid};
use domain::rejection::Fault;
use domain::time::Timestamp;
use engine::reader::{Page, Start};
use serde_json::{Value, json};
use wire::problem::Problem;
use wire::{cursor, schema};

/// What a parameter's value must be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text of up to so many characters.
    Text(usize),
    /// A UUID.
    Id,
    /// An integer between two bounds.
    Integer(i64, i64),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A time in RFC 3339, or a date.
    Time,
    /// A cursor behind a row; one that is none of ours is 400.
    Cursor,
    /// A cursor at a row number; the same.
    RowCursor,
}

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it does.
    pub about: &'static str,
}

/// `limit` of every list.
pub(crate) const LIMIT: Param = Param {
    name: "limit",
    kind: Kind::Integer(1, 100),
    about: "rows a page, 20 by default",
};
/// `cursor` of every list.
pub(crate) const CURSOR: Param = Param {
    name: "cursor",
    kind: Kind::Cursor,
    about: "the `next_cursor` of the page before",
};
/// `cursor` of lists without an order of their own.
pub(crate) const ROW_CURSOR: Param = Param {
    kind: Kind::RowCursor,
    ..CURSOR
};
/// `client_token` of an order's maker.
pub(crate) const CLIENT_TOKEN: Param = Param {
    name: "client_token",
    kind: Kind::Text(100),
    about: "the `client_token` answered when the order was made",
};

impl Param {
    /// Its schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        match self.kind {
            Kind::Text(most) => schema::text(most),
            Kind::Id => schema::uuid(),
            Kind::Integer(least, most) => schema::integer(least, most),
            Kind::OneOf(names) => schema::one_of(names),
            Kind::Time => json!({"type": "string", "anyOf": [
                {"format": "date-time"}, {"format": "date"},
            ]}),
            Kind::Cursor => json!({"type": "string", "pattern": cursor::AFTER}),
            Kind::RowCursor => json!({"type": "string", "pattern": cursor::OFFSET}),
        }
    }

    fn fault(&self, value: &str) -> Option<String> {
        match self.kind {
            Kind::Text(most) => (value.chars().count() > most || value.contains('\0'))
                .then(|| format!("must have at most {most} characters, and no U+0000")),
            Kind::Id => parse_uuid(value)
                .is_none()
                .then(|| "must be a UUID".to_owned()),
            Kind::Integer(least, most) => {
                let fits = value
                    .parse::<i64>()
                    .is_ok_and(|n| (least..=most).contains(&n));
                (!fits || value.starts_with('+'))
                    .then(|| format!("must be an integer between {least} and {most}"))
            }
            Kind::OneOf(names) => {
                (!names.contains(&value)).then(|| format!("must be one of {}", names.join(", ")))
            }
            Kind::Time => wire::time::parse(value)
                .is_none()
                .then(|| "must be a time in RFC 3339 or a date".to_owned()),
            Kind::Cursor | Kind::RowCursor => None,
        }
    }
}

fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| text.parse().ok()).flatten()
}

/// A query that was read.
#[derive(Debug, Default)]
pub struct Query {
    values: BTreeMap<String, String>,
    start: Option<Start>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

impl Query {
    /// Reads a query string. A cursor that is none of ours is malformed; other faults are kept.
    pub(crate) fn read(text: &str, params: &[Param]) -> Result<Self, Problem> {
        let mut query = Self::default();
        for (name, value) in pairs(text) {
            let pointer = format!("/query/{name}");
            let mut fault = |message: &str| {
                query.faults.push(Fault {
                    pointer: pointer.clone(),
                    message: message.to_owned(),
                });
            };
            let Some(param) = params.iter().find(|param| param.name == name) else {
                fault("is not a known query parameter");
                continue;
            };
            if query.values.contains_key(&name) {
                fault("stands more than once");
                continue;
            }
            let start = match param.kind {
                Kind::Cursor => Some(cursor::parse_after(&value)),
                Kind::RowCursor => Some(cursor::parse_offset(&value)),
                _ => None,
            };
            if let Some(start) = start {
                let wrong = || Problem::malformed("the cursor is none of this list's");
                query.start = Some(start.ok_or_else(wrong)?);
            }
            if let Some(message) = param.fault(&value) {
                fault(&message);
            }
            query.values.insert(name, value);
        }
        Ok(query)
    }

    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// An integer.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.values.get(name)?.parse().ok()
    }

    /// An id.
    #[must_use]
    pub fn id<I: TypedId>(&self, name: &str) -> Option<I> {
        self.values
            .get(name)
            .and_then(|text| parse_uuid(text))
            .map(I::from_uuid)
    }

    /// A time.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.values
            .get(name)
            .and_then(|text| wire::time::parse(text))
    }

    /// A time at which a span ends.
    #[must_use]
    pub fn end_time(&self, name: &str) -> Option<Timestamp> {
        self.values
            .get(name)
            .and_then(|text| wire::time::parse_end(text))
    }

    /// The page that `limit` and `cursor` ask for.
    #[must_use]
    pub fn page(&self) -> Page {
        let limit = self
            .integer("limit")
            .and_then(|limit| usize::try_from(limit).ok());
        Page {
            limit: limit.unwrap_or(20),
            from: self.start.clone().unwrap_or(Start::Offset(0)),
            count: false,
        }
    }
}

/// Names and values of a query string, decoded as `application/x-www-form-urlencoded`.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), decode(value))
    };
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(pair)
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'+' => b' ',
            b'%' => {
                let ahead: Vec<u8> = rest.clone().take(2).collect();
                match std::str::from_utf8(&ahead)
                    .ok()
                    .and_then(|h| u8::from_str_radix(h, 16).ok())
                {
                    Some(value) if ahead.len() == 2 => {
                        rest.next();
                        rest.next();
                        value
                    }
                    _ => b'%',
                }
            }
            other => other,
        };
        bytes.push(decoded);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
