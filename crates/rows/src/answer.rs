//! Answers under idempotency keys. Where they stand is each store's own.

use engine::request::StoredAnswer;

use crate::columns::Columns;

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
