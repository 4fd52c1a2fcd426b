//! `kill -9` under load: what was acknowledged is there, and nothing is half there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bench::connection::{Connection, request};
use serde_json::json;
use tokio::task::JoinSet;

use super::shop::{Shop, order_of};

const KILLS: usize = 20;
const CLIENTS: usize = 16;

/// Orders until the server is gone; the ids that were answered 201.
async fn buy(address: String, key: String, variant: String, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(mut connection) = Connection::open(&address).await else {
        return acknowledged;
    };
    let headers = format!("authorization: Bearer {key}\r\n");
    let text = request(
        "POST",
        "/orders",
        &headers,
        &order_of(&variant, 1).to_string(),
    );
    while !stop.load(Ordering::Relaxed) {
        let Ok(answer) = connection.send(&text).await else {
            break;
        };
        assert_eq!(
            answer.status,
            201,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        acknowledged.push(answer.json().unwrap()["id"].as_str().unwrap().to_owned());
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_under_load_lose_nothing() {
    let mut shop = Shop::open("crash");
    let variant = shop.client().product(100, 1_000_000_000).await;
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..KILLS {
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let address = shop.server.address().to_owned();
            let key = shop.server.fact("secret_key").to_owned();
            clients.spawn(buy(address, key, variant.clone(), Arc::clone(&stop)));
        }
        tokio::time::sleep(Duration::from_millis(
            40 + 17 * u64::try_from(round).unwrap(),
        ))
        .await;
        shop.server.kill().unwrap();
        stop.store(true, Ordering::Relaxed);
        let fresh: Vec<String> = clients.join_all().await.into_iter().flatten().collect();
        assert!(!fresh.is_empty(), "round {round} sold nothing");
        acknowledged.extend(&mut fresh.iter().cloned());
        shop.audit();
        shop.restart();
        let client = shop.client();
        for id in fresh.iter().rev().take(20) {
            let order = client.get(&format!("/orders/{id}")).await.expect(200);
            assert_eq!(order.body["items"].as_array().map(Vec::len), Some(1));
        }
    }
    let client = shop.client();
    let total = client.get("/orders?page=1&limit=1").await.expect(200).body["total"].as_u64();
    let level = client
        .get(&format!("/stock?variant_id={variant}"))
        .await
        .expect(200);
    let reserved = level.body["data"][0]["reserved_stock"].as_u64().unwrap();
    assert_eq!(Some(reserved), total, "each order holds one unit");
    let acknowledged = u64::try_from(acknowledged.len()).unwrap();
    assert!(
        reserved >= acknowledged,
        "{reserved} orders are there, {acknowledged} were answered"
    );
    // At most one batch a kill was committed without an answer reaching its client.
    assert!(reserved - acknowledged <= u64::try_from(KILLS * CLIENTS).unwrap());
    let every = client.get("/orders?limit=100").await.expect(200);
    assert_eq!(every.body["data"].as_array().map(Vec::len), Some(100));
    assert_ne!(every.body["next_cursor"], json!(null));
}
