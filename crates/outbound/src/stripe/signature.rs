//! `Stripe-Signature`: `t=<seconds>,v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 over `<t>.<raw body>` with the
//! whole secret, `whsec_` included (docs.stripe.com/webhooks#verify-manually).

use domain::time::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::texts::hex;

/// How old, or how far ahead, a signature may be, in seconds.
pub const TOLERANCE_SECONDS: u64 = 300;

/// Whether a body was signed with `secret` at about `now`. Any of several signatures will do: a
/// secret that is being rolled gives two. A signature of the future is refused as well, which the
/// SDK lets pass.
#[must_use]
pub fn verify(header: &str, body: &[u8], secret: &str, (now, tolerance): (Timestamp, u64)) -> bool {
    let parts: Vec<(&str, &str)> = header
        .split(',')
        .filter_map(|p| p.split_once('='))
        .collect();
    let of = |wanted: &'static str| {
        let found = parts.iter().filter(move |(name, _)| *name == wanted);
        found.map(|(_, value)| *value)
    };
    let Some(signed_at) = of("t").next() else {
        return false;
    };
    let Ok(seconds) = signed_at.parse::<i64>() else {
        return false;
    };
    if (now.millis() / 1_000).abs_diff(seconds) > tolerance {
        return false;
    }
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(signed_at.as_bytes());
    mac.update(b".");
    mac.update(body);
    let expected = hex(&mac.finalize().into_bytes());
    let is = |given: &str| bool::from(given.as_bytes().ct_eq(expected.as_bytes()));
    of("v1").any(is)
}
