//! Standard Webhooks 1.0.0 signatures (`v1`): HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::time::Timestamp;
use engine::provider::Message;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Seconds by which a message's time may differ from ours, in both directions.
const TOLERANCE_SECONDS: i64 = 300;

/// The key of a secret as it is handed out: `whsec_` and the base64 of 24 to 64 bytes.
#[must_use]
pub fn key(secret: &str) -> Option<Vec<u8>> {
    let key = BASE64_STANDARD
        .decode(secret.strip_prefix("whsec_")?)
        .ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

/// The headers of a signed message, sent at `now`.
#[must_use]
pub fn sign(key: &[u8], id: &str, now: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
    let seconds = (now.millis() / 1_000).to_string();
    let signature = format!(
        "v1,{}",
        BASE64_STANDARD.encode(tag(key, id, &seconds, body))
    );
    vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds),
        ("webhook-signature", signature),
    ]
}

/// The id of a message that was signed with `key`, at about `now`.
#[must_use]
pub fn verify(key: &[u8], message: &Message, now: Timestamp) -> Option<String> {
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let [Some(id), Some(seconds), Some(signatures)] = headers.map(|name| message.header(name))
    else {
        return None;
    };
    let sent: i64 = seconds.parse().ok()?;
    let now = now.millis() / 1_000;
    if now.abs_diff(sent) > TOLERANCE_SECONDS.unsigned_abs() {
        return None;
    }
    let expected = tag(key, id, seconds, &message.body);
    let signed = signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .any(|given| {
            let given = BASE64_STANDARD.decode(given).unwrap_or_default();
            given.ct_eq(&expected).into()
        });
    signed.then(|| id.to_owned())
}

fn tag(key: &[u8], id: &str, seconds: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(key: &[u8], now: Timestamp) -> Message {
        let body = br#"{"type":"payment.succeeded"}"#.to_vec();
        let headers = sign(key, "msg_1", now, &body)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Message {
            headers,
            body,
            ..Message::default()
        }
    }

    #[test]
    fn a_signed_message_verifies_within_its_time_and_as_it_was() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let good = message(b"secret", now);
        assert_eq!(verify(b"secret", &good, now).as_deref(), Some("msg_1"));
        assert!(verify(b"secret", &good, now.plus_millis(300_000)).is_some());
        assert_eq!(verify(b"secret", &good, now.plus_millis(301_000)), None);
        assert_eq!(verify(b"secret", &good, now.plus_millis(-301_000)), None);
        assert_eq!(verify(b"other", &good, now), None);
        for at in 0..good.body.len() {
            let mut bad = good.clone();
            bad.body[at] ^= 1;
            assert_eq!(verify(b"secret", &bad, now), None);
        }
        let mut twice = good.clone();
        twice
            .headers
            .push(("webhook-id".to_owned(), "msg_2".to_owned()));
        assert_eq!(verify(b"secret", &twice, now), None);
        assert_eq!(verify(b"secret", &Message::default(), now), None);
    }
}
