//! Times on the wire: RFC 3339, UTC, milliseconds.

use domain::time::Timestamp;

/// `2026-11-21T08:15:30.123Z`.
#[must_use]
pub fn format(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map(|at| format!("{at:.3}"))
        .unwrap_or_default()
}

/// A time in RFC 3339, with any offset; or a plain date, which is its first moment in UTC.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        // A civil time without an offset would parse as a date, too.
        let date = (text.len() == "2025-11-21".len()).then_some(text)?;
        let date = date.parse::<jiff::civil::Date>().ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })?;
    let millis = at.as_millisecond();
    (0..=Timestamp::MAX.millis())
        .contains(&millis)
        .then(|| Timestamp::from_millis(millis))
}

/// The same, but a plain date is its last millisecond: for the end of a span.
#[must_use]
pub fn parse_end(text: &str) -> Option<Timestamp> {
    let whole_day = text.len() == "2025-11-21".len();
    parse(text).map(|at| {
        if whole_day {
            at.plus_millis(86_399_999)
        } else {
            at
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_milliseconds() {
        let at = Timestamp::from_millis(1_763_712_930_120);
        assert_eq!(format(at), "2025-11-21T08:15:30.120Z");
        assert_eq!(parse("2025-11-21T08:15:30.120Z"), Some(at));
        assert_eq!(parse("2025-11-21T15:15:30.120+07:00"), Some(at));
        assert_eq!(
            parse("2025-11-21").map(format).as_deref(),
            Some("2025-11-21T00:00:00.000Z")
        );
        for wrong in ["", "yesterday", "2025-13-01", "2025-11-21T08:15:30", "-1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
