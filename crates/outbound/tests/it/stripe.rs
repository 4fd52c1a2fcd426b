//! Stripe.

use domain::decide::RefundOutcome;
use domain::money::{Amount, Currency};
use domain::time::Timestamp;
use engine::provider::{Fault, Named, Says, Standing};
use outbound::client::Reply;
use outbound::exchange::Request;
use outbound::stripe::events::said;
use outbound::stripe::signature::verify;
use outbound::stripe::{
    Account, begin, begun, cancel, capture, is_repeated, refund, refunded, retrieve, standing,
};
use serde_json::{Value, json};

use super::{cases, reply, text, vectors};

fn account() -> Account {
    Account {
        secret_key: "sk_test_vector".to_owned(),
        webhook_secret: "whsec_test".to_owned(),
        api_url: "https://api.stripe.com".to_owned(),
    }
}

fn usd(minor: i64) -> (Amount, Currency) {
    (Amount::new(minor).unwrap(), Currency::parse("USD").unwrap())
}

#[test]
fn every_signature_is_judged() {
    let file = vectors("stripe-webhook");
    for (name, case) in cases(&file, "cases") {
        let tolerance = match case["tolerance"].as_u64().unwrap() {
            // For the SDK it means any age.
            0 => u64::MAX,
            seconds => seconds,
        };
        let now = Timestamp::from_millis(case["now"].as_i64().unwrap() * 1_000);
        let (header, body) = (
            text(&case["stripe_signature_header"]),
            text(&case["payload"]),
        );
        let taken = verify(
            header,
            body.as_bytes(),
            text(&case["secret"]),
            (now, tolerance),
        );
        // The SDK takes a signature of the future; we do not.
        assert_eq!(taken, case["expect_accept"].as_bool().unwrap(), "{name}");
    }
}

/// The SDK's own words that are no part of a request's meaning.
fn assert_is(request: &Request, wire: &Value, name: &str) {
    assert_eq!(request.method, text(&wire["method"]), "{name}");
    let url = format!("https://api.stripe.com{}", text(&wire["path"]));
    assert_eq!(request.url, url, "{name}");
    for (header, value) in wire["headers"].as_object().unwrap() {
        if header != "user-agent" {
            let sent = request.headers.iter().find(|(known, _)| known == header);
            assert_eq!(
                sent.map(|(_, value)| value.as_str()),
                value.as_str(),
                "{name}: {header}"
            );
        }
    }
    let wanted = text(&wire["body"]);
    // A note of the vector's own, which we do not send.
    let wanted = wanted.replace("&metadata[note]=a%20b%26c%3Dd", "");
    assert_eq!(
        String::from_utf8(request.body.clone()).unwrap(),
        wanted,
        "{name}"
    );
}

#[test]
fn every_request_is_the_sdks() {
    let file = vectors("stripe-wire");
    let account = account();
    for (name, case) in cases(&file, "cases") {
        let wire = &case["wire"][0];
        let key = wire["headers"]["idempotency-key"].as_str().unwrap_or("");
        let request = match name {
            "capture" => capture(&account, "pi_3Mock", Some(usd(20_000)), Some(key)).unwrap(),
            "cancel" => cancel(&account, "pi_3Mock", Some(key)),
            "retrieve" => retrieve(&account, "pi_3Mock"),
            "refund (partial)" => {
                refund(&account, "pi_3Mock", usd(5_000), (key, "ORD-1001", None)).unwrap()
            }
            _ => begin(&account, usd(25_000), key, ("ORD-1001", "Order ORD-1001")).unwrap(),
        };
        assert_is(&request, wire, name);
    }
}

/// An answer as the script says it.
fn answer(step: &Value) -> Option<Reply> {
    let mut answer = reply(
        u16::try_from(step["status"].as_u64()?).unwrap(),
        &step["body"],
    );
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        answer.headers.push((name.clone(), text(value).to_owned()));
    }
    Some(answer)
}

/// A request is repeated as often as the SDK does, with two retries: a dropped connection is one.
#[test]
fn every_answer_is_repeated_and_read_as_the_sdk_does() {
    let file = vectors("stripe-wire");
    for (name, case) in cases(&file, "cases") {
        let script = case["server_script"].as_array().unwrap();
        let mut tried = 0;
        let mut last = None;
        for step in script.iter().take(3) {
            tried += 1;
            last = answer(step);
            if last.as_ref().is_some_and(|answer| !is_repeated(answer)) {
                break;
            }
        }
        assert_eq!(tried, case["attempts"].as_u64().unwrap(), "{name}");
        let last = last.unwrap();
        let sdk = &case["sdk_result"];
        match name {
            "refund (partial)" => {
                let provider_refund_id = "re_1".to_owned();
                let done = RefundOutcome::Succeeded { provider_refund_id };
                assert_eq!(refunded(&last), Ok(done), "{name}");
            }
            "402 card declined" => {
                let code = "insufficient_funds".to_owned();
                assert_eq!(begun(&last), Err(Fault::Refused { code }), "{name}");
            }
            "400 idempotency_error on parameter mismatch" => {
                // The SDK gives up; for us the payment that stands under the key may live.
                assert!(matches!(begun(&last), Err(Fault::Unknown(_))), "{name}");
            }
            _ if sdk["ok"] == true => {
                assert_eq!(
                    begun(&last).unwrap().provider_payment_id.as_deref(),
                    Some(text(&sdk["id"])),
                    "{name}"
                );
            }
            _ => assert!(matches!(begun(&last), Err(Fault::Unknown(_))), "{name}"),
        }
    }
}

#[test]
fn where_a_payment_stands() {
    let intent = |status: &str| {
        json!({"id": "pi_1", "object": "payment_intent", "status": status, "amount": 500,
            "amount_received": 500, "currency": "ugx", "client_secret": "pi_1_secret"})
    };
    for (status, expected) in [
        ("requires_payment_method", Standing::Open),
        ("requires_action", Standing::Open),
        ("processing", Standing::Open),
        ("requires_capture", Standing::Authorised),
        (
            "canceled",
            Standing::Failed {
                code: "canceled".to_owned(),
            },
        ),
        (
            "succeeded",
            Standing::Captured {
                provider_payment_id: "pi_1".to_owned(),
                // Stripe says hundredths of a currency that has none.
                amount: Amount::new(5).unwrap(),
                currency: Currency::parse("UGX").unwrap(),
                fee: None,
            },
        ),
    ] {
        assert_eq!(
            standing(&reply(200, &intent(status))),
            Ok(expected),
            "{status}"
        );
    }
    assert_eq!(
        begun(&reply(200, &intent("requires_payment_method")))
            .unwrap()
            .page
            .client_secret
            .as_deref(),
        Some("pi_1_secret")
    );
}

#[test]
fn what_an_event_says() {
    let file = vectors("stripe-webhook");
    let read = |at: usize| said(text(&file["cases"][at]["payload"]).as_bytes()).unwrap();
    let (id, paid) = read(0);
    assert_eq!(
        (id.as_str(), paid.kind.as_str()),
        ("evt_1TestVector0001", "payment_intent.succeeded")
    );
    // Its order is none of ours, which are UUIDs.
    let Says::Standing(Named::Theirs(name, None), Standing::Captured { amount, .. }, None) =
        paid.says
    else {
        panic!("{paid:?}");
    };
    assert_eq!(
        (name.as_str(), amount.minor()),
        ("pi_3TestVector0001", 25_000)
    );
    let (_, other) = read(2);
    assert_eq!(
        (other.kind.as_str(), other.says),
        ("charge.refunded", Says::Nothing)
    );
    for nothing in ["", "{}", "[]", "{\"id\": 7}"] {
        assert!(said(nothing.as_bytes()).is_none(), "{nothing}");
    }
}
