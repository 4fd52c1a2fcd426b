//! The five documents that this project answers: what they promise, as they write it.

use serde_json::json;

use super::shop::{Answer, Shop, at_once, count, order_of};

#[tokio::test(flavor = "multi_thread")]
async fn ten_customers_for_the_last_two_units_fifty_times() {
    let shop = Shop::open("seed-003");
    let client = shop.client();
    for round in 0..50 {
        let variant = client.product(1_000, 2).await;
        let keyless = client.with_key(None);
        let answers = at_once(10, |_| {
            let (client, body) = (keyless.clone(), order_of(&variant, 1));
            async move { client.post("/orders", body).await }
        })
        .await;
        let refused = answers
            .iter()
            .filter(|a| a.status == 409 && a.code() == "insufficient_stock")
            .count();
        assert_eq!((count(&answers, 201), refused), (2, 8), "round {round}");
        assert!(
            answers
                .iter()
                .all(|a| a.status != 409 || a.text("title") == "Insufficient stock")
        );
        assert_eq!(client.available(&variant).await, 0);
    }
    shop.audit();
}

/// The file that `ab -p order.json` sends names a variant of every demo.
#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_order_can_be_sent_a_hundred_times_at_once() {
    let shop = Shop::open("seed-003-ab");
    let body = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../loadtest/order.json"),
    )
    .unwrap();
    let client = shop
        .client()
        .with_key(None)
        .with("content-type", "application/json");
    let answers = at_once(100, |_| {
        let (client, body) = (client.clone(), body.clone());
        async move { client.send("POST", "/orders", &body).await }
    })
    .await;
    assert_eq!(count(&answers, 201), 100, "{:?}", answers[0].body);
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_create_order_with_plain_curl_gives_the_same_order() {
    let shop = Shop::open("seed-000-1");
    let client = shop
        .client()
        .with_key(None)
        .with("content-type", "application/x-www-form-urlencoded");
    let cart = client
        .send("POST", "/api/v1/cart", "")
        .await
        .expect(201)
        .text("id");
    let item = json!({"sku": "TEE-M", "quantity": 1});
    client
        .post(&format!("/api/v1/cart/{cart}/items"), item)
        .await
        .expect(200);
    let retry = client.with("Idempotency-Key", "KEY123");
    let body = json!({"cartId": cart, "customerEmail": "a@b.com"});
    let first = retry
        .post("/checkout/create-order", body.clone())
        .await
        .expect(201);
    let second = retry
        .post("/checkout/create-order", body.clone())
        .await
        .expect(201);
    assert_eq!(first.text("orderId"), second.text("orderId"));
    assert!(second.is_replay() && !first.is_replay());
    let without_key = client
        .post("/checkout/create-order", body)
        .await
        .expect(200);
    assert_eq!(first.text("orderId"), without_key.text("orderId"));
    let orders = shop.client().get("/api/v1/orders?page=1").await.expect(200);
    assert_eq!(orders.body["total"], json!(1));
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_checkouts_never_oversell() {
    let shop = Shop::open("seed-000-2");
    let client = shop.client();
    let variant = client.product(500, 7).await;
    let keyless = client.with_key(None);
    let answers = at_once(60, |_| {
        let (client, variant) = (keyless.clone(), variant.clone());
        async move {
            let cart = client.post("/cart", json!({})).await.expect(201).text("id");
            let item = json!({"variant_id": variant, "quantity": 1});
            client
                .post(&format!("/cart/{cart}/items"), item)
                .await
                .expect(200);
            let body = json!({"cartId": cart, "customerEmail": "a@b.com"});
            client.post("/checkout/create-order", body).await
        }
    })
    .await;
    assert_eq!((count(&answers, 201), count(&answers, 409)), (7, 53));
    assert_eq!(client.available(&variant).await, 0);
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_carts_become_a_hundred_orders() {
    let shop = Shop::open("seed-001");
    let client = shop.client().with_key(None);
    let answers: Vec<Answer> = at_once(100, |number| {
        let client = client.clone();
        async move {
            let session = json!({"session_id": format!("s-{number}")});
            let cart = client
                .post("/api/v1/cart", session)
                .await
                .expect(201)
                .text("id");
            let item = json!({"sku": "GIFT-10", "quantity": 1});
            client
                .post(&format!("/api/v1/cart/{cart}/items"), item)
                .await
                .expect(200);
            client
                .send("POST", &format!("/api/v1/cart/{cart}/convert"), "")
                .await
        }
    })
    .await;
    assert_eq!(count(&answers, 201), 100, "{:?}", answers[0].body);
    let mut carts: Vec<_> = answers
        .iter()
        .map(|answer| answer.text("cart_id"))
        .collect();
    carts.sort();
    carts.dedup();
    assert_eq!(carts.len(), 100);
    shop.audit();
}
