//! `POST /products/import`: line by line.

use bench::connection::request;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::shop::{Client, Shop};

async fn import(client: &Client, query: &str, body: &str) -> Vec<Value> {
    let client = client.with("content-type", "application/x-ndjson");
    let answer = client
        .send("POST", &format!("/api/v1/products/import{query}"), body)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.response.header("content-type"),
        Some("application/x-ndjson")
    );
    let text = String::from_utf8(answer.response.body.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn line(handle: &str, price: i64) -> String {
    json!({"handle": handle, "title": handle, "variants": [
        {"sku": format!("{handle}-1"), "unit_price": price, "stock": [{"stock_quantity": 5}]},
    ]})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_has_its_own_result_in_order() {
    let shop = Shop::open("lines");
    let client = shop.client();
    let long = format!("{{\"handle\":\"{}\"}}", "x".repeat(300 * 1024));
    let body = [
        line("one", 100).as_str(),
        "",
        "{nonsense",
        &line("two", -1),
        &long,
        r#"{"handle":"three","title":"Three","variants":[{"unit_price":1,"stock":[{"location":"moon","stock_quantity":1}]}],"colour":1}"#,
        r#"{"handle":"four","title":"Four","variants":[{"unit_price":1,"stock":[{"location":"moon","stock_quantity":1}]}]}"#,
        &line("one", 100),
    ]
    .join("\n");
    let results = import(&client, "", &body).await;
    let got: Vec<_> = results
        .iter()
        .map(|result| {
            (
                result["line"].as_u64().unwrap(),
                result["status"].as_u64().unwrap(),
                result["code"]
                    .as_str()
                    .unwrap_or(result["outcome"].as_str().unwrap_or("")),
            )
        })
        .collect();
    assert_eq!(
        got,
        [
            (1, 201, "created"),
            (3, 400, "malformed_request"),
            (4, 422, "validation_failed"),
            (5, 413, "body_too_large"),
            (6, 422, "validation_failed"),
            (7, 422, "validation_failed"),
            (8, 200, "unchanged"),
        ]
    );
    assert_eq!(results[2]["errors"][0]["pointer"], "/variants/0/unit_price");
    assert_eq!(results[4]["errors"][0]["pointer"], "/colour");
    assert_eq!(
        results[5]["errors"][0]["pointer"],
        "/variants/0/stock/0/location"
    );
    let found = client.get("/products?search=one-1").await.expect(200);
    assert_eq!(found.body["data"][0]["handle"], "one");
    assert_eq!(found.body["data"][0]["variants"][0]["available"], 5);
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing_and_a_key_answers_each_line_again() {
    let shop = Shop::open("lines-key");
    let client = shop.client();
    let body = format!("{}\n{}\n", line("a", 1), line("b", 2));
    let keyed = client.with("idempotency-key", "import-1");
    let thought = import(&keyed, "?dry_run=true", &body).await;
    assert!(
        thought
            .iter()
            .all(|result| result["outcome"] == "created" && result["product_id"].is_null()),
        "{thought:?}"
    );
    assert_eq!(
        client.get("/products?search=a-1").await.body["data"],
        json!([])
    );
    let first = import(&keyed, "", &body).await;
    assert!(
        first.iter().all(|result| result["outcome"] == "created"),
        "{first:?}"
    );
    assert_eq!(
        import(&keyed, "", &body).await,
        first,
        "the same key answers the same"
    );
    let other = import(
        &keyed,
        "",
        &body.replace("\"unit_price\":2", "\"unit_price\":3"),
    )
    .await;
    assert_eq!(other[1]["code"], "idempotency_key_reused");
    let set = import(
        &client,
        "?stock=set",
        &body.replace("\"stock_quantity\":5", "\"stock_quantity\":9"),
    )
    .await;
    assert_eq!(
        (&set[0]["outcome"], &set[0]["levels_set"]),
        (&json!("updated"), &json!(1))
    );
    for (path, status) in [("?stock=all", 422), ("?dry_run=1", 422), ("?x=1", 422)] {
        let answer = client
            .send("POST", &format!("/products/import{path}"), &body)
            .await;
        assert_eq!(answer.status, status, "{path}");
    }
    let publishable = client.with_key(Some(shop.server.fact("publishable_key")));
    assert_eq!(
        publishable
            .send("POST", "/products/import", &body)
            .await
            .status,
        403
    );
    let empty = client.send("POST", "/products/import", "").await;
    assert_eq!((empty.status, empty.code()), (400, "malformed_request"));
    let text = client.with("content-type", "text/csv");
    assert_eq!(
        text.send("POST", "/products/import", &body).await.status,
        415
    );
    shop.audit();
}

/// Results come while lines are still sent, and orders are taken in between.
#[tokio::test(flavor = "multi_thread")]
async fn orders_go_on_while_a_large_file_comes_in() {
    let shop = Shop::open("lines-orders");
    let client = shop.client();
    let variant = client.product(100, 1_000_000).await;
    let lines: Vec<String> = (0..3_000)
        .map(|number| line(&format!("bulk-{number}"), 100))
        .collect();
    let mut importing = JoinSet::new();
    let (importer, body) = (client.clone(), lines.join("\n"));
    importing.spawn(async move { import(&importer, "", &body).await });
    let mut sold = 0;
    let results = loop {
        client.order(&variant, 1).await.expect(201);
        sold += 1;
        if let Some(done) = importing.try_join_next() {
            break done.unwrap();
        }
    };
    assert_eq!(
        results
            .iter()
            .filter(|result| result["status"] == 201)
            .count(),
        3_000
    );
    assert!(sold > 0);
    assert_eq!(client.available(&variant).await, 1_000_000 - sold);
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_keeps_what_was_answered() {
    let shop = Shop::open("lines-broken");
    let client = shop.client();
    let text = request(
        "POST",
        "/products/import",
        &format!("authorization: Bearer {}\r\n", client.key.clone().unwrap()),
        &format!("{}\n{}", line("whole", 1), line("half", 1)),
    );
    let mut stream = tokio::net::TcpStream::connect(&client.address)
        .await
        .unwrap();
    stream
        .write_all(&text.as_bytes()[..text.len() - 20])
        .await
        .unwrap();
    drop(stream);
    let found = async |handle: &str| {
        let list = client
            .get(&format!("/products?search={handle}-1"))
            .await
            .expect(200);
        list.body["data"].as_array().map(Vec::len)
    };
    assert_eq!(found("half").await, Some(0));
    shop.audit();
}
