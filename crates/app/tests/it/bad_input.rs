//! Malformed, hostile and absurd requests: each gets its exact code, none changes anything.

mod orders;
mod others;

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
            ("GET", "/reservations".to_owned()),
            ("GET", format!("/orders/{order}")),
            ("PUT", "/settings".to_owned()),
            ("POST", format!("/orders/{order}/lock")),
            ("DELETE", format!("/orders/{order}")),
            ("GET", "/admin/tenants".to_owned()),
        ] {
            for who in [Who::Publishable, Who::Nobody] {
                let body = if method == "PUT" { "{}" } else { "" };
                let publishable = who == Who::Publishable;
                let by_token = path.contains(&order) && method != "POST";
                let code = if publishable || by_token {
                    (403, "forbidden")
                } else {
                    (401, "unauthorized")
                };
                self.case(method, &path, body, code);
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
