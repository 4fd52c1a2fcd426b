//! `stockhold export ledger`: what money did, double entry.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::shop::{Shop, binary, path_of};

/// Debits less credits by reference and account.
fn ledger(shop: &Shop) -> BTreeMap<String, BTreeMap<String, i64>> {
    let output = Command::new(binary())
        .args(["export", "ledger", "--format", "ndjson"])
        .args(["--database", &shop.folder.database()])
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut found: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let number = |name: &str| row[name].as_i64().unwrap();
        let entries = found.entry(text("reference")).or_default();
        let before = entries.insert(text("account"), number("debit") - number("credit"));
        assert_eq!(before, None, "an account stands once in {line}");
    }
    found
}

fn entries(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    pairs
        .iter()
        .map(|(account, amount)| ((*account).to_owned(), *amount))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transaction_balances_and_late_money_is_the_customers() {
    let shop = Shop::open("ledger");
    let client = shop.client();
    let settings = json!({"tax_rate_bps": 1900, "shipping_flat_fee": 500});
    client.put("/settings", settings).await.expect(200);
    let variant = client.product(10_000, 10).await;
    let body = json!({"customer_id": "c", "discount_amount": 1_000,
        "items": [{"variant_id": variant, "quantity": 2}]});
    let order = client.post("/orders", body).await.expect(201);
    let id = order.text("id");
    let paid = json!({"payment_method": "bank", "payment_reference": "r1"});
    client
        .patch(&format!("/orders/{id}/payment"), paid)
        .await
        .expect(200);

    // Cancelled before its money came: the money goes back.
    let late = client.order(&variant, 1).await.expect(201).text("id");
    let payment = client
        .post(
            &format!("/orders/{late}/payments"),
            json!({"provider": "mock"}),
        )
        .await
        .expect(201);
    client.delete(&format!("/orders/{late}")).await.expect(200);
    let url = payment.text("payment_url");
    let page = path_of(&url);
    client
        .with_key(None)
        .post(&format!("{page}/pay"), json!({}))
        .await
        .expect(200);

    let found = ledger(&shop);
    let total = order.body["total_amount"].as_i64().unwrap();
    let tax = order.body["tax_amount"].as_i64().unwrap();
    assert!(
        tax > 0 && total == 20_000 - 1_000 + 500 + tax,
        "{}",
        order.body
    );
    let earned = entries(&[
        ("cash:manual", total),
        ("discounts", 1_000),
        ("revenue", -20_000),
        ("shipping_revenue", -500),
        ("tax_payable", -tax),
    ]);
    let amount = payment.body["amount"].as_i64().unwrap();
    let came = entries(&[("cash:mock", amount), ("customer_credit", -amount)]);
    let went = entries(&[("cash:mock", -amount), ("customer_credit", amount)]);
    let mut all: Vec<_> = found.values().cloned().collect();
    for expected in [earned, came, went] {
        let place = all.iter().position(|entries| *entries == expected);
        all.remove(place.unwrap_or_else(|| panic!("{expected:?} is not in {found:?}")));
    }
    assert!(all.is_empty(), "{all:?}");
    assert!(found.contains_key(&format!("payment_confirmed:{}", payment.text("id"))));

    // Paid back in part: the rest is still there.
    let payments = client
        .get(&format!("/orders/{id}/events"))
        .await
        .expect(200)
        .body;
    let events = payments["data"].as_array().unwrap();
    let of_paid = events
        .iter()
        .find(|event| event["type"] == "order.paid")
        .unwrap();
    let paid = of_paid["data"]["payment_id"].as_str().unwrap();
    client
        .post(&format!("/payments/{paid}/refunds"), json!({"amount": 700}))
        .await
        .expect(201);
    let found = ledger(&shop);
    // Rounded half up.
    let back = (2 * tax * 700 + total) / (2 * total);
    assert!(back > 0);
    assert!(
        found.values().any(|e| *e
            == entries(&[
                ("refunds", 700 - back),
                ("tax_payable", back),
                ("cash:manual", -700)
            ])),
        "{found:?}"
    );
    assert!(
        found
            .values()
            .all(|entries| entries.values().sum::<i64>() == 0)
    );
    shop.audit();
}
