//! Money in the providers' own units.

use domain::money::{Amount, Currency};
use outbound::amounts::{from_stripe, from_vnpay, from_yookassa, to_stripe, to_vnpay, to_yookassa};

use super::{cases, text, vectors};

fn currency(code: &str) -> Currency {
    Currency::parse(&code.to_ascii_uppercase()).unwrap()
}

fn minor(value: i64) -> Amount {
    Amount::new(value).unwrap()
}

/// An amount of whole units and places, in minor units.
fn of_major(major: &str, currency: Currency) -> Amount {
    let places = usize::from(currency.exponent());
    let (whole, part) = major.split_once('.').unwrap_or((major, ""));
    minor(format!("{whole}{part:0<places$}").parse().unwrap())
}

#[test]
fn our_exponents_are_isos() {
    let file = vectors("currency-exponents");
    let mut seen = 0;
    for (code, exponent) in file["exponent_not_2"].as_object().unwrap() {
        if let Some(known) = Currency::parse(code) {
            assert_eq!(
                u64::from(known.exponent()),
                exponent.as_u64().unwrap(),
                "{code}"
            );
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
    for code in file["no_minor_unit"].as_array().unwrap() {
        assert_eq!(Currency::parse(text(code)), None, "{code}");
    }
    for code in ["HUF", "MGA", "MRU", "COP", "IDR", "EUR"] {
        assert_eq!(
            currency(code).exponent(),
            2,
            "{code}: where other sources differ from ISO"
        );
    }
}

#[test]
fn stripe_has_units_of_its_own() {
    let file = vectors("currency-exponents");
    for (_, case) in cases(&file["stripe"], "cases") {
        let currency = currency(text(&case["currency"]));
        let amount = of_major(text(&case["major"]), currency);
        let sent = to_stripe(amount, currency);
        assert_eq!(sent, case["stripe_amount"].as_i64(), "{case}");
        if let Some(sent) = sent {
            assert_eq!(from_stripe(sent, currency), Some(amount), "{case}");
        }
    }
    assert_eq!(
        to_stripe(minor(1_000_000_000_000), currency("USD")),
        None,
        "12 digits at most"
    );
    assert_eq!(
        to_stripe(minor(150), currency("MGA")),
        None,
        "no part of an ariary"
    );
}

#[test]
fn vnpay_takes_hundredths_of_what_has_none() {
    let file = vectors("currency-exponents");
    let vnd = currency("VND");
    for (_, case) in cases(&file["vnpay"], "cases") {
        let amount = minor(case["vnd"].as_i64().unwrap());
        let sent = to_vnpay(amount, vnd).unwrap();
        assert_eq!(sent, text(&case["vnp_Amount"]));
        assert_eq!(from_vnpay(&sent), Some(amount));
    }
    assert_eq!(to_vnpay(minor(10_000_000_000), vnd), None);
    assert_eq!(to_vnpay(minor(0), vnd), None);
    assert_eq!(to_vnpay(minor(100), currency("USD")), None);
    for wrong in ["", "12a", "-100", "150", "1e4"] {
        assert_eq!(from_vnpay(wrong), None, "{wrong}");
    }
}

#[test]
fn yookassa_takes_decimal_texts() {
    let file = vectors("currency-exponents");
    for (_, case) in cases(&file["yookassa"], "cases") {
        let currency = currency(text(&case["currency"]));
        let amount = minor(case["minor"].as_i64().unwrap());
        let sent = to_yookassa(amount, currency).unwrap();
        assert_eq!(sent, text(&case["value"]));
        assert_eq!(from_yookassa(&sent, currency), Some(amount));
    }
    let rub = currency("RUB");
    assert_eq!(from_yookassa("25.5", rub), Some(minor(2_550)));
    for wrong in ["", ".50", "1.005", "1,00", "-1.00", "1.0a"] {
        assert_eq!(from_yookassa(wrong, rub), None, "{wrong}");
    }
    assert_eq!(to_yookassa(minor(100), currency("VND")), None);
}
