//! The providers' wire formats against vectors that were made with their real SDKs. Where what we do
//! differs from an SDK, the test says why.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod amounts;
mod standard_webhooks;
mod stripe;
mod vnpay;
mod yookassa;

use outbound::client::Reply;
use serde_json::Value;

/// A file of vectors.
fn vectors(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The cases of a file, or of one of its lists.
fn cases<'a>(file: &'a Value, list: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let cases = file[list].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
        .iter()
        .map(|case| (case["name"].as_str().unwrap_or(""), case))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// An answer with a JSON body.
fn reply(status: u16, body: &Value) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    }
}
