//! Cursors: where a list goes on. Opaque to clients; every text of their form is taken.

use domain::ids::Uuid;
use engine::reader::Start;

/// The form of a cursor behind a row.
pub const AFTER: &str = "^[0-9a-f]{48}$";
/// The form of a cursor at a row number.
pub const OFFSET: &str = "^[0-9a-f]{16}$";
/// No list is longer.
const ROWS_MAX: u64 = 1_000_000_000;

/// The cursor behind a row.
#[must_use]
pub fn after(sort: i64, id: Uuid) -> String {
    format!("{:016x}{}", sort.cast_unsigned(), id.simple())
}

/// The cursor at a row number, for lists without an order of their own.
#[must_use]
pub fn offset(rows: usize) -> String {
    format!("{rows:016x}")
}

/// Where a cursor behind a row points; `None` when it is none of ours.
#[must_use]
pub fn parse_after(cursor: &str) -> Option<Start> {
    let (sort, id) = is_hex(cursor, 48).then(|| cursor.split_at(16))?;
    let sort = u64::from_str_radix(sort, 16).ok()?.cast_signed();
    Some(Start::After(sort, Uuid::try_parse(id).ok()?))
}

/// Where a cursor at a row number points; `None` when it is none of ours.
#[must_use]
pub fn parse_offset(cursor: &str) -> Option<Start> {
    let rows = is_hex(cursor, 16).then(|| u64::from_str_radix(cursor, 16).ok())??;
    Some(Start::Offset(usize::try_from(rows.min(ROWS_MAX)).ok()?))
}

fn is_hex(text: &str, length: usize) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == length && text.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went() {
        let id = Uuid::from_u128(7);
        for sort in [-5, 0, i64::MAX, i64::MIN] {
            assert_eq!(parse_after(&after(sort, id)), Some(Start::After(sort, id)));
        }
        assert_eq!(parse_offset(&offset(40)), Some(Start::Offset(40)));
        assert_eq!(
            parse_offset(&"f".repeat(16)),
            Some(Start::Offset(1_000_000_000))
        );
        for wrong in [
            "",
            "AAAA",
            "!",
            "../../etc/passwd",
            &"A".repeat(48),
            &"g".repeat(16),
        ] {
            assert_eq!(
                (parse_after(wrong), parse_offset(wrong)),
                (None, None),
                "{wrong}"
            );
        }
        assert_eq!(
            (parse_after(&offset(1)), parse_offset(&after(1, id))),
            (None, None)
        );
    }
}
