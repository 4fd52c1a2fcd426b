//! The `OpenAPI` document: kept, complete, and true of what is answered.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use wire::input::Shape;

use super::shop::{Shop, binary};

fn document() -> Value {
    let output = Command::new(binary()).arg("openapi").output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_kept_document_is_the_one_that_is_served() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        kept == document(),
        "run `cargo xtask openapi` and look at what changed"
    );
}

#[test]
fn every_operation_has_a_name_problems_and_examples_that_fit() {
    let document = document();
    assert_eq!(document["openapi"], json!("3.1.0"));
    let mut names = BTreeSet::new();
    for (path, verbs) in document["paths"].as_object().unwrap() {
        for (verb, operation) in verbs.as_object().unwrap() {
            let at = format!("{verb} {path}");
            assert!(
                names.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{at}"
            );
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{at}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{at}"
            );
            assert!(
                responses.keys().any(|status| status.starts_with('4')),
                "{at}"
            );
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !schema.is_null() {
                let faults = Shape::compile(schema).faults(&schema["examples"][0]);
                assert!(faults.is_empty(), "{at}: {faults:?}");
            }
        }
    }
    assert!(names.len() >= 45, "{}", names.len());
}

/// Answers of every kind fit the schemas that the document gives them, to the last member.
#[tokio::test(flavor = "multi_thread")]
async fn answers_fit_their_schemas() {
    let shop = Shop::open("contract");
    let client = shop.client();
    let components = document()["components"].clone();
    let fits = |name: &str, value: &Value| {
        let schema = json!({
            "$ref": format!("#/components/schemas/{name}"),
            "components": components,
        });
        let faults = Shape::compile(&schema).faults(value);
        assert!(faults.is_empty(), "{name}: {faults:?}\n{value}");
    };
    let variant = client.product(1_000, 5).await;
    let order = client.order(&variant, 2).await.expect(201);
    fits("Order", &order.body);
    let path = format!("/orders/{}", order.text("id"));
    let payment = client
        .send("POST", &format!("{path}/payments"), "")
        .await
        .expect(201);
    fits("Payment", &payment.body);
    let confirm = format!("/payments/{}/confirm", payment.text("id"));
    fits(
        "Payment",
        &client.send("POST", &confirm, "").await.expect(200).body,
    );
    let refund = format!("/payments/{}/refunds", payment.text("id"));
    fits(
        "Refund",
        &client
            .post(&refund, json!({"amount": 5}))
            .await
            .expect(201)
            .body,
    );
    fits("Order", &client.get(&path).await.expect(200).body);
    for event in client.get(&format!("{path}/events")).await.body["data"]
        .as_array()
        .unwrap()
    {
        fits("Event", event);
    }
    let cart = client.post("/cart", json!({})).await.expect(201);
    fits("Cart", &cart.body);
    let items = format!("/cart/{}/items", cart.text("id"));
    fits(
        "Cart",
        &client
            .post(&items, json!({"variant_id": variant, "quantity": 1}))
            .await
            .body,
    );
    let checkout = json!({"cartId": cart.text("id"), "customerEmail": "a@b.c"});
    fits(
        "Checkout",
        &client
            .post("/checkout/create-order", checkout)
            .await
            .expect(201)
            .body,
    );
    fits(
        "Explanation",
        &client.get(&format!("/stock/{variant}/explain")).await.body,
    );
    fits("OrderStats", &client.get("/orders/stats").await.body);
    fits("Settings", &client.get("/settings").await.body);
    fits("Readiness", &client.get("/health/ready").await.body);
    fits("Problem", &client.get("/orders?limit=0").await.body);
    fits("Problem", &client.order(&variant, 9).await.expect(409).body);
    for (path, name) in [
        ("/products", "Product"),
        ("/orders", "Order"),
        ("/locations", "Location"),
        ("/stock", "StockLevel"),
        ("/reservations", "Reservation"),
        ("/ledger/accounts", "LedgerAccount"),
        ("/ledger/transactions", "LedgerTransaction"),
    ] {
        let list = client.get(path).await.expect(200);
        let data = list.body["data"].as_array().unwrap();
        assert!(!data.is_empty(), "{path}");
        for one in data {
            fits(name, one);
        }
    }
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_served_by_the_binary_alone() {
    let shop = Shop::open("pages");
    let nobody = shop.client().with_key(None);
    for path in ["/docs", "/docs/problems"] {
        let page = nobody.get(path).await.expect(200).response.body;
        let page = String::from_utf8(page).unwrap();
        assert!(
            page.contains("<title>") && !page.contains("src=\"http"),
            "{path}"
        );
    }
    assert_eq!(
        nobody.get("/openapi.json").await.expect(200).body,
        document()
    );
    let metrics = nobody.get("/metrics").await.expect(200).response.body;
    assert!(
        String::from_utf8(metrics)
            .unwrap()
            .contains("stockhold_commands_total")
    );
    nobody.get("/health/live").await.expect(200);
    let wrong = nobody.send("POST", "/docs", "").await.expect(405);
    assert_eq!(wrong.response.header("allow"), Some("GET, HEAD"));
}
