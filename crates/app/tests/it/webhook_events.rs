//! The inbox: messages of providers are claimed, applied and kept in one transaction, and can be taken
//! in again.

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::time::Timestamp;
use outbound::standard_webhooks::sign;
use serde_json::{Value, json};

use crate::shop::{Answer, Client, Shop, at_once, binary};

const KEY: &[u8] = b"a key of thirty-two bytes, or so";

fn shop(name: &str) -> Shop {
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(KEY));
    Shop::open_with(name, &["--mock-webhook-secret", &secret])
}

/// An order that waits, and the id and amount of its payment.
async fn waiting(client: &Client) -> (String, String, i64) {
    let variant = client.product(1_000, 5).await;
    let order = client.order(&variant, 1).await.expect(201).text("id");
    let path = format!("/orders/{order}/payments");
    let payment = client
        .post(&path, json!({"provider": "mock"}))
        .await
        .expect(201);
    (
        order,
        payment.text("id"),
        payment.body["amount"].as_i64().unwrap(),
    )
}

fn succeeded(payment: &str, amount: i64) -> Value {
    json!({"type": "payment.succeeded", "data": {"payment_id": payment,
        "provider_payment_id": "mock_1", "amount": amount, "currency": "EUR"}})
}

/// Sends a message as the mock provider would.
async fn tell(client: &Client, id: &str, body: &Value) -> Answer {
    #[expect(clippy::disallowed_methods, reason = "a provider's own clock")]
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap());
    let body = body.to_string();
    let mut provider = client.with_key(None);
    for (name, value) in sign(KEY, id, now, body.as_bytes()) {
        provider = provider.with(name, &value);
    }
    provider.send("POST", "/webhooks/demo/mock", &body).await
}

async fn inbox(client: &Client, query: &str) -> Vec<Value> {
    let list = client
        .get(&format!("/webhook-events?{query}"))
        .await
        .expect(200);
    list.body["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_copies_at_once_are_taken_once_and_kept_as_they_came() {
    let shop = shop("inbox");
    let client = shop.client();
    let (order, payment, amount) = waiting(&client).await;
    let body = succeeded(&payment, amount);
    let answers = at_once(50, |_| {
        let (client, body) = (client.clone(), body.clone());
        async move { tell(&client, "msg_1", &body).await }
    })
    .await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let kept = inbox(&client, "").await;
    let [event] = kept.as_slice() else {
        panic!("one message: {kept:?}")
    };
    assert_eq!(
        (&event["status"], &event["attempts"]),
        (&json!("applied"), &json!(1))
    );
    assert_eq!(
        (&event["event_id"], &event["type"]),
        (&json!("msg_1"), &json!("payment.succeeded"))
    );
    assert_eq!(
        (&event["payment_id"], &event["body"]),
        (&json!(payment), &Value::Null)
    );
    let path = format!("/webhook-events/{}", event["id"].as_str().unwrap());
    let whole = client.get(&path).await.expect(200);
    assert_eq!(whole.text("body"), body.to_string());
    let history = client
        .get(&format!("/orders/{order}/events"))
        .await
        .expect(200);
    let paid = history.body["data"].as_array().unwrap();
    assert_eq!(
        paid.iter()
            .filter(|event| event["type"] == "order.paid")
            .count(),
        1
    );
    shop.audit();
}

/// What cannot be applied is a dead letter, and leaves nothing behind that a true message would meet.
#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_and_taken_in_again() {
    let shop = shop("dead-letters");
    let client = shop.client();
    let (order, payment, amount) = waiting(&client).await;
    let wrong = tell(&client, "msg_wrong", &succeeded(&payment, amount + 1)).await;
    assert_eq!((wrong.status, wrong.code()), (422, "amount_mismatch"));
    // Of two that came in the same millisecond neither is the newer one.
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let stranger = succeeded("01900000-0000-7000-8000-000000000000", amount);
    tell(&client, "msg_stranger", &stranger).await.expect(200);
    let unknown = json!({"type": "payment.pondered", "data": {"payment_id": payment,
        "provider_payment_id": "mock_1", "amount": 1, "currency": "EUR"}});
    tell(&client, "msg_unknown", &unknown).await.expect(200);
    tell(&client, "msg_odd", &json!({"hello": 1}))
        .await
        .expect(200);
    let codes = |events: &[Value]| -> Vec<Value> {
        events.iter().map(|event| event["code"].clone()).collect()
    };
    let dead = inbox(&client, "status=dead").await;
    assert_eq!(
        codes(&dead),
        [json!("not_found"), json!("amount_mismatch")],
        "newest first"
    );
    assert_eq!(inbox(&client, "status=ignored").await.len(), 2);
    let mine = inbox(&client, &format!("payment_id={payment}")).await;
    assert_eq!(mine.len(), 1, "{mine:?}");

    let path = format!("/webhook-events/{}/replay", dead[1]["id"].as_str().unwrap());
    let again = client.send("POST", &path, "").await.expect(200);
    assert_eq!(
        (again.text("status"), &again.body["attempts"]),
        ("dead".to_owned(), &json!(2))
    );
    let shown = client.get(&format!("/orders/{order}")).await;
    assert_eq!(shown.text("payment_status"), "pending");

    tell(&client, "msg_right", &succeeded(&payment, amount))
        .await
        .expect(200);
    let shown = client.get(&format!("/orders/{order}")).await;
    assert_eq!(shown.text("payment_status"), "paid");
    let right = inbox(&client, "status=applied").await;
    let path = format!("/webhook-events/{}", right[0]["id"].as_str().unwrap());
    let replayed = client
        .send("POST", &format!("{path}/replay"), "")
        .await
        .expect(200);
    assert_eq!(
        replayed.body["attempts"], 1,
        "one that was applied changes nothing"
    );
    let mut whole = client.get(&path).await.expect(200).body;
    assert_eq!(
        whole["body"].take(),
        succeeded(&payment, amount).to_string()
    );
    assert_eq!(whole, replayed.body);

    let nobody = client
        .get("/webhook-events/01900000-0000-7000-8000-000000000000")
        .await;
    assert_eq!(nobody.code(), "not_found");
    let browser = client.with_key(Some(shop.server.fact("publishable_key")));
    assert_eq!(browser.get("/webhook-events").await.code(), "forbidden");
    shop.audit();
}

/// An unverified message keeps nothing, and the true one of the same name is taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_message_does_not_claim_the_true_ones_name() {
    let shop = shop("forged-claim");
    let client = shop.client();
    let (order, payment, amount) = waiting(&client).await;
    let forged = client
        .with_key(None)
        .with("webhook-id", "msg_1")
        .with("webhook-timestamp", "1790000000")
        .with("webhook-signature", "v1,AAAA");
    let refused = forged
        .post("/webhooks/demo/mock", succeeded(&payment, amount))
        .await;
    assert_eq!(refused.status, 401);
    assert_eq!(inbox(&client, "").await, Vec::<Value>::new());
    tell(&client, "msg_1", &succeeded(&payment, amount))
        .await
        .expect(200);
    let shown = client.get(&format!("/orders/{order}")).await;
    assert_eq!(shown.text("payment_status"), "paid");
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_and_replays() {
    let shop = shop("inbox-cli");
    let client = shop.client();
    let (_, payment, amount) = waiting(&client).await;
    tell(&client, "msg_wrong", &succeeded(&payment, amount + 1))
        .await
        .expect(422);
    let run = |args: &[&str]| {
        let output = Command::new(binary())
            .arg("webhook")
            .args(args)
            .args(["--url", &format!("http://{}", shop.server.address())])
            .args(["--key", shop.server.fact("secret_key"), "--json"])
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .filter_map(|l| serde_json::from_str(l).ok())
            .collect();
        (output.status.code(), lines, text)
    };
    let (status, lines, text) = run(&["list", "--status", "dead"]);
    assert_eq!((status, lines.len()), (Some(0), 1), "{text}");
    let id = lines[0]["id"].as_str().unwrap().to_owned();
    let (status, lines, text) = run(&["replay", &id]);
    assert_eq!(
        (status, &lines[0]["attempts"]),
        (Some(1), &json!(2)),
        "{text}"
    );
    let (status, lines, text) = run(&["replay", "--dead"]);
    assert_eq!(
        (status, &lines[0]["attempts"]),
        (Some(1), &json!(3)),
        "{text}"
    );
    let (status, _, text) = run(&["replay"]);
    assert_eq!(status, Some(2), "{text}");
    shop.audit();
}

/// The same name with another body: the row shows what was tried last, and what says nothing more
/// does not bury a dead letter.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_again_otherwise_is_kept_as_it_came_last() {
    let shop = shop("inbox-again");
    let client = shop.client();
    let (order, payment, amount) = waiting(&client).await;
    tell(&client, "msg_1", &succeeded(&payment, amount + 1))
        .await
        .expect(422);
    tell(&client, "msg_1", &json!({"hello": 1}))
        .await
        .expect(422);
    let dead = inbox(&client, "status=dead").await;
    assert_eq!((dead.len(), &dead[0]["attempts"]), (1, &json!(2)));
    assert_eq!(dead[0]["payment_id"], json!(payment));
    let right = succeeded(&payment, amount);
    tell(&client, "msg_1", &right).await.expect(200);
    let path = format!("/webhook-events/{}", dead[0]["id"].as_str().unwrap());
    let whole = client.get(&path).await.expect(200);
    assert_eq!(
        (whole.text("status"), whole.text("body")),
        ("applied".to_owned(), right.to_string())
    );
    let shown = client.get(&format!("/orders/{order}")).await;
    assert_eq!(shown.text("payment_status"), "paid");
    shop.audit();
}

/// Texts that a database could not hold or look up are not what the lane stumbles over.
#[tokio::test(flavor = "multi_thread")]
async fn odd_texts_are_kept() {
    let shop = shop("inbox-odd");
    let client = shop.client();
    let (order, payment, amount) = waiting(&client).await;
    let mut odd = succeeded(&payment, amount);
    odd["type"] = "pay\u{0}ment".into();
    tell(&client, "msg_nul", &odd).await.expect(200);
    let long: String = (0..6_000)
        .map(|n| char::from(b'a' + u8::try_from(n * n % 23).unwrap()))
        .collect();
    let mut right = succeeded(&payment, amount);
    right["data"]["provider_payment_id"] = format!("p\u{0}{long}").into();
    tell(&client, &long, &right).await.expect(200);
    let shown = client.get(&format!("/orders/{order}")).await;
    assert_eq!(shown.text("payment_status"), "paid");
    let kept = inbox(&client, "").await;
    let names = kept.iter().map(|event| event["event_id"].as_str().unwrap());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    assert!(
        names[0] == "msg_nul" && names[1].starts_with("sha256:"),
        "{names:?}"
    );
    assert!(
        kept.iter().any(|event| event["type"] == "payment"),
        "{kept:?}"
    );
    shop.audit();
}

/// Another shop's key sees nothing of this inbox and this ledger.
#[tokio::test(flavor = "multi_thread")]
async fn inbox_and_ledger_are_one_shops_alone() {
    let shop = shop("inbox-apart");
    let client = shop.client();
    let (_, payment, amount) = waiting(&client).await;
    tell(&client, "msg_1", &succeeded(&payment, amount))
        .await
        .expect(200);
    let id = inbox(&client, "").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let platform = client.with_key(Some(shop.server.fact("platform_key")));
    let tenant = json!({"slug": "other", "name": "Other"});
    let tenant = platform
        .post("/admin/tenants", tenant)
        .await
        .expect(201)
        .text("id");
    let key = json!({"kind": "secret", "name": "other"});
    let key = platform
        .post(&format!("/admin/tenants/{tenant}/keys"), key)
        .await
        .expect(201);
    let other = client.with_key(Some(&key.text("key")));
    let reference = format!("reference=payment_confirmed:{payment}");
    for path in [
        "/webhook-events".to_owned(),
        "/ledger/transactions".to_owned(),
        format!("/ledger/transactions?{reference}"),
        "/ledger/accounts?limit=1".to_owned(),
    ] {
        let mine = client.get(&path).await.expect(200);
        assert_ne!(mine.body["data"], json!([]), "{path}");
        let theirs = other.get(&path).await.expect(200);
        assert_eq!(theirs.body["data"], json!([]), "{path}");
    }
    let path = format!("/webhook-events/{id}");
    assert_eq!(other.get(&path).await.code(), "not_found");
    let replay = other.send("POST", &format!("{path}/replay"), "").await;
    assert_eq!(replay.code(), "not_found");
    shop.audit();
}
