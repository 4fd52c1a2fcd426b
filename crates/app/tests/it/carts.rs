//! Races on carts and orders.

use serde_json::json;

use super::shop::{Shop, at_once, count};

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_click_plus_ten_times_each() {
    let shop = Shop::open("clicks");
    let client = shop.client();
    let cart = client.post("/cart", json!({})).await.expect(201).text("id");
    let item = json!({"sku": "GIFT-10", "quantity": 1});
    let made = client
        .post(&format!("/cart/{cart}/items"), item)
        .await
        .expect(200);
    let path = format!(
        "/cart/{cart}/items/{}",
        made.body["items"][0]["id"].as_str().unwrap()
    );
    let answers = at_once(200, |number| {
        let (client, cart, path) = (client.clone(), cart.clone(), path.clone());
        async move {
            let mut last = client.get(&format!("/cart/{cart}")).await;
            for _ in 0..10 {
                last = if number % 2 == 0 {
                    client.patch(&path, json!({"delta": 1})).await.expect(200)
                } else {
                    let item = json!({"sku": "GIFT-10", "quantity": 1});
                    client
                        .post(&format!("/cart/{cart}/items"), item)
                        .await
                        .expect(200)
                };
            }
            last
        }
    })
    .await;
    assert_eq!(answers.len(), 200);
    let cart = client.get(&format!("/cart/{cart}")).await.expect(200);
    assert_eq!(cart.body["items"][0]["quantity"], json!(2_001));
    assert_eq!(cart.body["items"].as_array().map(Vec::len), Some(1));
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_carts_converted_ten_times_each_make_twenty_orders() {
    let shop = Shop::open("convert");
    let client = shop.client();
    let mut carts = Vec::new();
    for _ in 0..20 {
        let cart = client.post("/cart", json!({})).await.expect(201).text("id");
        let item = json!({"sku": "GIFT-10", "quantity": 1});
        client
            .post(&format!("/cart/{cart}/items"), item)
            .await
            .expect(200);
        carts.push(cart);
    }
    let answers = at_once(200, |number| {
        let (client, cart) = (client.clone(), carts[number % 20].clone());
        async move {
            client
                .post(&format!("/cart/{cart}/convert"), json!({}))
                .await
        }
    })
    .await;
    assert_eq!((count(&answers, 201), count(&answers, 200)), (20, 180));
    assert!(
        answers
            .iter()
            .filter(|a| a.status == 200)
            .all(super::shop::Answer::is_replay)
    );
    let mut orders: Vec<_> = answers.iter().map(|answer| answer.text("id")).collect();
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 20);
    let cart = &carts[0];
    let item = json!({"sku": "TEE-S", "quantity": 1});
    let late = client
        .post(&format!("/cart/{cart}/items"), item)
        .await
        .expect(409);
    assert_eq!(late.code(), "cart_converted");
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_locks_of_one_draft_let_one_through() {
    let shop = Shop::open("locks");
    let client = shop.client();
    let body = json!({
        "customer_id": "c", "draft": true, "items": [{"sku": "TEE-M", "quantity": 2}],
    });
    let draft = client.post("/orders", body).await.expect(201);
    let path = format!("/orders/{}/lock", draft.text("id"));
    let answers = at_once(50, |_| {
        let (client, path) = (client.clone(), path.clone());
        async move { client.send("POST", &path, "").await }
    })
    .await;
    let refused = answers
        .iter()
        .filter(|a| a.code() == "order_already_locked")
        .count();
    assert_eq!((count(&answers, 200), refused), (1, 49));
    let path = format!("/orders/{}", draft.text("id"));
    let edit = client
        .patch(&path, json!({"discount_amount": 1}))
        .await
        .expect(409);
    assert_eq!(edit.code(), "order_locked");
    let notes = client
        .patch(&path, json!({"notes": "ring"}))
        .await
        .expect(200);
    assert_eq!(notes.text("notes"), "ring");
    shop.audit();
}
