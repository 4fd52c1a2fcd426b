//! Standard Webhooks 1.0.0.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::time::Timestamp;
use engine::provider::Message;
use outbound::standard_webhooks::{sign, verify};

use super::{cases, text, vectors};

fn key(secret: &str) -> Vec<u8> {
    BASE64_STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap()
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

#[test]
fn every_delivery_is_judged_as_both_libraries_do() {
    let file = vectors("standard-webhooks");
    for (name, case) in cases(&file, "cases") {
        let pairs = case["headers"].as_object().unwrap().iter();
        // HTTP gives names in lower case.
        let headers = pairs.map(|(name, value)| (name.to_lowercase(), text(value).to_owned()));
        let message = Message {
            headers: headers.collect(),
            body: text(&case["payload"]).as_bytes().to_vec(),
            ..Message::default()
        };
        let now = seconds(case["now"].as_i64().unwrap());
        let taken = verify(&key(text(&case["secret"])), &message, now);
        let accepted = case["npm_sdk"]["accepted"].as_bool().unwrap();
        assert_eq!(taken.is_some(), accepted, "{name}");
        if let Some(id) = taken {
            assert_eq!(message.header("webhook-id"), Some(id.as_str()), "{name}");
        }
    }
}

#[test]
fn we_sign_as_the_reference_does() {
    let file = vectors("standard-webhooks");
    let reference = &file["extra_reference_vector"];
    let now = seconds(reference["timestamp"].as_i64().unwrap());
    let body = text(&reference["payload"]).as_bytes();
    let headers = sign(
        &key(text(&reference["secret"])),
        text(&reference["id"]),
        now,
        body,
    );
    let signature = headers
        .iter()
        .find(|(name, _)| *name == "webhook-signature")
        .unwrap();
    assert_eq!(signature.1, text(&reference["signature"]));
}
