//! Prices in files: decimals of a currency, such as `19.90`.

use domain::limits::AMOUNT_MAX;
use domain::money::Currency;

/// The minor units of a decimal, or what is wrong with it. A comma may stand for the point.
pub(crate) fn minor_units(text: &str, currency: Currency) -> Result<i64, String> {
    let wrong = || format!("{text:?} is not a price such as 19.90");
    let decimal = text.replace(',', ".");
    let (whole, fraction) = decimal.split_once('.').unwrap_or((&decimal, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let exponent = usize::from(currency.exponent());
    if fraction.len() == 3 && exponent != 3 {
        return Err(format!("{text:?} may mean thousands; write it as 1000.00"));
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > exponent {
        return Err(format!("{text:?} is finer than {currency} can be"));
    }
    let units = format!("{whole}{fraction:0<exponent$}");
    let minor: i64 = units.parse().map_err(|_| wrong())?;
    if minor > AMOUNT_MAX {
        return Err(format!("{text:?} is more than money may be here"));
    }
    Ok(minor)
}

/// A decimal of minor units, as [`minor_units`] reads it.
pub(crate) fn decimal(minor: i64, currency: Currency) -> String {
    let exponent = usize::from(currency.exponent());
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = exponent + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent);
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_minor_units_and_back() {
        let of = |code| Currency::parse(code).unwrap();
        for (text, code, minor, back) in [
            ("19.90", "EUR", 1990, "19.90"),
            ("19,9", "EUR", 1990, "19.90"),
            ("0.05", "EUR", 5, "0.05"),
            ("7", "EUR", 700, "7.00"),
            ("19.90", "KWD", 19_900, "19.900"),
            ("120000.00", "VND", 120_000, "120000"),
        ] {
            assert_eq!(minor_units(text, of(code)), Ok(minor), "{text} {code}");
            assert_eq!(decimal(minor, of(code)), back);
        }
        for text in [
            "1,000",
            "1.000",
            "2.500",
            "",
            "-1",
            "1.999",
            "1.2.3",
            "1e3",
            "€5",
            "99999999999999999",
            " 5",
        ] {
            assert!(minor_units(text, of("EUR")).is_err(), "{text}");
        }
        assert!(minor_units("0.5", of("VND")).is_err());
        assert_eq!(decimal(-5, of("EUR")), "-0.05");
    }
}
