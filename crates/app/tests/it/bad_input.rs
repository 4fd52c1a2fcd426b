//! Malformed, hostile and absurd requests: each gets its exact code, none changes anything.

use serde_json::{Value, json};

use super::shop::{Client, Shop};

/// A bad request and what it must be answered.
struct Case {
    who: Who,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    status: u16,
    code: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Secret,
    Publishable,
    Platform,
    Nobody,
}

/// What the cases are made of.
struct Facts {
    variant: String,
    order: String,
    locked: String,
    cart: String,
    payment: String,
    product: String,
    cases: Vec<Case>,
}

const UNKNOWN: &str = "01980000-0000-7000-8000-00000000dead";

impl Facts {
    fn case(
        &mut self,
        method: &'static str,
        path: &str,
        body: impl ToString,
        expected: (u16, &'static str),
    ) {
        self.cases.push(Case {
            who: Who::Secret,
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: body.to_string(),
            status: expected.0,
            code: expected.1,
        });
    }

    fn last(&mut self) -> &mut Case {
        self.cases.last_mut().unwrap()
    }

    /// Bodies of `POST /orders` that are at fault.
    fn orders(&mut self) {
        let invalid = (422, "validation_failed");
        let variant = self.variant.clone();
        for quantity in [
            "0",
            "-1",
            "-0",
            "1000001",
            "1.5",
            "1.0",
            "1e3",
            "\"1\"",
            "null",
            "true",
            "[]",
            "{}",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775809",
            "1e400",
        ] {
            let body = format!(
                r#"{{"customer_id":"c","items":[{{"variant_id":"{variant}","quantity":{quantity}}}]}}"#
            );
            self.case("POST", "/orders", body, invalid);
        }
        let line = json!({"variant_id": variant, "quantity": 1});
        for (name, value) in [
            ("items", json!([])),
            ("items", json!(vec![line.clone(); 101])),
            ("items", json!("x")),
            ("items", json!({})),
            ("items", json!([1])),
            ("items", json!([null])),
            ("items", json!([{"quantity": 1}])),
            ("items", json!([{"variant_id": UNKNOWN, "quantity": 1}])),
            ("items", json!([{"product_id": UNKNOWN, "quantity": 1}])),
            ("items", json!([{"sku": "NO-SUCH-SKU", "quantity": 1}])),
            ("items", json!([{"sku": "", "quantity": 1}])),
            ("items", json!([{"sku": "s".repeat(101), "quantity": 1}])),
            (
                "items",
                json!([{"variant_id": "not-a-uuid", "quantity": 1}]),
            ),
            ("items", json!([{"variant_id": 7, "quantity": 1}])),
            (
                "items",
                json!([{"variant_id": variant, "product_id": UNKNOWN, "quantity": 1}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "sku": "TEE-M", "quantity": 1}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "quantity": 1, "price": 1}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "quantity": 1, "location_id": UNKNOWN}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "quantity": 1, "discount": -1}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "quantity": 1, "discount": 1001}]),
            ),
            ("customer_id", json!("")),
            ("customer_id", json!("c".repeat(65))),
            ("customer_id", json!(7)),
            ("customer_id", json!("nul\u{0}byte")),
            ("customer_email", json!("no-at-sign")),
            ("customer_email", json!("a b@c")),
            ("customer_email", json!(format!("{}@b.c", "a".repeat(260)))),
            ("discount_amount", json!(-1)),
            ("discount_amount", json!(1_001)),
            ("discount_amount", json!(1_000_000_000_000_001_i64)),
            ("tax_amount", json!(-5)),
            ("tax_amount", json!("5")),
            ("shipping_fee", json!(0.5)),
            ("draft", json!("yes")),
            ("draft", json!(1)),
            ("notes", json!("n".repeat(2_001))),
            ("notes", json!(["n"])),
            ("shipping_city", json!("\u{0}")),
            ("payment_method", json!("")),
            ("status", json!("paid")),
            ("id", json!(UNKNOWN)),
            ("total_amount", json!(1)),
            ("created_at", json!("2020-01-01T00:00:00Z")),
            ("__proto__", json!({"admin": true})),
            ("is_admin", json!(true)),
        ] {
            let mut body = json!({"customer_id": "c", "items": [line]});
            body[name] = value;
            self.case("POST", "/orders", body, invalid);
        }
        self.case("POST", "/orders", json!({"items": [line]}), invalid);
        self.case("POST", "/orders", json!({"customer_id": "c"}), invalid);
        self.case(
            "POST",
            "/orders",
            json!({"customer_id": null, "items": [line]}),
            invalid,
        );
        let body = r#"{"customer_id":"c","customer_id":"d","items":[]}"#;
        self.case("POST", "/orders", body, invalid);
        let huge = format!(
            r#"{{"customer_id":"c","discount_amount":{},"items":[]}}"#,
            "9".repeat(400)
        );
        self.case("POST", "/orders", huge, invalid);
        let dear = json!({"customer_id": "c", "tax_amount": 1_000_000_000_000_000_i64,
            "shipping_fee": 1_000_000_000_000_000_i64, "items": [line]});
        self.case("POST", "/orders", dear, invalid);
        for other in [UNKNOWN, "x", ""] {
            let body = json!({"customer_id": "c", "business_id": other, "items": [line]});
            self.case("POST", "/orders", body, (403, "tenant_mismatch"));
        }
        let body =
            json!({"customer_id": "c", "items": [{"variant_id": variant, "quantity": 1_000_000}]});
        self.case("POST", "/orders", body, (409, "insufficient_stock"));
        let mixed = json!({"customer_id": "c", "items": [line, {"sku": "PHP-1", "quantity": 1}]});
        self.case("POST", "/orders", mixed, (422, "currency_mismatch"));
    }

    /// What is no JSON, too long, of another type, or not there.
    fn bodies(&mut self) {
        let malformed = (400, "malformed_request");
        for body in [
            "",
            "{",
            "}",
            "nul",
            "{'a':1}",
            "{\"a\":1,}",
            "[1,2",
            "NaN",
            "Infinity",
            "{} {}",
            "\u{feff}{}",
            "<xml/>",
            "customer_id=c",
            "\"unterminated",
        ] {
            self.case("POST", "/orders", body, malformed);
        }
        self.case("POST", "/orders", "[".repeat(100_000), malformed);
        self.case("POST", "/orders", r#"{"a":"#.repeat(20_000), malformed);
        for body in ["[]", "1", "\"x\"", "null", "true"] {
            self.case("POST", "/orders", body, (422, "validation_failed"));
        }
        let long = format!(r#"{{"notes":"{}"}}"#, "n".repeat(300_000));
        self.case("POST", "/orders", long, (413, "body_too_large"));
        for kind in [
            "text/plain",
            "application/xml",
            "multipart/form-data",
            "text/json",
        ] {
            self.case("POST", "/orders", "{}", (415, "unsupported_media_type"));
            self.last().headers.push(("content-type", kind.to_owned()));
        }
        for key in ["", "a b", "\"\"", "k\u{e9}y"] {
            self.case("POST", "/cart", "{}", malformed);
            self.last()
                .headers
                .push(("idempotency-key", key.to_owned()));
        }
        self.case("POST", "/cart", "{}", malformed);
        self.last()
            .headers
            .push(("idempotency-key", "k".repeat(256)));
        for path in [
            "/orders",
            "/products",
            "/checkout/create-order",
            "/stock/adjustments",
            "/locations",
        ] {
            self.case("POST", path, "", malformed);
        }
    }

    /// Paths, queries and methods.
    fn addresses(&mut self) {
        let (order, cart, product) = (self.order.clone(), self.cart.clone(), self.product.clone());
        for id in [
            "x",
            "1",
            "%00",
            "..",
            "01980000-0000-7000-8000-00000000dea",
            "{id}",
            "null",
        ] {
            self.case(
                "GET",
                &format!("/orders/{id}"),
                "",
                (400, "malformed_request"),
            );
        }
        self.cases.retain(|case| case.path != "/orders/..");
        for path in [
            format!("/orders/{UNKNOWN}"),
            format!("/orders/{UNKNOWN}/events"),
            format!("/products/{UNKNOWN}"),
            format!("/cart/{UNKNOWN}"),
            format!("/payments/{UNKNOWN}"),
            format!("/stock/{UNKNOWN}/explain"),
            "/nowhere".to_owned(),
            "/orders/".to_owned(),
            "//orders".to_owned(),
            "/ORDERS".to_owned(),
            "/api/v2/orders".to_owned(),
            "/webhooks/nobody/mock".to_owned(),
        ] {
            let method = if path.starts_with("/webhooks") {
                "POST"
            } else {
                "GET"
            };
            self.case(method, &path, "", (404, "not_found"));
        }
        for (method, path) in [
            ("DELETE", "/orders".to_owned()),
            ("PUT", format!("/orders/{order}")),
            ("POST", format!("/orders/{order}")),
            ("GET", format!("/orders/{order}/lock")),
            ("PATCH", "/cart".to_owned()),
            ("GET", "/cart".to_owned()),
            ("TRACE", "/orders".to_owned()),
            ("OPTIONS", "/orders".to_owned()),
            ("QUERY", "/orders".to_owned()),
            ("POST", "/health/live".to_owned()),
            ("DELETE", "/settings".to_owned()),
        ] {
            self.case(method, &path, "", (405, "method_not_allowed"));
        }
        for query in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=x",
            "limit=",
            "limit=1&limit=2",
            "limit=1e1",
            "limit=%2B5",
            "nonsense=1",
            "status=lost",
            "payment_status=x",
            "from_date=yesterday",
            "to_date=2025-13-01",
            "min_amount=-1",
            "max_amount=x",
            "sort_by=secret",
            "order=up",
            "page=0",
            "page=1000001",
            "tenant_id=x",
        ] {
            self.case(
                "GET",
                &format!("/orders?{query}"),
                "",
                (422, "validation_failed"),
            );
        }
        for cursor in [
            "",
            "x",
            "AAAA",
            "%00",
            &"f".repeat(47),
            &"F".repeat(48),
            &"9".repeat(100_000 / 25),
        ] {
            let path = format!("/orders?cursor={cursor}");
            self.case("GET", &path, "", (400, "malformed_request"));
        }
        self.case(
            "GET",
            &format!("/stock?cursor={}", "0".repeat(48)),
            "",
            (400, "malformed_request"),
        );
        self.case("GET", "/stock?variant_id=x", "", (422, "validation_failed"));
        self.case(
            "GET",
            "/reservations?status=lost",
            "",
            (422, "validation_failed"),
        );
        // 404 of the path comes before 422 of the body.
        for path in [format!("/orders/{UNKNOWN}"), format!("/products/{UNKNOWN}")] {
            self.case("PATCH", &path, r#"{"x":1}"#, (404, "not_found"));
        }
        self.case(
            "POST",
            &format!("/cart/{UNKNOWN}/items"),
            "{}",
            (404, "not_found"),
        );
        self.case(
            "PATCH",
            &format!("/products/{product}"),
            r#"{"x":1}"#,
            (422, "validation_failed"),
        );
        self.case(
            "DELETE",
            &format!("/cart/{cart}/items/{UNKNOWN}"),
            "",
            (404, "not_found"),
        );
    }

    /// Carts, stock, payments and settings.
    fn others(&mut self) {
        let invalid = (422, "validation_failed");
        let (cart, variant, order) = (self.cart.clone(), self.variant.clone(), self.order.clone());
        let items = format!("/cart/{cart}/items");
        for body in [
            json!({}),
            json!({"quantity": 1}),
            json!({"variant_id": variant}),
            json!({"variant_id": variant, "quantity": 0}),
            json!({"variant_id": variant, "quantity": 1_000_001}),
            json!({"variant_id": UNKNOWN, "quantity": 1}),
            json!({"sku": "NO", "quantity": 1}),
        ] {
            self.case("POST", &items, body, invalid);
        }
        self.case(
            "POST",
            &items,
            json!({"sku": "PHP-1", "quantity": 1}),
            (422, "currency_mismatch"),
        );
        for body in [
            json!({"currency": "eur"}),
            json!({"currency": "XXX"}),
            json!({"currency": "EURO"}),
            json!({"customer_email": "x"}),
            json!({"items": []}),
        ] {
            self.case("POST", "/cart", body, invalid);
        }
        let checkout = "/checkout/create-order";
        for body in [
            json!({"cartId": cart}),
            json!({"cartId": "x", "customerEmail": "a@b.c"}),
            json!({"cartId": UNKNOWN, "customerEmail": "a@b.c"}),
            json!({"cart_id": cart, "customer_email": "a@b.c"}),
            json!({"cartId": cart, "customerEmail": "a@b.c", "provider": "bitcoin"}),
            json!({"cartId": cart, "customerEmail": "a@b.c", "returnUrl": "javascript:alert(1)"}),
        ] {
            self.case("POST", checkout, body, invalid);
        }
        let empty = json!({"cartId": self.cart, "customerEmail": "a@b.c"});
        self.case("POST", checkout, empty, (409, "cart_empty"));
        for body in [
            json!({"variant_id": variant, "stock_quantity": -1}),
            json!({"variant_id": variant, "stock_quantity": 1_000_000_001}),
            json!({"variant_id": variant, "backorder_limit": -1}),
            json!({"variant_id": UNKNOWN, "stock_quantity": 1}),
            json!({"variant_id": variant, "location_id": UNKNOWN, "stock_quantity": 1}),
            json!({"stock_quantity": 1}),
        ] {
            self.case("PUT", "/stock", body, invalid);
        }
        self.case(
            "PUT",
            "/stock",
            json!({"variant_id": variant, "stock_quantity": 0}),
            (409, "insufficient_stock"),
        );
        self.case(
            "PUT",
            "/stock",
            json!({"variant_id": variant, "version": 999}),
            (409, "version_conflict"),
        );
        for (delta, reason) in [(0, "x"), (1_000_000_001, "x"), (1, "")] {
            let body = json!({"variant_id": variant, "delta": delta, "reason": reason});
            self.case("POST", "/stock/adjustments", body, invalid);
        }
        let most = json!({"variant_id": variant, "delta": 1_000_000_000, "reason": "x"});
        self.case("POST", "/stock/adjustments", most, invalid);
        let taken = json!({"variant_id": variant, "delta": -1_000_000, "reason": "x"});
        self.case(
            "POST",
            "/stock/adjustments",
            taken,
            (409, "insufficient_stock"),
        );
        let payment = format!("/payments/{}/refunds", self.payment);
        for body in [
            json!({"amount": 0}),
            json!({"amount": -1}),
            json!({"items": []}),
            json!({"items": [{"order_item_id": UNKNOWN, "quantity": 1}]}),
            json!({"all": true}),
        ] {
            self.case("POST", &payment, body, invalid);
        }
        self.case(
            "POST",
            &payment,
            json!({"amount": 1}),
            (409, "invalid_state"),
        );
        for body in [
            json!({}),
            json!({"payment_method": "b"}),
            json!({"payment_method": "", "payment_reference": "r"}),
            json!({"payment_method": "b", "payment_reference": "r", "amount": -1}),
        ] {
            self.case("PATCH", &format!("/orders/{order}/payment"), body, invalid);
        }
        let short = json!({"payment_method": "b", "payment_reference": "r", "amount": 1});
        self.case(
            "PATCH",
            &format!("/orders/{order}/payment"),
            short,
            (422, "amount_mismatch"),
        );
        for body in [json!({}), json!({"status": "lost"}), json!({"status": 1})] {
            self.case("PATCH", &format!("/orders/{order}/status"), body, invalid);
        }
        let locked = format!("/orders/{}", self.locked);
        self.case(
            "PATCH",
            &locked,
            json!({"discount_amount": 1}),
            (409, "order_locked"),
        );
        self.case(
            "POST",
            &format!("{locked}/lock"),
            "",
            (409, "order_already_locked"),
        );
        for body in [
            json!({"payment_timeout_minutes": 0}),
            json!({"payment_timeout_minutes": 43_201}),
            json!({"tax_rate_bps": 10_001}),
            json!({"stock_mode": "magic"}),
            json!({"default_provider": "bitcoin"}),
            json!({"default_currency": "XXX"}),
            json!({"payment_timeout_by_tier": {"vip": 0}}),
            json!({"unknown": 1}),
        ] {
            self.case("PUT", "/settings", body, invalid);
        }
        for body in [
            json!({"title": "x"}),
            json!({"title": "", "unit_price": 1}),
            json!({"title": "x", "unit_price": -1}),
            json!({"title": "x", "variants": []}),
            json!({"title": "x", "unit_price": 1, "variants": [{"unit_price": 1}]}),
            json!({"title": "x", "currency": "ABC", "unit_price": 1}),
            json!({"title": "x", "variants": [{"sku": "D", "unit_price": 1}, {"sku": "D", "unit_price": 1}]}),
            json!({"title": "x", "unit_price": 1, "sku": "TEE-M"}),
        ] {
            self.case("POST", "/products", body, invalid);
        }
        self.case("POST", "/locations", json!({"code": "default"}), invalid);
    }

    /// Keys that may not, and what a browser's key may not send.
    fn keys(&mut self) {
        let line = json!([{"variant_id": self.variant, "quantity": 1}]);
        for (name, value) in [
            ("discount_amount", json!(1)),
            ("tax_amount", json!(0)),
            ("shipping_fee", json!(0)),
            ("customer_tier", json!("vip")),
            ("draft", json!(true)),
        ] {
            let mut body = json!({"customer_id": "c", "items": line});
            body[name] = value;
            self.case("POST", "/orders", body, (403, "forbidden"));
            self.last().who = Who::Publishable;
        }
        let discounted = json!([{"variant_id": self.variant, "quantity": 1, "discount": 1}]);
        self.case(
            "POST",
            "/orders",
            json!({"customer_id": "c", "items": discounted}),
            (403, "forbidden"),
        );
        self.last().who = Who::Nobody;
        let order = self.order.clone();
        for (method, path) in [
            ("GET", "/orders".to_owned()),
            ("GET", "/orders/stats".to_owned()),
            ("GET", "/stock".to_owned()),
            ("GET", "/reservations".to_owned()),
            ("GET", format!("/orders/{order}")),
            ("PUT", "/settings".to_owned()),
            ("POST", format!("/orders/{order}/lock")),
            ("DELETE", format!("/orders/{order}")),
            ("GET", "/admin/tenants".to_owned()),
        ] {
            for who in [Who::Publishable, Who::Nobody] {
                let body = if method == "PUT" { "{}" } else { "" };
                self.case(method, &path, body, (403, "forbidden"));
                self.last().who = who;
            }
        }
        for path in ["/orders", "/products", "/stock"] {
            self.case("GET", path, "", (403, "forbidden"));
            self.last().who = Who::Platform;
        }
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Basic abc",
            "sk_00000000000000000000000000",
            "Bearer sk_0123456789ABCDEFGHIJKLMNOP000000",
            "Bearer sk_\u{e9}",
        ] {
            self.case("GET", "/orders", "", (401, "unauthorized"));
            self.last().who = Who::Nobody;
            self.last()
                .headers
                .push(("authorization", value.to_owned()));
        }
        self.case("GET", "/orders", "", (403, "tenant_mismatch"));
        self.last()
            .headers
            .push(("x-tenant-id", UNKNOWN.to_owned()));
    }
}

async fn facts(client: &Client) -> Facts {
    let variant = client.product(1_000, 3).await;
    let order = client.order(&variant, 1).await.expect(201);
    let locked = client.order(&variant, 1).await.expect(201).text("id");
    client
        .send("POST", &format!("/orders/{locked}/lock"), "")
        .await
        .expect(200);
    let path = format!("/orders/{}/payments", order.text("id"));
    let payment = client.send("POST", &path, "").await.expect(201).text("id");
    let pesos = json!({"title": "Peso", "currency": "PHP", "unit_price": 1, "sku": "PHP-1", "stock_quantity": 5});
    client.post("/products", pesos).await.expect(201);
    let cart = client
        .post("/cart", json!({"currency": "EUR"}))
        .await
        .expect(201)
        .text("id");
    let product = order.body["items"][0]["product_id"]
        .as_str()
        .unwrap()
        .to_owned();
    Facts {
        variant,
        order: order.text("id"),
        locked,
        cart,
        payment,
        product,
        cases: Vec::new(),
    }
}

/// Everything that a request could have changed.
async fn world(client: &Client) -> Vec<Value> {
    let mut world = Vec::new();
    for path in [
        "/orders?limit=100",
        "/products?limit=100",
        "/stock?limit=100",
        "/reservations?limit=100",
        "/locations",
        "/settings",
    ] {
        world.push(client.get(path).await.expect(200).body);
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_request_has_its_code_and_changes_nothing() {
    let shop = Shop::open("bad-input");
    let client = shop.client();
    let mut facts = facts(&client).await;
    facts.orders();
    facts.bodies();
    facts.addresses();
    facts.others();
    facts.keys();
    assert!(facts.cases.len() >= 150, "{} cases", facts.cases.len());
    let before = world(&client).await;
    let cart_before = client.get(&format!("/cart/{}", facts.cart)).await.body;
    let mut wrong = Vec::new();
    for case in &facts.cases {
        let mut asking = client.with_key(match case.who {
            Who::Secret => Some(shop.server.fact("secret_key")),
            Who::Publishable => Some(shop.server.fact("publishable_key")),
            Who::Platform => Some(shop.server.fact("platform_key")),
            Who::Nobody => None,
        });
        for (name, value) in &case.headers {
            asking = asking.with(name, value);
        }
        let answer = asking.send(case.method, &case.path, &case.body).await;
        let problem = answer.response.header("content-type") == Some("application/problem+json");
        let named = answer.response.header("x-request-id").is_some();
        if (answer.status, answer.code()) != (case.status, case.code) || !problem || !named {
            let body: String = case.body.chars().take(160).collect();
            let (method, path, headers) = (case.method, &case.path, &case.headers);
            let expected = (case.status, case.code);
            wrong.push(format!(
                "{method} {path:.120} {headers:?} {body}\n  expected {expected:?}, got {} {}",
                answer.status, answer.body
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        facts.cases.len(),
        wrong.join("\n")
    );
    assert_eq!(world(&client).await, before);
    assert_eq!(
        client.get(&format!("/cart/{}", facts.cart)).await.body,
        cart_before
    );
    shop.audit();
}
