//! The `Idempotency-Key` header and what a key means.

use axum::http::{HeaderMap, Method};
use domain::ids::TypedId as _;
use engine::request::{Claim, KeyDigest};
use sha2::{Digest as _, Sha256};
use wire::problem::Problem;

use crate::auth::Caller;

const KEY_MAX: usize = 255;

/// The key that a request carries, quoted or bare: both name the same key.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::malformed("Idempotency-Key stands more than once"));
    }
    let wrong = || Problem::malformed("Idempotency-Key must be 1 to 255 visible ASCII characters");
    let text = value.to_str().map_err(|_| wrong())?.trim();
    let key = match text.strip_prefix('"') {
        Some(rest) if text.len() > 1 => unquoted(rest).ok_or_else(wrong)?,
        _ => text.to_owned(),
    };
    let visible = key.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if key.is_empty() || key.len() > KEY_MAX || !visible {
        return Err(wrong());
    }
    Ok(Some(key))
}

/// A structured field's string behind its first quotation mark (RFC 9651, 4.2.5); parameters may
/// follow it and mean nothing (draft-ietf-httpapi-idempotency-key-header-07).
fn unquoted(rest: &str) -> Option<String> {
    let mut key = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => key.push(chars.next().filter(|c| ['"', '\\'].contains(c))?),
            other => key.push(other),
        }
    }
    let behind = chars.as_str().trim_start();
    (behind.is_empty() || behind.starts_with(';')).then_some(key)
}

/// The claim of a key by a caller for this very request.
pub(crate) fn claim(
    key: &str,
    caller: &Caller,
    (method, path): (&Method, &str),
    body: &[u8],
) -> Claim {
    let mut scope = Sha256::new();
    scope.update(caller.tenant.uuid().as_bytes());
    scope.update(caller.key.map_or([0; 16], |key| *key.uuid().as_bytes()));
    scope.update(key.as_bytes());
    let mut digest: KeyDigest = [0; 16];
    for (to, from) in digest.iter_mut().zip(scope.finalize()) {
        *to = from;
    }
    let mut fingerprint = Sha256::new();
    fingerprint.update(method.as_str());
    fingerprint.update([0]);
    fingerprint.update(path.strip_prefix("/api/v1").unwrap_or(path));
    fingerprint.update([0]);
    fingerprint.update(Sha256::digest(body));
    Claim {
        key: digest,
        fingerprint: fingerprint.finalize().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Result<Option<String>, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("idempotency-key", value.parse().unwrap());
        }
        key(&headers).map_err(|problem| problem.status)
    }

    #[test]
    fn quoted_and_bare_name_the_same_key() {
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["KEY123"]), Ok(Some("KEY123".to_owned())));
        assert_eq!(of(&["\"KEY123\""]), Ok(Some("KEY123".to_owned())));
        assert_eq!(of(&[&"k".repeat(255)]), Ok(Some("k".repeat(255))));
        for wrong in ["", "\"\"", "a b", &"k".repeat(256)] {
            assert_eq!(of(&[wrong]), Err(400), "{wrong}");
        }
        assert_eq!(of(&["a", "b"]), Err(400));
    }

    /// What the draft takes is taken as it means it, unless it is empty or not visible, which are our
    /// own rules. Beyond the draft, a bare value is its own key, as most clients send it.
    #[test]
    fn every_field_value_of_the_draft() {
        let file = include_str!("../vectors/idempotency-key-header.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let (name, field) = (
                case["name"].as_str().unwrap(),
                case["field_value"].as_str().unwrap(),
            );
            let Ok(value) = axum::http::HeaderValue::from_bytes(field.as_bytes()) else {
                assert_eq!(case["valid_per_draft"], false, "{name}: HTTP refuses it");
                continue;
            };
            let mut headers = HeaderMap::new();
            headers.append("idempotency-key", value);
            let taken = key(&headers).ok().flatten();
            let visible = |key: &str| {
                !key.is_empty()
                    && key.len() <= KEY_MAX
                    && key.bytes().all(|b| (0x21..=0x7e).contains(&b))
            };
            let expected = if case["valid_per_draft"] == true {
                case["structured_headers_2_1_0"]["value"]
                    .as_str()
                    .filter(|key| visible(key))
            } else {
                Some(field.trim()).filter(|key| visible(key) && !key.starts_with('"'))
            };
            assert_eq!(taken.as_deref(), expected, "{name}");
        }
    }
}
