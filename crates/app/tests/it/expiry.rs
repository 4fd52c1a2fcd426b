//! Holds end exactly when they end; time is moved, not waited for.

use std::time::Duration;

use serde_json::json;

use super::shop::{Client, Shop, binary, path_of};
use bench::server::{Folder, Server};

/// A shop whose clock can be moved.
struct Timed {
    shop: Shop,
    offset: std::path::PathBuf,
}

impl Timed {
    fn open(name: &str) -> Self {
        let folder = Folder::new(name).unwrap();
        let offset = folder.path().join("offset");
        let environment = [("STOCKHOLD_CLOCK_OFFSET_FILE", offset.to_str().unwrap())];
        let server = Server::start_in(binary(), &folder.database(), &[], &environment).unwrap();
        Self {
            shop: Shop::of(server, folder),
            offset,
        }
    }

    /// Lets so many seconds have passed, and waits until the server has noticed.
    async fn pass(&self, seconds: i64) {
        std::fs::write(&self.offset, seconds.to_string()).unwrap();
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Waits, for at most a second or two, until something is so.
async fn eventually(mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..40 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not become so");
}

async fn status_of(client: &Client, order: &str) -> (String, String) {
    let order = client.get(&format!("/orders/{order}")).await.expect(200);
    (order.text("status"), order.text("payment_status"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_gives_its_stock_back_and_says_so() {
    let timed = Timed::open("expiry");
    let client = timed.shop.client();
    let variant = client.product(1_000, 1).await;
    let first = client.order(&variant, 1).await.expect(201).text("id");
    timed.pass(14 * 60 + 55).await;
    assert_eq!(
        client.order(&variant, 1).await.expect(409).code(),
        "insufficient_stock"
    );
    timed.pass(15 * 60 + 1).await;
    let second = client.order(&variant, 1).await.expect(201).text("id");
    assert_eq!(
        status_of(&client, &first).await,
        ("cancelled".into(), "expired".into())
    );
    let shown = client.get(&format!("/orders/{first}")).await;
    assert_eq!(shown.text("admin_notes"), "Payment timeout");
    assert!(shown.body["payment_expires_at"].is_null());

    let late = json!({"payment_method": "bank", "payment_reference": "late"});
    let refused = client
        .patch(&format!("/orders/{first}/payment"), late.clone())
        .await
        .expect(409);
    assert_eq!(refused.code(), "insufficient_stock");
    client
        .delete(&format!("/orders/{second}"))
        .await
        .expect(200);
    let revived = client
        .patch(&format!("/orders/{first}/payment"), late)
        .await
        .expect(200);
    assert_eq!(
        (
            revived.text("status").as_str(),
            revived.text("admin_notes").as_str()
        ),
        ("paid", "")
    );
    let cancelled = json!({"payment_method": "bank", "payment_reference": "x"});
    let refused = client
        .patch(&format!("/orders/{second}/payment"), cancelled)
        .await
        .expect(409);
    assert_eq!(refused.code(), "already_cancelled");
    timed.shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_shows_it_without_a_touch() {
    let timed = Timed::open("sweep");
    let client = timed.shop.client();
    let variant = client.product(1_000, 3).await;
    let order = client.order(&variant, 2).await.expect(201).text("id");
    assert_eq!(client.available(&variant).await, 1);
    timed.pass(15 * 60 + 1).await;
    eventually(async || client.available(&variant).await == 3).await;
    assert_eq!(status_of(&client, &order).await.1, "expired");
    let holds = client
        .get(&format!("/reservations?order_id={order}"))
        .await
        .expect(200);
    assert_eq!(holds.body["data"][0]["status"], json!("expired"));
    eventually(async || {
        let ready = client.get("/health/ready").await.expect(200);
        ready.body["expiry"]["lag_ms"] == json!(0) && ready.body["expiry"]["last_run"].is_string()
    })
    .await;
    timed.shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_means_nothing_after_a_day() {
    let timed = Timed::open("lapsed");
    let client = timed.shop.client();
    let variant = client.product(1_000, 10).await;
    let keyed = client.with("Idempotency-Key", "k");
    let first = keyed
        .post("/orders", super::shop::order_of(&variant, 1))
        .await
        .expect(201);
    timed.pass(23 * 3_600).await;
    let same = keyed
        .post("/orders", super::shop::order_of(&variant, 1))
        .await
        .expect(201);
    assert!(same.is_replay() && same.text("id") == first.text("id"));
    timed.pass(24 * 3_600 + 60).await;
    let other = keyed
        .post("/orders", super::shop::order_of(&variant, 2))
        .await
        .expect(201);
    assert!(!other.is_replay());
    let again = keyed
        .post("/orders", super::shop::order_of(&variant, 2))
        .await
        .expect(201);
    assert!(again.is_replay() && again.text("id") == other.text("id"));
    timed.shop.audit();
}

/// More holds than one sweep takes end together, and all are shown soon.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_ended_holds_is_shown_at_once() {
    let timed = Timed::open("flood");
    let client = timed.shop.client();
    let variant = client.product(1_000, 3_000).await;
    super::shop::at_once(30, |_| {
        let (client, variant) = (client.clone(), variant.clone());
        async move {
            let mut last = client.order(&variant, 1).await.expect(201);
            for _ in 1..50 {
                last = client.order(&variant, 1).await.expect(201);
            }
            last
        }
    })
    .await;
    assert_eq!(client.available(&variant).await, 1_500);
    timed.pass(16 * 60).await;
    eventually(async || client.available(&variant).await == 3_000).await;
    timed.shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_and_tiers_have_their_own_time() {
    let timed = Timed::open("timeouts");
    let client = timed.shop.client();
    let settings = json!({
        "payment_timeout_minutes": 5,
        "payment_timeout_by_method": {"bank": 60},
        "payment_timeout_by_tier": {"vip": 30},
    });
    client.put("/settings", settings).await.expect(200);
    let variant = client.product(1_000, 100).await;
    let made = |more: serde_json::Value| {
        let (client, variant) = (client.clone(), variant.clone());
        async move {
            let mut body = super::shop::order_of(&variant, 1);
            body.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            client.post("/orders", body).await.expect(201).text("id")
        }
    };
    let plain = made(json!({})).await;
    let vip = made(json!({"customer_tier": "vip"})).await;
    let bank = made(json!({"payment_method": "bank", "customer_tier": "vip"})).await;
    timed.pass(6 * 60).await;
    eventually(async || status_of(&client, &plain).await.1 == "expired").await;
    timed.pass(31 * 60).await;
    eventually(async || status_of(&client, &vip).await.1 == "expired").await;
    assert_eq!(status_of(&client, &bank).await.0, "pending");
    timed.shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_late_revives_the_order_or_goes_back_once() {
    let timed = Timed::open("late");
    let client = timed.shop.client();
    let variant = client.product(1_000, 2).await;
    let mut orders = Vec::new();
    for _ in 0..2 {
        let order = client.order(&variant, 1).await.expect(201).text("id");
        let payment = client
            .send("POST", &format!("/orders/{order}/payments"), "")
            .await
            .expect(201);
        let url = payment.text("payment_url");
        let page = url
            .trim_start_matches("http://")
            .split_once('/')
            .unwrap()
            .1
            .to_owned();
        client
            .with_key(None)
            .send("POST", &format!("/{page}/late"), "")
            .await
            .expect(200);
        orders.push((order, payment.text("id")));
    }
    timed.pass(15 * 60 + 1).await;
    // Someone else takes one of the two units the moment they are free.
    let thief = client.order(&variant, 1).await;
    eventually(async || {
        let mut settled = 0;
        for (_, payment) in &orders {
            let payment = client
                .get(&format!("/payments/{payment}"))
                .await
                .expect(200);
            settled += usize::from(
                payment.text("status") != "pending" && payment.text("status") != "cancelled",
            );
        }
        settled == 2
    })
    .await;
    let mut ends = Vec::new();
    for (order, payment) in &orders {
        let payment = client
            .get(&format!("/payments/{payment}"))
            .await
            .expect(200);
        let (status, _) = status_of(&client, order).await;
        ends.push((status, payment.text("status")));
    }
    ends.sort();
    let paid = ("paid".to_owned(), "succeeded".to_owned());
    let back = ("cancelled".to_owned(), "refunded".to_owned());
    if thief.status == 201 {
        assert_eq!(ends, [back, paid]);
    } else {
        assert_eq!(ends, [paid.clone(), paid]);
    }
    timed.shop.audit();
}

/// Providers' messages are kept for ninety days.
#[tokio::test(flavor = "multi_thread")]
async fn old_messages_of_providers_go() {
    let timed = Timed::open("old-messages");
    let client = timed.shop.client();
    let variant = client.product(1_000, 5).await;
    let pay = async || {
        let order = client.order(&variant, 1).await.expect(201).text("id");
        let path = format!("/orders/{order}/payments");
        let payment = client
            .post(&path, json!({"provider": "mock"}))
            .await
            .expect(201);
        let page = path_of(&payment.text("payment_url"));
        let payer = client.with_key(None);
        payer
            .post(&format!("{page}/pay"), json!({}))
            .await
            .expect(200);
    };
    let kept = async || {
        let inbox = client.get("/webhook-events").await.expect(200);
        inbox.body["data"].as_array().unwrap().len()
    };
    pay().await;
    timed.pass(89 * 86_400).await;
    pay().await;
    assert_eq!(kept().await, 2);
    timed.pass(91 * 86_400).await;
    pay().await;
    assert_eq!(kept().await, 2, "the first is gone");
    timed.shop.audit();
}
