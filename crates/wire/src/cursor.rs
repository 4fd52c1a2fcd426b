//! Cursors: where a list goes on. Opaque to clients.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::ids::Uuid;
use engine::reader::Start;

/// The cursor behind a row.
#[must_use]
pub fn after(sort: i64, id: Uuid) -> String {
    let mut bytes = sort.to_be_bytes().to_vec();
    bytes.extend(id.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor at a row number, for lists without an order of their own.
#[must_use]
pub fn offset(rows: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(u64::try_from(rows).unwrap_or(u64::MAX).to_be_bytes())
}

/// Where a cursor points; `None` when it is none of ours.
#[must_use]
pub fn parse(cursor: &str) -> Option<Start> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    if let Ok(rows) = <[u8; 8]>::try_from(bytes.as_slice()) {
        let rows = usize::try_from(u64::from_be_bytes(rows)).ok()?;
        return (rows <= 1_000_000_000).then_some(Start::Offset(rows));
    }
    let (sort, id) = bytes.split_first_chunk::<8>()?;
    Some(Start::After(
        i64::from_be_bytes(*sort),
        Uuid::from_slice(id).ok()?,
    ))
}

/// The first page.
#[must_use]
pub fn first() -> Start {
    Start::Offset(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went() {
        let id = Uuid::from_u128(7);
        assert_eq!(parse(&after(-5, id)), Some(Start::After(-5, id)));
        assert_eq!(parse(&offset(40)), Some(Start::Offset(40)));
        for wrong in ["", "AAAA", "!", "../../etc/passwd", &"A".repeat(1000)] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
