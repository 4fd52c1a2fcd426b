//! The mock provider, refunds, and what a customer may do alone.

use serde_json::json;

use super::shop::{Client, Shop, path_of};

async fn started(client: &Client, quantity: i64) -> (String, String, String) {
    let items = json!([{"sku": "GIFT-10", "quantity": quantity}]);
    let order = client
        .post("/orders", json!({"customer_id": "c", "items": items}))
        .await
        .expect(201);
    let id = order.text("id");
    let payment = client
        .post(
            &format!("/orders/{id}/payments"),
            json!({"provider": "mock"}),
        )
        .await;
    let payment = payment.expect(201);
    (
        id,
        payment.text("id"),
        path_of(&payment.text("payment_url")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buttons_of_the_mock_page_do_what_they_say() {
    let shop = Shop::open("mock");
    let client = shop.client();
    let nobody = client.with_key(None);
    for (button, status, order_status) in [
        ("pay", "succeeded", "paid"),
        ("duplicate", "succeeded", "paid"),
        ("fail", "failed", "pending"),
        ("abandon", "pending", "pending"),
        ("timeout", "pending", "pending"),
    ] {
        let (order, payment, page) = started(&client, 1).await;
        let html = nobody.get(&page).await.expect(200);
        let html = String::from_utf8(html.response.body).unwrap();
        assert!(html.contains(&format!("id=\"{button}\"")), "{html}");
        let after = nobody
            .send("POST", &format!("{page}/{button}"), "")
            .await
            .expect(200);
        assert_eq!(
            (after.text("id"), after.text("status").as_str()),
            (payment, status),
            "{button}"
        );
        let order = client.get(&format!("/orders/{order}")).await.expect(200);
        assert_eq!(order.text("status"), order_status, "{button}");
    }
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_answers_the_pending_payment_and_a_failed_one_makes_room() {
    let shop = Shop::open("attempts");
    let client = shop.client();
    let (order, payment, page) = started(&client, 1).await;
    let path = format!("/orders/{order}/payments");
    assert_eq!(
        client.send("POST", &path, "").await.expect(200).text("id"),
        payment
    );
    let shown = client
        .get(&format!("/payments/{payment}"))
        .await
        .expect(200);
    assert_eq!(
        shown.text("provider_reference"),
        format!("order-{order}-payment")
    );
    client
        .send("POST", &format!("{page}/fail"), "")
        .await
        .expect(200);
    let second = client.send("POST", &path, "").await.expect(201);
    assert_eq!(
        second.text("provider_reference"),
        format!("order-{order}-payment-2")
    );
    assert_eq!(second.body["attempt"], json!(2));
    client
        .send(
            "POST",
            &format!("/payments/{}/confirm", second.text("id")),
            "",
        )
        .await
        .expect(200);
    client
        .send(
            "POST",
            &format!("/payments/{}/confirm", second.text("id")),
            "",
        )
        .await
        .expect(200);
    assert_eq!(
        client.send("POST", &path, "").await.expect(409).code(),
        "already_paid"
    );
    // The first attempt succeeds after all: its money goes back, once.
    client
        .send("POST", &format!("{page}/duplicate"), "")
        .await
        .expect(200);
    let first = client
        .get(&format!("/payments/{payment}"))
        .await
        .expect(200);
    assert_eq!(first.text("status"), "refunded");
    assert_eq!(
        client.get(&format!("/orders/{order}")).await.text("status"),
        "paid"
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_by_amount_by_line_and_of_what_is_left() {
    let shop = Shop::open("refund");
    let client = shop.client();
    let variant = client.product(1_000, 10).await;
    let order = client.order(&variant, 4).await.expect(201);
    let item = order.body["items"][0]["id"].clone();
    let path = format!("/orders/{}", order.text("id"));
    let payment = client
        .send("POST", &format!("{path}/payments"), "")
        .await
        .expect(201)
        .text("id");
    let refunds = format!("/payments/{payment}/refunds");
    let early = client.send("POST", &refunds, "").await.expect(409);
    assert_eq!(early.code(), "invalid_state");
    client
        .send("POST", &format!("/payments/{payment}/confirm"), "")
        .await
        .expect(200);
    let lines = json!({"items": [{"order_item_id": item, "quantity": 3}], "restock": true});
    let refund = client.post(&refunds, lines.clone()).await.expect(201);
    assert_eq!(
        (
            refund.body["amount"].clone(),
            refund.text("status").as_str()
        ),
        (json!(3_000), "succeeded")
    );
    assert_eq!(client.available(&variant).await, 9);
    assert_eq!(
        client.get(&path).await.text("payment_status"),
        "partially_refunded"
    );
    let all = client
        .post(&refunds, json!({"amount": 1, "restock": true}))
        .await
        .expect(422);
    assert_eq!(all.body["errors"][0]["pointer"], json!("/restock"));
    let again = client.post(&refunds, lines).await.expect(422);
    assert_eq!(
        again.body["errors"][0]["pointer"],
        json!("/items/0/quantity")
    );
    let too_much = client
        .post(&refunds, json!({"amount": 1_001}))
        .await
        .expect(422);
    assert_eq!(too_much.code(), "refund_exceeds_payment");
    client.send("POST", &refunds, "").await.expect(201);
    let done = client.get(&path).await;
    assert_eq!(
        (
            done.text("status").as_str(),
            done.text("financial_status").as_str()
        ),
        ("refunded", "refunded")
    );
    assert_eq!(
        client.send("POST", &refunds, "").await.expect(422).code(),
        "refund_exceeds_payment"
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_reads_pays_and_cancels_with_the_client_token_alone() {
    let shop = Shop::open("customer");
    let secret = shop.client();
    let browser = secret.with_key(Some(shop.server.fact("publishable_key")));
    let body = json!({"customer_id": "c", "items": [{"sku": "GIFT-10", "quantity": 1}]});
    let order = browser.post("/orders", body.clone()).await.expect(201);
    let (id, token) = (order.text("id"), order.text("client_token"));
    let with = |path: &str| format!("{path}?client_token={token}");
    let path = format!("/orders/{id}");
    assert_eq!(browser.get(&path).await.expect(403).code(), "forbidden");
    assert_eq!(
        browser
            .get(&format!("{path}?client_token=ct_x"))
            .await
            .expect(403)
            .code(),
        "forbidden"
    );
    assert_eq!(
        browser
            .get(&with(&path))
            .await
            .expect(200)
            .text("client_token"),
        token
    );
    let other = browser.post("/orders", body).await.expect(201).text("id");
    assert_eq!(
        browser
            .get(&with(&format!("/orders/{other}")))
            .await
            .expect(403)
            .code(),
        "forbidden"
    );
    browser
        .send("POST", &with(&format!("{path}/payments")), "")
        .await
        .expect(201);
    browser.delete(&with(&path)).await.expect(200);
    let shown = secret.get(&path).await.expect(200);
    assert!(shown.body["client_token"].is_null(), "only to its maker");
    let order = browser.post(
        "/orders",
        json!({"customer_id": "c", "items": [{"sku": "GIFT-10", "quantity": 1}]}),
    );
    let order = order.await.expect(201);
    let pay = json!({"payment_method": "bank", "payment_reference": "TR"});
    secret
        .patch(&format!("/orders/{}/payment", order.text("id")), pay)
        .await
        .expect(200);
    let path = format!(
        "/orders/{}?client_token={}",
        order.text("id"),
        order.text("client_token")
    );
    assert_eq!(
        browser.delete(&path).await.expect(409).code(),
        "already_paid"
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn units_refunded_one_by_one_come_to_the_whole() {
    let shop = Shop::open("refund-units");
    let client = shop.client();
    let variant = client.product(1, 10).await;
    let mut body = super::shop::order_of(&variant, 3);
    body["shipping_fee"] = json!(97);
    let order = client.post("/orders", body).await.expect(201);
    let path = format!("/orders/{}/payments", order.text("id"));
    let payment = client.send("POST", &path, "").await.expect(201).text("id");
    client
        .send("POST", &format!("/payments/{payment}/confirm"), "")
        .await
        .expect(200);
    let unit = json!({"items": [{"order_item_id": order.body["items"][0]["id"], "quantity": 1}]});
    let mut sum = 0;
    for _ in 0..3 {
        let refund = client
            .post(&format!("/payments/{payment}/refunds"), unit.clone())
            .await;
        sum += refund.expect(201).body["amount"].as_i64().unwrap();
    }
    assert_eq!(sum, 100);
    let done = client.get(&format!("/payments/{payment}")).await;
    assert_eq!(done.text("status"), "refunded");
    shop.audit();
}

/// Whoever can press the mock's buttons pays without money: only where the shop chose the mock.
#[tokio::test(flavor = "multi_thread")]
async fn the_mock_page_is_closed_where_the_shop_did_not_choose_it() {
    let shop = Shop::open("mock-closed");
    let client = shop.client();
    let (_, payment, page) = started(&client, 1).await;
    client
        .put("/settings", json!({"default_provider": "manual"}))
        .await
        .expect(200);
    client.with_key(None).get(&page).await.expect(404);
    client
        .with_key(None)
        .send("POST", &format!("{page}/pay"), "")
        .await
        .expect(404);
    let shown = client.get(&format!("/payments/{payment}")).await;
    assert_eq!(shown.text("status"), "pending");
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_notification_changes_nothing() {
    let shop = Shop::open("forged");
    let client = shop.client();
    let (order, payment, _) = started(&client, 1).await;
    let body = json!({"type": "payment.succeeded", "data": {
        "payment_id": payment, "provider_payment_id": "x", "amount": 1000, "currency": "EUR",
    }});
    let nobody = client.with_key(None);
    let forged = nobody
        .with("webhook-id", "msg_1")
        .with("webhook-timestamp", "1790000000")
        .with("webhook-signature", "v1,AAAA");
    for path in [
        "/webhooks/demo/mock",
        "/webhooks/demo/manual",
        "/webhooks/nobody/mock",
    ] {
        let refused = forged.post(path, body.clone()).await;
        assert!(
            matches!(refused.status, 401 | 404),
            "{path}: {}",
            refused.body
        );
    }
    assert_eq!(
        client.get(&format!("/orders/{order}")).await.text("status"),
        "pending"
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mocks_payers_do_what_the_configuration_says() {
    for (outcome, status) in [("pay", "paid"), ("fail", "failed")] {
        let shop = Shop::open_with("mock-outcome", &["--mock-outcome", outcome]);
        let client = shop.client();
        let variant = client.product(100, 5).await;
        let order = client.order(&variant, 1).await.expect(201).text("id");
        let back = "https://магазин.example/спасибо#top";
        let body = json!({"provider": "mock", "return_url": back});
        let payment = client
            .post(&format!("/orders/{order}/payments"), body)
            .await;
        let page = path_of(&payment.expect(201).text("payment_url"));
        let seen = async || {
            client
                .get(&format!("/orders/{order}"))
                .await
                .text("payment_status")
        };
        while seen().await != status {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let payer = client.with_key(None).with("accept", "text/html");
        let sent_on = payer
            .post(&format!("{page}/pay"), json!({}))
            .await
            .expect(303);
        let to = sent_on.response.header("location").unwrap();
        let known = "https://%D0%BC%D0%B0%D0%B3%D0%B0%D0%B7%D0%B8%D0%BD.example/";
        assert!(
            to.starts_with(known) && to.ends_with("#top") && to.contains("?order_id="),
            "{to}"
        );
        shop.audit();
    }
}
