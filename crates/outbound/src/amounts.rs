//! Money in each provider's own units (payment-protocols, section 8). What a provider cannot take has
//! none.

use domain::money::{Amount, Currency};
use domain::payment::Provider;

/// Currencies whose minor unit is the whole unit for Stripe's charges
/// (<https://docs.stripe.com/currencies>).
const STRIPE_WHOLE: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
/// Whole-unit currencies that Stripe wants in hundredths.
const STRIPE_HUNDREDTHS: [&str; 2] = ["ISK", "UGX"];
/// Digits of Stripe's largest amount.
const STRIPE_MAX: i64 = 999_999_999_999;
/// VNPAY takes at most twelve digits of hundredths.
const VNPAY_MAX: i64 = 9_999_999_999;

/// An amount as Stripe wants it.
#[must_use]
pub fn to_stripe(amount: Amount, currency: Currency) -> Option<i64> {
    let (minor, code) = (amount.minor(), currency.code());
    let sent = if STRIPE_HUNDREDTHS.contains(&code) {
        minor.checked_mul(100)?
    } else if STRIPE_WHOLE.contains(&code) {
        let unit = 10_i64.pow(u32::from(currency.exponent()));
        (minor % unit == 0).then_some(minor / unit)?
    } else if currency.exponent() == 3 {
        // Stripe rounds to ten of the smallest unit: what it would round is not asked for.
        (minor % 10 == 0).then_some(minor)?
    } else {
        minor
    };
    (0..=STRIPE_MAX).contains(&sent).then_some(sent)
}

/// An amount as Stripe says it.
#[must_use]
pub fn from_stripe(sent: i64, currency: Currency) -> Option<Amount> {
    let code = currency.code();
    let minor = if STRIPE_HUNDREDTHS.contains(&code) {
        (sent % 100 == 0).then_some(sent / 100)?
    } else if STRIPE_WHOLE.contains(&code) {
        sent.checked_mul(10_i64.pow(u32::from(currency.exponent())))?
    } else {
        sent
    };
    Amount::new(minor)
}

/// An amount of VND as VNPAY wants it: hundredths, although VND has none.
#[must_use]
pub fn to_vnpay(amount: Amount, currency: Currency) -> Option<String> {
    let takes = Provider::Vnpay.takes(currency) && (1..=VNPAY_MAX).contains(&amount.minor());
    takes.then(|| format!("{}00", amount.minor()))
}

/// An amount of VND as VNPAY says it.
#[must_use]
pub fn from_vnpay(sent: &str) -> Option<Amount> {
    let digits = !sent.is_empty() && sent.bytes().all(|byte| byte.is_ascii_digit());
    let hundredths: i64 = digits.then(|| sent.parse().ok())??;
    (hundredths % 100 == 0).then(|| Amount::new(hundredths / 100))?
}

/// An amount as YooKassa wants it: a decimal text with as many places as the currency has.
#[must_use]
pub fn to_yookassa(amount: Amount, currency: Currency) -> Option<String> {
    if !Provider::Yookassa.takes(currency) {
        return None;
    }
    let places = usize::from(currency.exponent());
    let unit = 10_i64.pow(u32::from(currency.exponent()));
    let (whole, part) = (amount.minor() / unit, amount.minor() % unit);
    Some(if places == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{part:0places$}")
    })
}

/// An amount as YooKassa says it. Places that it leaves out are nothing; more than the currency has
/// are none of ours.
#[must_use]
pub fn from_yookassa(sent: &str, currency: Currency) -> Option<Amount> {
    let places = usize::from(currency.exponent());
    let (whole, part) = sent.split_once('.').unwrap_or((sent, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > places {
        return None;
    }
    let minor: i64 = format!("{whole}{part:0<places$}").parse().ok()?;
    Amount::new(minor)
}
