//! YooKassa v3.

use std::net::IpAddr;

use domain::decide::RefundOutcome;
use domain::money::{Amount, Currency};
use engine::provider::{Fault, Standing};
use outbound::exchange::Request;
use outbound::yookassa::senders::is_known;
use outbound::yookassa::{
    Account, Notification, begin, begun, cancel, capture, refund, refunded, retrieve, standing,
};
use serde_json::Value;

use super::{cases, reply, text, vectors};

const PAYMENT: &str = "22e12f66-000f-5000-8000-18db351245c7";

fn account(file: &Value) -> Account {
    Account {
        shop_id: text(&file["shop_id"]).to_owned(),
        secret_key: text(&file["secret_key"]).to_owned(),
        api_url: "https://api.yookassa.ru/v3".to_owned(),
    }
}

fn rub(minor: i64) -> (Amount, Currency) {
    (Amount::new(minor).unwrap(), Currency::parse("RUB").unwrap())
}

fn assert_is(request: &Request, wire: &Value, name: &str) {
    assert_eq!(request.method, text(&wire["method"]), "{name}");
    let url = format!("https://api.yookassa.ru{}", text(&wire["path"]));
    assert_eq!(request.url, url, "{name}");
    let headers = wire["headers"].as_object().unwrap();
    assert_eq!(request.headers.len(), headers.len(), "{name}");
    for (header, value) in headers {
        let sent = request.headers.iter().find(|(known, _)| known == header);
        assert_eq!(
            sent.map(|(_, value)| value.as_str()),
            value.as_str(),
            "{name}: {header}"
        );
    }
    // The SDK adds empty lists, and its own name to the metadata.
    let mut wanted = wire["body"].clone();
    if let Some(body) = wanted.as_object_mut() {
        body.retain(|_, value| *value != Value::Array(Vec::new()));
        if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("cms_name");
        }
    }
    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    assert_eq!(sent, wanted, "{name}");
}

#[test]
fn every_request_is_the_sdks() {
    let file = vectors("yookassa");
    let account = account(&file);
    for (name, case) in cases(&file, "api_calls") {
        let wire = &case["wire"][0];
        let key = wire["headers"]["idempotence-key"].as_str().unwrap_or("");
        let to_begin = |minor| {
            let about = ("ORD-1001", "Order ORD-1001");
            begin(
                &account,
                rub(minor),
                (key, "https://shop.example/return"),
                about,
            )
            .unwrap()
        };
        let request = match name {
            // We capture at once, always.
            "create payment, two stage (capture false)" => continue,
            "create with amounts as number 2500.5" => to_begin(250_050),
            "get payment" => retrieve(&account, PAYMENT),
            "error 404" => retrieve(&account, "x"),
            "capture full" => capture(&account, PAYMENT, None, key).unwrap(),
            "capture partial" => capture(&account, PAYMENT, Some(rub(100_000)), key).unwrap(),
            "cancel" => cancel(&account, PAYMENT, key),
            "refund" => refund(&account, PAYMENT, rub(50_000), (key, "partial", None)).unwrap(),
            _ => to_begin(250_000),
        };
        assert_is(&request, wire, name);
    }
}

#[test]
fn every_answer_is_read() {
    let file = vectors("yookassa");
    let (amount, currency) = rub(250_000);
    let captured = Standing::Captured {
        provider_payment_id: PAYMENT.to_owned(),
        amount,
        currency,
        fee: None,
    };
    for (name, case) in cases(&file, "api_calls") {
        let step = &case["server_script"][0];
        let answer = reply(u16::try_from(step[0].as_u64().unwrap()).unwrap(), &step[1]);
        let refused = |code: &str| {
            Err(Fault::Refused {
                code: code.to_owned(),
            })
        };
        match name {
            "get payment" | "capture full" | "capture partial" => {
                assert_eq!(standing(&answer), Ok(captured.clone()), "{name}");
            }
            "cancel" => {
                let code = "canceled_by_merchant".to_owned();
                assert_eq!(standing(&answer), Ok(Standing::Failed { code }), "{name}");
            }
            "refund" => {
                let provider_refund_id = "216749f7-0016-50be-b000-078d43a63ae4".to_owned();
                let done = RefundOutcome::Succeeded { provider_refund_id };
                assert_eq!(refunded(&answer), Ok(done), "{name}");
            }
            "error 404" => assert_eq!(standing(&answer), refused("not_found"), "{name}"),
            // After the first two the SDK gives up. For us the payment that stands under a key may
            // live, and a payment waits until the shop has mended its account.
            "error 400 key reused with other data"
            | "error 401"
            | "error 429"
            | "202 processing"
            | "error 500: result unknown, repeat with the same key" => {
                assert!(matches!(begun(&answer), Err(Fault::Unknown(_))), "{name}");
            }
            _ => {
                let begun = begun(&answer).unwrap();
                let url = begun.page.payment_url.unwrap();
                assert_eq!(url, text(&case["sdk_result"]["confirmation_url"]), "{name}");
                assert_eq!(standing(&answer), Ok(Standing::Open), "{name}");
            }
        }
    }
}

#[test]
fn a_notification_says_which_object_to_ask_for() {
    let file = vectors("yookassa");
    for (name, case) in cases(&file, "notifications") {
        let sdk = &case["yookassa_python_sdk"];
        let read = Notification::read(case["body"].to_string().as_bytes());
        assert_eq!(read.is_some(), sdk["ok"].as_bool().unwrap(), "{name}");
        if let Some(read) = read {
            assert_eq!(read.object_id, text(&sdk["object_id"]), "{name}");
            assert_eq!(read.event, text(&sdk["event"]), "{name}");
            let of_refund = name == "refund.succeeded";
            assert_eq!(
                read.payment_id.as_deref() == Some(PAYMENT),
                of_refund,
                "{name}"
            );
        }
    }
}

/// The documents name a whole network of IPv6, the SDK four parts of it: we go by the documents. An
/// IPv4 address in IPv6 clothes is unmapped first, which the SDK does not do.
#[test]
fn senders_are_known_by_the_documents() {
    let file = vectors("yookassa");
    for (_, case) in cases(&file, "ip_checks") {
        let address: IpAddr = text(&case["ip"]).parse().unwrap();
        assert_eq!(
            is_known(address),
            case["trusted_by_doc_list"].as_bool().unwrap(),
            "{case}"
        );
    }
}
