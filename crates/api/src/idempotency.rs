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
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let key = if text.len() >= 2 {
        quoted.unwrap_or(text)
    } else {
        text
    };
    let visible = key.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if key.is_empty() || key.len() > KEY_MAX || !visible {
        return Err(wrong());
    }
    Ok(Some(key.to_owned()))
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
}
