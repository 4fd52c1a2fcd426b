//! The `Idempotency-Key`.

use serde_json::json;

use super::shop::{Shop, at_once, count, order_of};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_times_at_once_one_order_one_body_forty_nine_replays() {
    let mut shop = Shop::open("idempotency");
    let client = shop.client();
    let variant = client.product(700, 100).await;
    let keyed = client.with("Idempotency-Key", "\"order-42\"");
    let body = order_of(&variant, 2);
    let answers = at_once(50, |_| {
        let (client, body) = (keyed.clone(), body.clone());
        async move { client.post("/api/v1/orders", body).await }
    })
    .await;
    assert_eq!(count(&answers, 201), 50);
    assert_eq!(
        answers.iter().filter(|answer| answer.is_replay()).count(),
        49
    );
    assert!(
        answers
            .iter()
            .all(|answer| answer.response.body == answers[0].response.body)
    );
    let seq = |a: &super::shop::Answer| a.response.header("x-stockhold-seq").map(str::to_owned);
    assert!(answers.iter().all(|answer| seq(answer) == seq(&answers[0])));
    assert_eq!(client.available(&variant).await, 98);

    let other = keyed
        .post("/api/v1/orders", order_of(&variant, 3))
        .await
        .expect(422);
    assert_eq!(other.code(), "idempotency_key_reused");
    let other = keyed.send("POST", "/api/v1/cart", "").await.expect(422);
    assert_eq!(other.code(), "idempotency_key_reused");

    shop.restart();
    let keyed = shop.client().with("Idempotency-Key", "order-42");
    let again = keyed.post("/orders", body.clone()).await.expect(201);
    assert!(
        again.is_replay(),
        "bare and quoted, both mounts: the same request"
    );
    assert_eq!(again.response.body, answers[0].response.body);
    let publishable = keyed.with_key(Some(shop.server.fact("publishable_key")));
    let another = publishable.post("/orders", body).await.expect(201);
    assert!(
        !another.is_replay(),
        "another credential's key is another key"
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_the_key_free() {
    let shop = Shop::open("idempotency-refusal");
    let client = shop.client();
    let variant = client.product(700, 0).await;
    let keyed = client.with("Idempotency-Key", "k");
    let refused = keyed
        .post("/orders", order_of(&variant, 1))
        .await
        .expect(409);
    assert_eq!(refused.code(), "insufficient_stock");
    let restock = json!({"variant_id": variant, "delta": 1, "reason": "delivery"});
    client.post("/stock/adjustments", restock).await.expect(200);
    let made = keyed
        .post("/orders", order_of(&variant, 1))
        .await
        .expect(201);
    assert!(!made.is_replay());
    shop.audit();
}
