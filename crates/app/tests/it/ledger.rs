//! The ledger over HTTP.

use serde_json::{Value, json};

use crate::shop::{Answer, Client, Shop, at_once, binary, path_of};

/// Debit less credit of an account in a transaction.
fn of(transaction: &Value, account: &str) -> i64 {
    let entries = transaction["entries"].as_array().unwrap();
    let found = entries.iter().find(|entry| entry["account"] == account);
    found.map_or(0, |entry| {
        entry["debit"].as_i64().unwrap() - entry["credit"].as_i64().unwrap()
    })
}

async fn transactions(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("/ledger/transactions?{query}")).await;
    answer.expect(200).body["data"].as_array().unwrap().clone()
}

async fn trial_balance(client: &Client) -> Answer {
    let balance = client.get("/api/v1/ledger/trial-balance").await.expect(200);
    assert_eq!(balance.body["balanced"], true, "{}", balance.body);
    for total in balance.body["totals"].as_array().unwrap() {
        assert_eq!(total["difference"], 0, "{total}");
    }
    balance
}

/// An order that waits for the mock provider: the payment's id and the path of its page.
async fn waiting(client: &Client, variant: &str) -> (String, String, String) {
    let order = client.order(variant, 1).await.expect(201).text("id");
    let path = format!("/orders/{order}/payments");
    let payment = client.post(&path, json!({"provider": "mock"})).await;
    let payment = payment.expect(201);
    (
        order,
        payment.text("id"),
        path_of(&payment.text("payment_url")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_a_refund_and_late_money_are_booked_once() {
    let shop = Shop::open("ledger-http");
    let client = shop.client();
    client
        .put("/settings", json!({"tax_rate_bps": 1_000}))
        .await
        .expect(200);
    let variant = client.product(1_000, 10).await;
    assert_eq!(trial_balance(&client).await.body["accounts"], json!([]));

    let (order, payment, page) = waiting(&client, &variant).await;
    let payer = client.with_key(None);
    payer
        .post(&format!("{page}/duplicate"), json!({}))
        .await
        .expect(200);
    let reference = format!("payment_confirmed:{payment}");
    let found = transactions(&client, &format!("reference={reference}")).await;
    let [sale] = found.as_slice() else {
        panic!("one transaction of a payment that was told of three times: {found:?}")
    };
    assert_eq!(
        ["cash:mock", "revenue", "tax_payable"].map(|account| of(sale, account)),
        [1_100, -1_000, -100]
    );
    assert_eq!(
        (&sale["order_id"], &sale["payment_id"]),
        (&json!(order), &json!(payment))
    );

    let path = format!("/payments/{payment}/refunds");
    let refund = client.post(&path, json!({"amount": 550})).await.expect(201);
    assert_eq!(refund.body["tax_amount"], 50);
    let reference = format!("refund:{}", refund.text("id"));
    let found = transactions(&client, &format!("reference={reference}")).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        ["cash:mock", "refunds", "tax_payable"].map(|account| of(&found[0], account)),
        [-550, 500, 50]
    );

    let (late, payment, page) = waiting(&client, &variant).await;
    client.delete(&format!("/orders/{late}")).await.expect(200);
    payer
        .post(&format!("{page}/pay"), json!({}))
        .await
        .expect(200);
    let found = transactions(&client, &format!("order_id={late}")).await;
    let credits: Vec<i64> = found.iter().map(|one| of(one, "customer_credit")).collect();
    assert_eq!(
        credits,
        [1_100, -1_100],
        "newest first: it came, and went back"
    );
    assert_eq!(
        found[1]["reference"],
        format!("payment_confirmed:{payment}")
    );

    let history = client.get(&format!("/orders/{late}/events")).await;
    let history = history.expect(200).body["data"].clone();
    let unearned = history.as_array().unwrap().iter();
    let mut unearned = unearned.filter(|event| event["type"] == "payment.unearned");
    assert_eq!(unearned.next().unwrap()["data"]["why"], "cancelled");

    let balance = trial_balance(&client).await;
    let accounts = client.get("/ledger/accounts").await.expect(200);
    assert_eq!(accounts.body["data"], balance.body["accounts"]);
    let cash = accounts.body["data"].as_array().unwrap();
    let cash = cash
        .iter()
        .find(|one| one["account"] == "cash:mock")
        .unwrap();
    assert_eq!(
        (&cash["balance"], &cash["kind"]),
        (&json!(550), &json!("asset"))
    );
    shop.audit();

    // Prices that contain tax; and an operator confirms under the name that the provider has for it.
    let settings = json!({"tax_inclusive": true, "shipping_flat_fee": 490});
    client.put("/settings", settings).await.expect(200);
    let (order, payment, page) = waiting(&client, &variant).await;
    let shown = client
        .get(&format!("/payments/{payment}"))
        .await
        .expect(200);
    let same = json!({"payment_method": "bank",
        "payment_reference": shown.text("provider_reference")});
    client
        .patch(&format!("/orders/{order}/payment"), same)
        .await
        .expect(200);
    payer
        .post(&format!("{page}/pay"), json!({}))
        .await
        .expect(200);
    let found = transactions(&client, &format!("order_id={order}")).await;
    let credits: Vec<i64> = found.iter().map(|one| of(one, "customer_credit")).collect();
    assert_eq!(
        credits,
        [1_490, -1_490, 0],
        "the second money is the customer's"
    );
    let much = json!({"customer_id": "c", "tax_amount": 5_000,
        "items": [{"variant_id": variant, "quantity": 1}]});
    let refused = client.post("/orders", much).await;
    assert_eq!((refused.status, refused.code()), (422, "validation_failed"));
    trial_balance(&client).await;
    shop.audit();

    // A shop from before the ledger had tables: they follow from its journal.
    let mut shop = shop;
    shop.server.kill().unwrap();
    for way in [&["down", "--steps", "3", "--yes"][..], &["up"]] {
        let migrated = std::process::Command::new(binary())
            .arg("migrate")
            .args(way)
            .args(["--database", &shop.folder.database()])
            .status();
        assert!(migrated.unwrap().success(), "{way:?}");
    }
    shop.audit();
}

/// Seed 001, 1.2: every one of fifty payments is applied once, however often it is told of.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_payments_told_of_twice_at_once_are_fifty_transactions() {
    let shop = Shop::open("fifty");
    let client = shop.client();
    let variant = client.product(1_000, 50).await;
    let mut pages = Vec::new();
    for _ in 0..50 {
        pages.push(waiting(&client, &variant).await);
    }
    at_once(100, |number| {
        let payer = client.with_key(None);
        let page = pages[number % 50].2.clone();
        async move {
            payer
                .post(&format!("{page}/pay"), json!({}))
                .await
                .expect(200)
        }
    })
    .await;
    for (order, payment, _) in &pages {
        let shown = client.get(&format!("/orders/{order}")).await;
        assert_eq!(shown.body["payment_status"], "paid");
        let reference = format!("payment_confirmed:{payment}");
        let found = transactions(&client, &format!("reference={reference}")).await;
        assert_eq!(found.len(), 1, "{found:?}");
    }
    let balance = trial_balance(&client).await;
    assert_eq!(balance.body["totals"][0]["debit"], 50_000);
    let mut cursor = String::new();
    let mut seen = 0;
    loop {
        let page = client
            .get(&format!("/ledger/transactions?limit=20{cursor}"))
            .await;
        let page = page.expect(200).body;
        seen += page["data"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, 50);
    shop.audit();
}

/// Seed 001: of a hundred refunds at once, no more goes back than came.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_refunds_at_once_never_pass_what_was_captured() {
    let shop = Shop::open("hundred");
    let client = shop.client();
    let variant = client.product(1_000, 1).await;
    let (_, payment, page) = waiting(&client, &variant).await;
    let payer = client.with_key(None);
    payer
        .post(&format!("{page}/pay"), json!({}))
        .await
        .expect(200);
    let path = format!("/payments/{payment}/refunds");
    let answers = at_once(100, |_| {
        let (client, path) = (client.clone(), path.clone());
        async move { client.post(&path, json!({"amount": 30})).await }
    })
    .await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(done, 33, "33 × 30 is all that 1,000 gives");
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(
            (refused.status, refused.code()),
            (422, "refund_exceeds_payment")
        );
    }
    let shown = client
        .get(&format!("/payments/{payment}"))
        .await
        .expect(200);
    assert_eq!(shown.body["refunded_amount"], 990);
    let accounts = trial_balance(&client).await.body["accounts"].clone();
    let accounts = accounts.as_array().unwrap();
    let refunds = accounts
        .iter()
        .find(|one| one["account"] == "refunds")
        .unwrap();
    assert_eq!(refunds["debit"], 990);
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_its_shops_alone() {
    let shop = Shop::open("ledger-apart");
    let client = shop.client();
    let unknown = client.get("/ledger/transactions?account=gold").await;
    assert_eq!((unknown.status, unknown.code()), (422, "validation_failed"));
    assert_eq!(unknown.body["errors"][0]["pointer"], "/query/account");
    for path in ["accounts", "transactions", "trial-balance"] {
        let browser = client.with_key(Some(shop.server.fact("publishable_key")));
        let answer = browser.get(&format!("/ledger/{path}")).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{path}");
    }
}
