//! YooKassa: an emulator, and what goes on between it and us.

use serde_json::{Value, json};

use super::emulator::{Asked, Emulator, Fault, World};
use super::{Tried, balances, is_sound, ledger_of, paid_once, start, until};
use crate::shop::{Answer, Client, at_once, count};

pub(super) fn answer(world: &mut World, asked: &Asked) -> (u16, Value) {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let parts: Vec<&str> = asked.path.trim_start_matches("/v3/").split('/').collect();
    if world.is_another(asked) {
        return (
            400,
            json!({"type": "error", "code": "invalid_request",
            "parameter": "Idempotence-Key"}),
        );
    }
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["payments"]) => (
            200,
            world.once("yoo-pay-", &asked.key, |id| {
                json!({"id": id, "status": "pending", "amount": body["amount"], "paid": false,
                "metadata": body["metadata"], "capture": body["capture"],
                "confirmation": {"type": "redirect",
                    "confirmation_url": format!("https://yoomoney.example/{id}")}})
            }),
        ),
        ("POST", ["refunds"]) => {
            let slow = world.slow_refunds;
            let status = if slow { "pending" } else { "succeeded" };
            (
                200,
                world.once("yoo-refund-", &asked.key, |id| {
                    json!({"id": id, "status": status, "amount": body["amount"],
                    "payment_id": body["payment_id"], "metadata": body["metadata"]})
                }),
            )
        }
        ("GET", ["refunds"]) => (200, json!({"items": world.all("yoo-refund-")})),
        ("GET", [_, id]) => world.objects.get(*id).map_or_else(
            || (404, json!({"type": "error", "code": "not_found"})),
            |object| (200, object.clone()),
        ),
        _ => (400, json!({"type": "error", "code": "invalid_request"})),
    }
}

pub(super) async fn account(client: &Client, emulator: &Emulator) {
    let api_url = format!("{}/v3", emulator.url);
    let account = json!({"shop_id": "100500", "secret_key": "test_secret",
        "api_url": api_url, "check_sender": false});
    let set = client.put("/payment-accounts/yookassa", account).await;
    let set = set.expect(200);
    assert!(!set.body.to_string().contains("test_secret"));
}

pub(super) async fn tell(client: &Client, event: &str, object: &Value) -> Answer {
    let body = json!({"type": "notification", "event": event, "object": object});
    let provider = client.with_key(None);
    provider.post("/webhooks/demo/yookassa", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_notification_says_is_asked_for() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("yookassa").await;
    account(&client, &emulator).await;
    let (order, payment) = start(&client, "yookassa", "RUB", 10_000).await;
    let url = payment.text("payment_url");
    assert!(
        url.starts_with("https://yoomoney.example/yoo-pay-"),
        "{url}"
    );
    let id = payment.text("provider_payment_id");
    let sent = emulator.world().objects[&id].clone();
    assert_eq!(
        sent["amount"],
        json!({"value": "100.00", "currency": "RUB"})
    );
    // Who says that it was paid is asked, and says that it was not.
    let lie = json!({"id": id, "status": "succeeded", "amount": sent["amount"]});
    tell(&client, "payment.succeeded", &lie).await.expect(200);
    let seen = client.get(&format!("/orders/{order}")).await.expect(200);
    assert_eq!(seen.text("payment_status"), "pending");
    // What YooKassa does not know was not sent by it, and leaves no trace.
    let unknown = json!({"id": "yoo-pay-999", "status": "succeeded"});
    tell(&client, "payment.succeeded", &unknown)
        .await
        .expect(401);
    for event in ["payment.invented", "deal.closed"] {
        tell(&client, event, &lie).await.expect(401);
    }
    let kept = client.get("/webhook-events").await.expect(200);
    assert_eq!(
        kept.body["data"].as_array().unwrap().len(),
        1,
        "{}",
        kept.body
    );
    let paid = json!({"status": "succeeded", "paid": true,
        "income_amount": {"value": "96.50", "currency": "RUB"}});
    emulator.world().set(&id, paid);
    let told = at_once(20, |_| {
        let (client, lie) = (client.clone(), lie.clone());
        async move { tell(&client, "payment.succeeded", &lie).await }
    })
    .await;
    assert_eq!(count(&told, 200), 20);
    paid_once(&client, &order).await;
    let fee = ledger_of(&client, &format!("provider_fee:{}", payment.text("id"))).await;
    assert_eq!(fee["entries"][0]["debit"], json!(350), "{fee}");
    is_sound(&shop, &client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_is_not_yookassa_is_not_heard() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("yookassa-sender").await;
    let account = json!({"shop_id": "1", "secret_key": "s", "api_url": emulator.url});
    client
        .put("/payment-accounts/yookassa", account)
        .await
        .expect(200);
    let object = json!({"id": "yoo-pay-001", "status": "succeeded"});
    tell(&client, "payment.succeeded", &object)
        .await
        .expect(401);
    assert!(emulator.world().calls.is_empty());
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clicks_on_pay_are_one_payment_there() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("yookassa-clicks").await;
    account(&client, &emulator).await;
    let order = super::order(&client, "RUB", 500).await;
    let path = format!("/orders/{order}/payments");
    let clicks = at_once(10, |number| {
        let key = format!("click-{}", number / 2);
        let (client, path) = (client.with("idempotency-key", &key), path.clone());
        async move { client.post(&path, json!({"provider": "yookassa"})).await }
    })
    .await;
    let payment = clicks[0].text("id");
    let same = |click: &&Answer| click.text("id") == payment && matches!(click.status, 200 | 201);
    assert_eq!(clicks.iter().filter(same).count(), 10, "{clicks:?}");
    let urls: Vec<_> = clicks
        .iter()
        .map(|click| click.text("payment_url"))
        .collect();
    assert!(
        urls.iter().all(|url| *url == urls[0] && !url.is_empty()),
        "{urls:?}"
    );
    assert_eq!(emulator.world().all("yoo-pay").len(), 1);
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_loses_nothing() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("yookassa-fails").await;
    account(&client, &emulator).await;
    for (key, fault) in [("down", Fault::Down), ("after", Fault::AfterDoing)] {
        emulator.fail(fault);
        let order = super::order(&client, "RUB", 700).await;
        let path = format!("/orders/{order}/payments");
        let pay = || {
            let client = client.with("idempotency-key", key);
            let path = path.clone();
            async move { client.post(&path, json!({"provider": "yookassa"})).await }
        };
        let failed = pay().await.expect(502);
        assert_eq!(failed.code(), "provider_failed");
        assert!(failed.response.header("retry-after").is_some());
        let payment = failed.text("payment_id");
        let shown = client
            .get(&format!("/payments/{payment}"))
            .await
            .expect(200);
        assert_eq!(shown.text("status"), "pending");
        emulator.fail(None);
        let begun = pay().await.expect(201);
        assert_eq!(
            (begun.text("id"), begun.body["attempt"].as_i64()),
            (payment, Some(1))
        );
        assert!(!begun.text("payment_url").is_empty());
        let again = pay().await.expect(201);
        assert!(again.is_replay());
        assert_eq!(again.body, begun.body);
    }
    assert_eq!(emulator.world().all("yoo-pay").len(), 2);
    // A provider that refuses for certain ends the attempt; the next one is another.
    let order = super::order(&client, "RUB", 700).await;
    let path = format!("/orders/{order}/payments");
    let account = json!({"shop_id": "1", "secret_key": "s", "check_sender": false,
        "api_url": format!("{}/v3/nowhere", emulator.url)});
    client
        .put("/payment-accounts/yookassa", account)
        .await
        .expect(200);
    let refused = client
        .post(&path, json!({"provider": "yookassa"}))
        .await
        .expect(502);
    assert_eq!(refused.text("provider_code"), "invalid_request");
    let shown = client
        .get(&format!("/payments/{}", refused.text("payment_id")))
        .await;
    assert_eq!(shown.text("status"), "failed");
    self::account(&client, &emulator).await;
    let next = client
        .post(&path, json!({"provider": "yookassa"}))
        .await
        .expect(201);
    assert_eq!(next.body["attempt"], json!(2));
    assert!(next.text("provider_reference").ends_with("-payment-2"));
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_bounded_asked_for_once_and_followed_to_their_end() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("yookassa-refunds").await;
    account(&client, &emulator).await;
    let (order, payment) = start(&client, "yookassa", "RUB", 10_000).await;
    let (payment, id) = (payment.text("id"), payment.text("provider_payment_id"));
    emulator.world().set(&id, json!({"status": "succeeded"}));
    tell(&client, "payment.succeeded", &json!({"id": id}))
        .await
        .expect(200);
    emulator.world().slow_refunds = true;
    let path = format!("/payments/{payment}/refunds");
    let refunds = at_once(100, |number| {
        let key = format!("refund-{}", number / 2);
        let (client, path) = (client.with("idempotency-key", &key), path.clone());
        async move { client.post(&path, json!({"amount": 300})).await }
    })
    .await;
    let pending: Vec<_> = refunds
        .iter()
        .filter(|refund| refund.status == 201)
        .collect();
    assert!(
        pending
            .iter()
            .all(|refund| refund.text("status") == "pending")
    );
    let there = emulator.world().all("yoo-refund");
    assert_eq!(there.len(), 33, "300 of 10,000 each");
    let names: std::collections::BTreeSet<_> = pending
        .iter()
        .map(|refund| refund.text("provider_refund_id"))
        .collect();
    assert_eq!(names.len(), 33);
    // Set aside, and not gone yet.
    let shown = client.get(&format!("/payments/{payment}")).await;
    assert_eq!(shown.body["refunded_amount"], json!(9_900));
    balances(&client).await;
    let cash = super::cash(&client, "yookassa").await;
    assert_eq!(cash, 10_000);
    // One fails, the others arrive: nobody tells us, they are asked for.
    let failed = there[0]["id"].as_str().unwrap().to_owned();
    for refund in &there {
        let id = refund["id"].as_str().unwrap();
        let status = if id == failed {
            "canceled"
        } else {
            "succeeded"
        };
        emulator.world().set(id, json!({"status": status}));
    }
    until(async || super::cash(&client, "yookassa").await == 400).await;
    until(async || {
        let shown = client.get(&format!("/payments/{payment}")).await;
        shown.body["refunded_amount"] == json!(9_600)
    })
    .await;
    let order = client.get(&format!("/orders/{order}")).await;
    assert_eq!(order.text("payment_status"), "partially_refunded");
    is_sound(&shop, &client).await;
}
