//! Answers under idempotency keys. SQLite keeps them in two tables, see its `answers`.

use domain::ids::Uuid;
use engine::request::{KeyDigest, StoredAnswer};

use crate::cell::Cell;
use crate::columns::Columns;
use crate::table::Kind::{Bytes, Id, Int};
use crate::table::{Table, fixed};

/// Answers under their keys' digests.
pub const ANSWERS: Table = Table {
    name: "idempotency_keys",
    key: 1,
    columns: &[
        fixed("key", Id),
        fixed("fingerprint", Bytes),
        fixed("status", Int),
        fixed("body", Bytes),
        fixed("seq", Int),
        fixed("created_at", Int),
    ],
};

/// The columns that [`read`] wants, in their order.
pub const COLUMNS: &str = "fingerprint, status, body, seq, created_at";

/// Reads an answer.
pub fn read<C: Columns>(c: &mut C) -> Result<StoredAnswer, C::Error> {
    Ok(StoredAnswer {
        fingerprint: c.bytes()?,
        status: u16::try_from(c.int()?).map_err(|_| c.unreadable("an HTTP status"))?,
        body: c.maybe_bytes()?.unwrap_or_default().into(),
        seq: c.int()?,
        at: c.time()?,
    })
}

/// The cells of an answer.
#[must_use]
pub fn cells<'a>(key: &KeyDigest, answer: &'a StoredAnswer) -> Vec<Cell<'a>> {
    vec![
        Cell::Id(Uuid::from_bytes(*key)),
        answer.fingerprint.as_slice().into(),
        i64::from(answer.status).into(),
        answer.body[..].into(),
        answer.seq.into(),
        answer.at.into(),
    ]
}
