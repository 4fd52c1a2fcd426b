//! An order's life, edge by edge.

use serde_json::json;

use super::shop::{Shop, order_of};

#[tokio::test(flavor = "multi_thread")]
async fn from_pending_to_delivered_along_the_arrows_only() {
    let shop = Shop::open("life");
    let client = shop.client();
    let variant = client.product(1_000, 10).await;
    let order = client.order(&variant, 2).await.expect(201);
    let path = format!("/orders/{}", order.text("id"));
    assert_eq!(order.body["items"][0]["snapshot"]["title"], json!("Thing"));
    assert!(order.text("client_token").starts_with("ct_"));
    let status = async |to: &str| {
        client
            .patch(&format!("{path}/status"), json!({"status": to}))
            .await
    };
    for to in ["paid", "processing", "shipped", "delivered", "refunded"] {
        let refused = status(to).await.expect(409);
        assert_eq!(
            (refused.code(), refused.text("from").as_str()),
            ("invalid_state", "pending")
        );
        assert_eq!(refused.text("to"), to);
    }
    let pay = json!({"payment_method": "bank", "payment_reference": "TR-1", "amount": 2_000});
    let wrong = json!({"payment_method": "bank", "payment_reference": "TR-1", "amount": 1_999});
    let refused = client
        .patch(&format!("{path}/payment"), wrong)
        .await
        .expect(422);
    assert_eq!(refused.code(), "amount_mismatch");
    let paid = client
        .patch(&format!("{path}/payment"), pay.clone())
        .await
        .expect(200);
    assert_eq!(
        (
            paid.text("status").as_str(),
            paid.text("financial_status").as_str()
        ),
        ("paid", "paid")
    );
    assert_eq!(paid.text("snapshot_hash").len(), 64);
    let same = client
        .patch(&format!("{path}/payment"), pay)
        .await
        .expect(200);
    assert_eq!(same.body["version"], paid.body["version"]);
    let other = json!({"payment_method": "bank", "payment_reference": "TR-2"});
    let refused = client
        .patch(&format!("{path}/payment"), other)
        .await
        .expect(409);
    assert_eq!(refused.code(), "already_paid");
    let level = client
        .get(&format!("/stock?variant_id={variant}"))
        .await
        .expect(200);
    assert_eq!(level.body["data"][0]["stock_quantity"], json!(8));
    assert_eq!(level.body["data"][0]["reserved_stock"], json!(0));
    status("processing").await.expect(200);
    let parcel = json!({"tracking_number": "T1", "carrier": "DHL"});
    client
        .patch(&format!("{path}/shipping"), parcel)
        .await
        .expect(200);
    status("shipped").await.expect(200);
    assert_eq!(
        client.delete(&path).await.expect(409).code(),
        "invalid_state"
    );
    let done = status("delivered").await.expect(200);
    assert!(done.body["delivered_at"].is_string() && done.text("tracking_number") == "T1");
    let events = client.get(&format!("{path}/events")).await.expect(200);
    let types: Vec<_> = events.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        types,
        [
            "order.placed",
            "stock.reserved",
            "payment.started",
            "stock.converted",
            "order.locked",
            "payment.succeeded",
            "order.paid",
            "order.moved",
            "order.shipping_set",
            "order.moved",
            "order.moved",
        ]
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_gives_back_what_was_held_or_sold() {
    let shop = Shop::open("cancel");
    let client = shop.client();
    let variant = client.product(1_000, 5).await;
    let pending = client.order(&variant, 3).await.expect(201).text("id");
    let gone = client
        .send(
            "DELETE",
            &format!("/orders/{pending}"),
            r#"{"reason":"twice"}"#,
        )
        .await;
    let gone = gone.expect(200);
    assert_eq!(
        (
            gone.text("status").as_str(),
            gone.text("admin_notes").as_str()
        ),
        ("cancelled", "twice")
    );
    assert_eq!(client.available(&variant).await, 5);
    let again = client
        .delete(&format!("/orders/{pending}"))
        .await
        .expect(409);
    assert_eq!(again.code(), "already_cancelled");

    let paid = client.order(&variant, 3).await.expect(201).text("id");
    let pay = json!({"payment_method": "bank", "payment_reference": "TR"});
    client
        .patch(&format!("/orders/{paid}/payment"), pay)
        .await
        .expect(200);
    assert_eq!(client.available(&variant).await, 2);
    let gone = client.delete(&format!("/orders/{paid}")).await.expect(200);
    assert_eq!(gone.text("payment_status"), "refunded");
    assert_eq!(client.available(&variant).await, 5);
    let explained = client
        .get(&format!("/stock/{variant}/explain"))
        .await
        .expect(200);
    let moves = explained.body["movements"].as_array().unwrap();
    let sum = |name: &str| moves.iter().map(|m| m[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("delta_stock"), sum("delta_reserved")), (5, 0));
    assert_eq!(moves[0]["type"], json!("stock.returned"));
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_hold_nothing_until_they_are_paid_for() {
    let shop = Shop::open("drafts");
    let client = shop.client();
    let variant = client.product(1_000, 2).await;
    let mut body = order_of(&variant, 2);
    body["draft"] = json!(true);
    body["discount_amount"] = json!(500);
    body["tax_amount"] = json!(70);
    body["shipping_fee"] = json!(30);
    let draft = client.post("/orders", body.clone()).await.expect(201);
    assert_eq!(
        (
            draft.text("status").as_str(),
            draft.body["total_amount"].as_i64()
        ),
        ("draft", Some(1_600))
    );
    assert_eq!(client.available(&variant).await, 2);
    let path = format!("/orders/{}", draft.text("id"));
    let more = json!({"items": [{"variant_id": variant, "quantity": 1}], "version": 1});
    let revised = client.patch(&path, more.clone()).await.expect(200);
    assert_eq!(revised.body["total_amount"], json!(600));
    assert_eq!(
        client.patch(&path, more).await.expect(409).code(),
        "version_conflict"
    );
    let too_much = client
        .patch(&path, json!({"discount_amount": 1_001}))
        .await
        .expect(422);
    assert_eq!(
        too_much.body["errors"][0]["pointer"],
        json!("/discount_amount")
    );
    let rival = client.order(&variant, 2).await.expect(201).text("id");
    let refused = client
        .send("POST", &format!("{path}/payments"), "")
        .await
        .expect(409);
    assert_eq!(refused.code(), "insufficient_stock");
    client.delete(&format!("/orders/{rival}")).await.expect(200);
    client
        .send("POST", &format!("{path}/payments"), "")
        .await
        .expect(201);
    let order = client.get(&path).await.expect(200);
    assert_eq!(
        (
            order.text("status").as_str(),
            order.text("financial_status").as_str()
        ),
        ("pending", "locked")
    );
    assert_eq!(client.available(&variant).await, 1);
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_order_can_be_edited_with_its_stock() {
    let shop = Shop::open("edit");
    let client = shop.client();
    let (one, two) = (client.product(1_000, 3).await, client.product(300, 1).await);
    let path = format!(
        "/orders/{}",
        client.order(&one, 3).await.expect(201).text("id")
    );
    let lines = |a: i64, b: i64| json!({"items": [{"variant_id": one, "quantity": a}, {"variant_id": two, "quantity": b}]});
    let refused = client.patch(&path, lines(3, 2)).await.expect(409);
    assert_eq!(
        refused.body["items"],
        json!([{"variant_id": two, "requested": 2, "available": 1}])
    );
    client.patch(&path, lines(2, 1)).await.expect(200);
    let moved = json!({"shipping_city": "Berlin", "version": 2});
    client.patch(&path, moved.clone()).await.expect(200);
    assert_eq!(
        client.patch(&path, moved).await.expect(409).code(),
        "version_conflict"
    );
    assert_eq!(
        (client.available(&one).await, client.available(&two).await),
        (1, 0)
    );
    client.patch(&path, lines(3, 1)).await.expect(200);
    assert_eq!(
        (client.available(&one).await, client.available(&two).await),
        (0, 0)
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lines_of_one_variant_are_checked_together_and_split_over_locations() {
    let shop = Shop::open("split");
    let client = shop.client();
    let variant = client.product(1_000, 3).await;
    let place = client
        .post("/locations", json!({"code": "b", "priority": 5}))
        .await
        .expect(201);
    let second = place.text("id");
    let stock = json!({"variant_id": variant, "location_id": second, "stock_quantity": 4});
    client.put("/stock", stock).await.expect(200);
    let line = json!({"variant_id": variant, "quantity": 4});
    let both = json!({"customer_id": "c", "items": [line, line]});
    let refused = client.post("/orders", both).await.expect(409);
    assert_eq!(refused.body["items"][0]["requested"], json!(8));
    assert_eq!(refused.body["items"][0]["available"], json!(7));
    let whole = client.order(&variant, 4).await.expect(201);
    assert_eq!(
        whole.body["items"][0]["location_id"],
        json!(second),
        "one location has it all"
    );
    client
        .delete(&format!("/orders/{}", whole.text("id")))
        .await
        .expect(200);
    let split = client.order(&variant, 6).await.expect(201);
    assert!(split.body["items"][0]["location_id"].is_null());
    let holds = client
        .get(&format!("/reservations?order_id={}", split.text("id")))
        .await;
    let mut parts: Vec<_> = holds.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hold| hold["quantity"].as_i64().unwrap())
        .collect();
    parts.sort_unstable();
    assert_eq!(parts, [3, 3]);
    let forced = json!({"customer_id": "c", "items": [
        {"variant_id": variant, "quantity": 2, "location_id": second},
    ]});
    assert_eq!(
        client.post("/orders", forced).await.expect(409).code(),
        "insufficient_stock"
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn immediate_mode_deducts_at_once_and_puts_back() {
    let shop = Shop::open("immediate");
    let client = shop.client();
    client
        .put("/settings", json!({"stock_mode": "immediate"}))
        .await
        .expect(200);
    let variant = client.product(1_000, 5).await;
    let level = async || {
        let levels = client
            .get(&format!("/stock?variant_id={variant}"))
            .await
            .expect(200);
        let level = levels.body["data"][0].clone();
        (
            level["stock_quantity"].as_i64().unwrap(),
            level["reserved_stock"].as_i64().unwrap(),
        )
    };
    let order = client.order(&variant, 2).await.expect(201).text("id");
    assert_eq!(level().await, (3, 0));
    client.delete(&format!("/orders/{order}")).await.expect(200);
    assert_eq!(level().await, (5, 0));
    let order = client.order(&variant, 2).await.expect(201).text("id");
    let pay = json!({"payment_method": "bank", "payment_reference": "TR"});
    client
        .patch(&format!("/orders/{order}/payment"), pay)
        .await
        .expect(200);
    assert_eq!(level().await, (3, 0));
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_filter_sort_and_page() {
    let shop = Shop::open("lists");
    let client = shop.client();
    let mut made = Vec::new();
    for price in [300, 100, 200] {
        let variant = client.product(price, 10).await;
        let mut body = order_of(&variant, 1);
        body["customer_email"] = json!(format!("p{price}@example.com"));
        made.push(client.post("/orders", body).await.expect(201).text("id"));
    }
    let ids = |answer: &super::shop::Answer| -> Vec<String> {
        let data = answer.body["data"].as_array().unwrap();
        data.iter()
            .map(|order| order["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = client.get("/orders?limit=2").await.expect(200);
    assert_eq!(ids(&first), [made[2].clone(), made[1].clone()]);
    let cursor = first.text("next_cursor");
    let rest = client
        .get(&format!("/orders?limit=2&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(ids(&rest), [made[0].clone()]);
    assert!(rest.body["next_cursor"].is_null());
    let dear = client
        .get("/orders?sort_by=total_amount&order=asc&limit=2")
        .await
        .expect(200);
    assert_eq!(ids(&dear), [made[1].clone(), made[2].clone()]);
    let cursor = dear.text("next_cursor");
    let path = format!("/orders?sort_by=total_amount&order=asc&limit=2&cursor={cursor}");
    assert_eq!(ids(&client.get(&path).await.expect(200)), [made[0].clone()]);
    for (filter, expected) in [
        ("customer_email=p100@example.com", 1),
        ("search=p200", 1),
        ("search=100%25", 0),
        ("min_amount=150&max_amount=250", 1),
        ("status=pending&payment_status=pending", 3),
        ("status=paid", 0),
        ("from_date=2020-01-01&to_date=2021-01-01", 0),
        ("to_date=9999-01-01", 3),
        ("customer_id=c-1&page=1&limit=1", 1),
    ] {
        let found = client.get(&format!("/orders?{filter}")).await.expect(200);
        assert_eq!(ids(&found).len(), expected, "{filter}");
    }
    let page = client.get("/orders?page=2&limit=2").await.expect(200);
    assert_eq!(
        (page.body["total"].clone(), page.body["page"].clone()),
        (json!(3), json!(2))
    );
    assert_eq!(ids(&page), [made[0].clone()]);
    let stats = client.get("/orders/stats").await.expect(200);
    assert_eq!(stats.body["total_orders"], json!(3));
    assert_eq!(stats.body["pending_orders"], json!(3));
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn products_have_tags_versions_and_an_archive() {
    let shop = Shop::open("products");
    let client = shop.client();
    let body = json!({"title": "Shirt", "currency": "EUR", "variants": [
        {"sku": "A-1", "options": {"size": "S"}, "unit_price": 100, "stock_quantity": 1},
        {"sku": "A-2", "options": {"size": "M"}, "unit_price": 200},
    ]});
    let made = client.post("/products", body.clone()).await.expect(201);
    let path = format!("/products/{}", made.text("id"));
    let taken = client.post("/products", body).await.expect(422);
    assert_eq!(taken.body["errors"].as_array().map(Vec::len), Some(2));
    let shown = client.get(&path).await.expect(200);
    let tag = shown.response.header("etag").unwrap().to_owned();
    assert_eq!(
        client.with("if-none-match", &tag).get(&path).await.status,
        304
    );
    client
        .order(made.body["variants"][0]["id"].as_str().unwrap(), 1)
        .await
        .expect(201);
    let changed = client
        .with("if-none-match", &tag)
        .get(&path)
        .await
        .expect(200);
    assert!(changed.body["version"].as_i64() > shown.body["version"].as_i64());
    let stale = json!({"title": "x", "version": shown.body["version"]});
    assert_eq!(
        client.patch(&path, stale).await.expect(409).code(),
        "version_conflict"
    );
    let id = made.body["variants"][1]["id"].clone();
    let change =
        json!({"variants": [{"id": id, "unit_price": 250}, {"sku": "A-3", "unit_price": 1}]});
    let patched = client.patch(&path, change).await.expect(200);
    assert_eq!(patched.body["variants"][1]["unit_price"], json!(250));
    assert_eq!(patched.body["variants"].as_array().map(Vec::len), Some(3));
    let clash = json!({"variants": [{"id": id, "sku": "N"}, {"sku": "N", "unit_price": 1}]});
    let refused = client.patch(&path, clash).await.expect(422);
    assert_eq!(
        refused.body["errors"][0]["pointer"],
        json!("/variants/0/sku")
    );
    let several =
        json!({"customer_id": "c", "items": [{"product_id": made.body["id"], "quantity": 1}]});
    let refused = client.post("/orders", several).await.expect(422);
    assert_eq!(
        refused.body["errors"][0]["pointer"],
        json!("/items/0/variant_id")
    );
    client.delete(&path).await.expect(200);
    let gone = json!({"customer_id": "c", "items": [{"sku": "A-1", "quantity": 1}]});
    assert_eq!(
        client.post("/orders", gone).await.expect(422).code(),
        "validation_failed"
    );
    let found = client.get("/products?search=Shirt").await.expect(200);
    let titles: Vec<_> = found.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["title"].clone())
        .collect();
    assert_eq!(titles, [json!("T-Shirt")]);
    shop.audit();
}
