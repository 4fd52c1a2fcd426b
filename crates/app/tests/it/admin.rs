//! Tenants, keys, and the walls between tenants.

use serde_json::json;

use super::shop::{Client, Shop};

async fn second_tenant(shop: &Shop) -> (Client, String) {
    let platform = shop
        .client()
        .with_key(Some(shop.server.fact("platform_key")));
    let tenant = platform
        .post("/admin/tenants", json!({"slug": "acme"}))
        .await
        .expect(201);
    let id = tenant.text("id");
    let key = platform
        .post(
            &format!("/admin/tenants/{id}/keys"),
            json!({"kind": "secret"}),
        )
        .await;
    let key = key.expect(201).text("key");
    (shop.client().with_key(Some(&key)), id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_makes_tenants_and_keys_and_revokes_at_once() {
    let shop = Shop::open("admin");
    let platform = shop
        .client()
        .with_key(Some(shop.server.fact("platform_key")));
    let (acme, id) = second_tenant(&shop).await;
    let taken = platform
        .post("/admin/tenants", json!({"slug": "acme"}))
        .await
        .expect(422);
    assert_eq!(taken.body["errors"][0]["pointer"], json!("/slug"));
    acme.product(100, 1).await;
    let keys = platform
        .get(&format!("/admin/tenants/{id}/keys"))
        .await
        .expect(200);
    let key = keys.body["data"][0]["id"].as_str().unwrap().to_owned();
    assert!(keys.body["data"][0].get("key").is_none());
    let path = format!("/admin/tenants/{id}/keys/{key}");
    assert!(platform.delete(&path).await.expect(200).body["revoked_at"].is_string());
    assert_eq!(
        acme.get("/products").await.expect(401).code(),
        "unauthorized"
    );
    for client in [shop.client(), acme.with_key(None)] {
        let refused = client.get("/admin/tenants").await;
        assert!(matches!(refused.status, 401 | 403), "{}", refused.body);
    }
    assert_eq!(
        platform.get("/orders").await.expect(403).code(),
        "forbidden"
    );
    let unknown = "/admin/tenants/01980000-0000-7000-8000-000000000001/keys";
    platform
        .post(unknown, json!({"kind": "secret"}))
        .await
        .expect(404);
    shop.audit();
}

/// What belongs to another tenant is not there: read, changed, named in a body or by its cursor.
#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_objects_do_not_exist() {
    let shop = Shop::open("tenants");
    let demo = shop.client();
    let (acme, id) = second_tenant(&shop).await;
    let variant = demo.product(100, 5).await;
    let order = demo.order(&variant, 1).await.expect(201).text("id");
    let payment = demo
        .send("POST", &format!("/orders/{order}/payments"), "")
        .await
        .text("id");
    let cart = demo.post("/cart", json!({})).await.expect(201).text("id");
    let product =
        demo.get(&format!("/orders/{order}")).await.body["items"][0]["product_id"].clone();
    let product = product.as_str().unwrap().to_owned();
    let pay = json!({"payment_method": "bank", "payment_reference": "x"}).to_string();
    let item = json!({"sku": "TEE-M", "quantity": 1}).to_string();
    for (method, path, body) in [
        ("GET", format!("/orders/{order}"), ""),
        ("GET", format!("/orders/{order}/events"), ""),
        ("PATCH", format!("/orders/{order}"), r#"{"notes":"x"}"#),
        ("PATCH", format!("/orders/{order}/payment"), pay.as_str()),
        (
            "PATCH",
            format!("/orders/{order}/status"),
            r#"{"status":"cancelled"}"#,
        ),
        ("POST", format!("/orders/{order}/lock"), ""),
        ("POST", format!("/orders/{order}/payments"), ""),
        ("DELETE", format!("/orders/{order}"), ""),
        ("GET", format!("/payments/{payment}"), ""),
        ("POST", format!("/payments/{payment}/confirm"), ""),
        ("POST", format!("/payments/{payment}/refunds"), ""),
        ("GET", format!("/cart/{cart}"), ""),
        ("POST", format!("/cart/{cart}/items"), item.as_str()),
        ("POST", format!("/cart/{cart}/convert"), ""),
        ("GET", format!("/products/{product}"), ""),
        ("PATCH", format!("/products/{product}"), r#"{"title":"x"}"#),
        ("DELETE", format!("/products/{product}"), ""),
        ("GET", format!("/stock/{variant}/explain"), ""),
    ] {
        let theirs = acme.send(method, &path, body).await;
        let nowhere = path.replace(|c: char| c.is_ascii_hexdigit() && c != 'e' && c != 'a', "0");
        assert_eq!(
            theirs.code(),
            "not_found",
            "{method} {path}: {}",
            theirs.body
        );
        assert_eq!(theirs.status, 404, "{nowhere}");
    }
    let named = acme.order(&variant, 1).await.expect(422);
    assert_eq!(
        named.body["errors"][0]["pointer"],
        json!("/items/0/variant_id")
    );
    for path in ["/orders", "/products", "/reservations", "/stock"] {
        let list = acme.get(path).await.expect(200);
        assert_eq!(list.body["data"], json!([]), "{path}");
    }
    let own = acme.product(100, 5).await;
    let mut body = super::shop::order_of(&own, 1);
    body["business_id"] = json!(shop.server.fact("tenant_id"));
    assert_eq!(
        acme.post("/orders", body.clone()).await.expect(403).code(),
        "tenant_mismatch"
    );
    let header = acme.with("x-tenant-id", shop.server.fact("tenant_id"));
    assert_eq!(
        header.get("/orders").await.expect(403).code(),
        "tenant_mismatch"
    );
    body["business_id"] = json!(id);
    acme.with("x-tenant-id", &id)
        .post("/orders", body)
        .await
        .expect(201);
    let same_key = demo.with("Idempotency-Key", "shared");
    same_key
        .post("/orders", super::shop::order_of(&variant, 1))
        .await
        .expect(201);
    let theirs = acme.with("Idempotency-Key", "shared");
    let made = theirs
        .post("/orders", super::shop::order_of(&own, 1))
        .await
        .expect(201);
    assert!(!made.is_replay());
    shop.audit();
}
