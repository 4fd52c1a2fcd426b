//! VNPAY 2.1.0.

use std::collections::BTreeMap;

use domain::decide::RefundOutcome;
use domain::money::{Amount, Currency};
use domain::time::Timestamp;
use engine::provider::{Fault, NotTaken, Standing};
use outbound::vnpay::api::{About, Verified, query, refund};
use outbound::vnpay::{
    Account, Answer, Notice, Payment, SANDBOX, address, date, payment_url, signed_text,
};
use serde_json::{Value, json};

use super::{cases, reply, text, vectors};

fn account(file: &Value) -> Account {
    Account {
        tmn_code: text(&file["tmn_code"]).to_owned(),
        hash_secret: text(&file["secret"]).to_owned(),
        payment_url: SANDBOX.0.to_owned(),
        api_url: SANDBOX.1.to_owned(),
    }
}

fn vnd() -> Currency {
    Currency::parse("VND").unwrap()
}

fn at(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_millis(at.as_millisecond())
}

#[test]
fn every_address_is_signed_as_the_sdk_and_php_do() {
    let file = vectors("vnpay-payment-url");
    let account = account(&file);
    for (name, case) in cases(&file, "cases") {
        let params: BTreeMap<String, String> =
            serde_json::from_value(case["wire_params"].clone()).unwrap();
        assert_eq!(signed_text(&params), text(&case["signed_string"]), "{name}");
        assert_eq!(address(&account, &params), text(&case["url"]), "{name}");
    }
    let dates = &file["date_vectors"];
    assert_eq!(
        date(at(text(&dates["instant_utc"]))),
        text(&dates["correct_vnp_date"])
    );
}

#[test]
fn a_payment_of_ours_has_the_address_of_the_sdk() {
    let file = vectors("vnpay-payment-url");
    let (_, case) = cases(&file, "cases")
        .find(|(name, _)| name.starts_with("spaces"))
        .unwrap();
    let payment = Payment {
        reference: "ORD-0002",
        amount: Amount::new(250_000).unwrap(),
        currency: vnd(),
        // What encoders do not agree on is left out.
        info: "Thanh toan don hang ORD-0002*~()",
        ip: "203.0.113.7",
        return_url: "https://shop.example/vnpay/return",
        created_at: at("2026-11-20T02:30:00Z"),
        expires_at: at("2026-11-20T02:45:00Z"),
    };
    assert_eq!(
        payment_url(&account(&file), &payment).unwrap(),
        text(&case["url"])
    );
    let other = Payment {
        currency: Currency::parse("USD").unwrap(),
        ..payment
    };
    assert_eq!(payment_url(&account(&file), &other), None);
}

/// What a shop with this order answers: the checks in VNPAY's order.
fn answered(query: &str, account: &Account, order: &Value) -> (Answer, Option<Standing>) {
    if order["fault"].is_string() {
        return (Answer::Unknown, None);
    }
    let notice = match Notice::read(query, &account.hash_secret) {
        Ok(notice) => notice,
        Err(NotTaken::Empty) => return (Answer::Unknown, None),
        Err(NotTaken::Unverified | NotTaken::NotNow(_)) => return (Answer::InvalidSignature, None),
    };
    if notice.tmn_code != account.tmn_code || order["exists"] != true {
        return (Answer::NotFound, None);
    }
    if notice.amount.map(Amount::minor) != order["amount_vnd"].as_i64() {
        return (Answer::InvalidAmount, None);
    }
    if order["status"] != "pending" {
        return (Answer::AlreadyConfirmed, None);
    }
    (Answer::Confirmed, Some(notice.standing(vnd())))
}

#[test]
fn every_ipn_is_answered_as_it_should_be() {
    let file = vectors("vnpay-ipn");
    let account = account(&file);
    let mut paid = 0;
    for (name, case) in cases(&file, "cases") {
        let (answer, standing) = answered(text(&case["query"]), &account, &case["order"]);
        let body: Value = serde_json::from_str(&answer.body()).unwrap();
        if case["expect"].is_null() {
            // Our choice: what is not finished stays pending and is asked for.
            assert_eq!(standing, Some(Standing::Open), "{name}");
            continue;
        }
        assert_eq!(body, case["expect"], "{name}");
        let effect = text(&case["effect"]);
        let expected_paid = effect == "order -> paid";
        let is_paid = matches!(standing, Some(Standing::Captured { .. }));
        assert_eq!(is_paid, expected_paid, "{name}");
        assert_eq!(
            matches!(standing, Some(Standing::Failed { .. })),
            effect.starts_with("payment attempt -> failed"),
            "{name}"
        );
        assert_eq!(
            standing == Some(Standing::Suspicious),
            effect.starts_with("hold for manual review"),
            "{name}"
        );
        paid += i32::from(is_paid);
    }
    assert!(paid > 5);
}

fn about<'a>(request: &'a Value, number: &'a str) -> About<'a> {
    About {
        request_id: text(&request["vnp_RequestId"]),
        reference: text(&request["vnp_TxnRef"]),
        created_at: at("2026-11-20T02:30:00Z"),
        transaction_no: number,
        ip: text(&request["vnp_IpAddr"]),
        info: text(&request["vnp_OrderInfo"]),
        now: if request["vnp_Command"] == "refund" {
            at("2026-11-20T03:15:00Z")
        } else {
            at("2026-11-20T03:00:00Z")
        },
    }
}

/// A body with all its values as texts.
fn texts(body: &Value) -> BTreeMap<String, String> {
    let as_text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let pairs = body.as_object().unwrap().iter();
    pairs
        .map(|(name, value)| (name.clone(), as_text(value)))
        .collect()
}

#[test]
fn every_question_and_refund_is_asked_as_the_sdk_does() {
    let file = vectors("vnpay-querydr-refund");
    let account = account(&file);
    for (name, case) in cases(&file, "cases") {
        let wanted = &case["request"]["body"];
        let mut expected = texts(wanted);
        let number = expected
            .get("vnp_TransactionNo")
            .cloned()
            .unwrap_or_default();
        let about = about(wanted, &number);
        let request = if wanted["vnp_Command"] == "refund" {
            let amount = Amount::new(wanted["vnp_Amount"].as_i64().unwrap() / 100).unwrap();
            let whole = wanted["vnp_TransactionType"] == "02";
            refund(&account, &about, (amount, whole), "ops").unwrap()
        } else {
            query(&account, &about)
        };
        if number.is_empty() {
            // The SDK signs "0" and leaves the field out; the official sample sends it.
            expected.insert("vnp_TransactionNo".to_owned(), "0".to_owned());
        }
        let sent: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(texts(&sent), expected, "{name}");
        assert_eq!((request.method, request.url.as_str()), ("POST", SANDBOX.1));
    }
}

/// The SDK calls an answer without a signature verified, and refunds of the right amount unverified;
/// neither is so.
#[test]
fn every_answer_is_read_as_it_should_be() {
    let file = vectors("vnpay-querydr-refund");
    let secret = text(&file["secret"]);
    let read = |case: &Value| Verified::read(&reply(200, &case["response"]), secret);
    for (name, case) in cases(&file, "cases") {
        let read = read(case);
        match name {
            "querydr, paid" | "querydr, paid with promotion" => {
                let standing = read.unwrap().standing(vnd()).unwrap();
                let captured = Standing::Captured {
                    provider_payment_id: "14226112".to_owned(),
                    amount: Amount::new(250_000).unwrap(),
                    currency: vnd(),
                    fee: None,
                };
                assert_eq!(standing, captured, "{name}");
            }
            "querydr, tampered status"
            | "querydr, not found 91 without hash"
            | "refund, full, response signed over amount/100 (what the SDK expects)" => {
                assert!(matches!(read, Err(Fault::Unknown(_))), "{name}");
            }
            "refund, full" | "refund, partial, no vnp_TransactionNo" => {
                // 05: VNPAY works on it.
                assert_eq!(
                    read.unwrap().refund(),
                    Ok(RefundOutcome::Pending {
                        provider_refund_id: None
                    }),
                    "{name}"
                );
            }
            "refund, already requested 94" => {
                assert_eq!(
                    read.unwrap().refund(),
                    Ok(RefundOutcome::Pending {
                        provider_refund_id: None
                    }),
                    "{name}"
                );
            }
            other => panic!("what is {other}?"),
        }
    }
    let nonsense = reply(502, &json!("<html>"));
    assert!(matches!(
        Verified::read(&nonsense, secret),
        Err(Fault::Unknown(_))
    ));
}
