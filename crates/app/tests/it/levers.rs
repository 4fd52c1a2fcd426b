//! An operator's levers, pulled and released while orders go on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bench::server::{Folder, Server};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::shop::{Client, Shop, binary, path_of};

const BUYERS: usize = 8;

/// Pulls a lever by the command line, on the running server.
fn pull(shop: &Shop, args: &[&str]) -> Value {
    let output = run(shop, args);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run(shop: &Shop, args: &[&str]) -> Output {
    Command::new(binary())
        .args(args)
        .args([
            "--json",
            "--url",
            shop.server.fact("listening"),
            "--key",
            shop.server.fact("secret_key"),
        ])
        .output()
        .unwrap()
}

/// Orders, pays, cancels and reads until it is told to stop; how often each answer came.
async fn shop_around(
    client: Client,
    variant: String,
    stop: Arc<AtomicBool>,
) -> BTreeMap<String, u64> {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let order = client.order(&variant, 1).await;
        let mut note = |answer: &super::shop::Answer| {
            *seen
                .entry(format!("{} {}", answer.status, answer.code()))
                .or_default() += 1;
        };
        note(&order);
        let id = order.text("id");
        if order.status == 201 {
            let answer = if number.is_multiple_of(2) {
                client.delete(&format!("/orders/{id}")).await
            } else {
                let body = json!({"payment_method": "bank", "payment_reference": id});
                client.patch(&format!("/orders/{id}/payment"), body).await
            };
            note(&answer);
        }
        note(&client.get("/products?limit=1").await);
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lever_is_pulled_and_released_under_load() {
    let shop = Shop::open("levers");
    let client = shop.client();
    let variant = client.product(100, 1_000_000).await;
    let levers: [(&[&str], &[&str]); 4] = [
        (&["expiry", "suspend"], &["expiry", "resume"]),
        (&["cleanup", "pause"], &["cleanup", "resume"]),
        (&["stock-mode", "immediate"], &["stock-mode", "reserve"]),
        (&["read-only", "on"], &["read-only", "off"]),
    ];
    let usual = client.get("/controls").await.expect(200).body;
    for (there, back) in levers {
        let stop = Arc::new(AtomicBool::new(false));
        let mut buyers = JoinSet::new();
        for _ in 0..BUYERS {
            buyers.spawn(shop_around(
                client.clone(),
                variant.clone(),
                Arc::clone(&stop),
            ));
        }
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            let moved = tokio::task::block_in_place(|| pull(&shop, there));
            assert_ne!(moved, usual, "{there:?}");
            tokio::time::sleep(Duration::from_millis(60)).await;
            tokio::task::block_in_place(|| pull(&shop, back));
        }
        stop.store(true, Ordering::Relaxed);
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for (answer, count) in buyers.join_all().await.into_iter().flatten() {
            *seen.entry(answer).or_default() += count;
        }
        let expected = ["200 ", "201 ", "503 read_only"];
        let strange: Vec<_> = seen
            .keys()
            .filter(|answer| !expected.contains(&answer.as_str()))
            .collect();
        assert!(strange.is_empty(), "{there:?}: {seen:?}");
        assert_eq!(
            seen.contains_key("503 read_only"),
            there[0] == "read-only",
            "{seen:?}"
        );
        assert!(seen["201 "] > 20, "{seen:?}");
        assert_eq!(
            client.get("/controls").await.expect(200).body,
            usual,
            "{back:?}"
        );
        shop.audit();
    }
}

/// A demo whose clock a file moves; the file, to move it by.
fn with_clock(name: &str) -> (Shop, PathBuf) {
    let folder = Folder::new(name).unwrap();
    let offset = folder.path().join("offset");
    std::fs::write(&offset, "0").unwrap();
    let environment = [("STOCKHOLD_CLOCK_OFFSET_FILE", offset.to_str().unwrap())];
    let more = ["--cleanup-interval-minutes", "1"];
    let server = Server::start_in(binary(), &folder.database(), &more, &environment).unwrap();
    (Shop::of(server, folder), offset)
}

/// Nothing is swept while clean-up is paused, not even by other levers; a buyer still gets what
/// is due.
#[tokio::test(flavor = "multi_thread")]
async fn paused_clean_up_sweeps_nothing() {
    let (shop, offset) = with_clock("levers-cleanup");
    let client = shop.client();
    let (one, other) = (client.product(100, 1).await, client.product(100, 1).await);
    let waiting = client.order(&one, 1).await.expect(201).text("id");
    let sold = client.order(&other, 1).await.expect(201).text("id");
    pull(&shop, &["cleanup", "pause"]);
    std::fs::write(&offset, "1000").unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    pull(&shop, &["stock-mode", "immediate"]);
    pull(&shop, &["stock-mode", "reserve"]);
    let status = async |id: &str| {
        client
            .get(&format!("/orders/{id}"))
            .await
            .expect(200)
            .text("status")
    };
    assert_eq!(status(&waiting).await, "pending");
    let ready = client.get("/health/ready").await.expect(200).body;
    assert!(
        ready["expiry"]["lag_ms"].as_i64() > Some(50_000),
        "it is seen: {ready}"
    );
    client.order(&other, 1).await.expect(201);
    assert_eq!(
        (status(&sold).await, status(&waiting).await),
        ("cancelled".to_owned(), "pending".to_owned())
    );
    shop.audit();
    pull(&shop, &["cleanup", "resume"]);
    assert_eq!(status(&waiting).await, "cancelled");
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_expiry_clears_every_deadline_and_resuming_sets_new_ones() {
    let (shop, offset) = with_clock("levers-expiry");
    let client = shop.client();
    let variant = client.product(100, 100_000).await;
    // More than one sweep's share.
    for _ in 0..700 {
        client.order(&variant, 1).await.expect(201);
    }
    let one = client.order(&variant, 1).await.expect(201).text("id");
    let body = json!({"expiry": "suspended", "reason": "the bank is down", "by": "Ada"});
    let controls = client.put("/controls", body).await.expect(200).body;
    assert_eq!(controls["expiry"], "suspended");
    let order = client.get(&format!("/orders/{one}")).await.expect(200).body;
    assert_eq!(
        (&order["status"], &order["payment_expires_at"]),
        (&json!("pending"), &Value::Null)
    );
    let holds = client
        .get("/reservations?status=active&limit=100")
        .await
        .expect(200)
        .body;
    assert!(
        holds["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|hold| hold["expires_at"].is_null())
    );
    std::fs::write(&offset, "86400").unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(client.available(&variant).await, 100_000 - 701);
    let fresh = client.order(&variant, 1).await.expect(201).body;
    assert_eq!(
        fresh["payment_expires_at"],
        Value::Null,
        "made while suspended"
    );
    shop.audit();

    client
        .put(
            "/controls",
            json!({"expiry": "running", "reason": "it is back"}),
        )
        .await
        .expect(200);
    let order = client.get(&format!("/orders/{one}")).await.expect(200).body;
    assert!(
        order["payment_expires_at"].as_str() > order["created_at"].as_str(),
        "{order}"
    );
    assert_eq!(
        client.available(&variant).await,
        100_000 - 702,
        "nothing ended by being resumed"
    );
    let events = client
        .get(&format!("/orders/{one}/events"))
        .await
        .expect(200)
        .body;
    let set: Vec<_> = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["type"] == "order.deadline_set")
        .collect();
    assert_eq!(set.len(), 2, "cleared once, set once: {events}");
    std::fs::write(&offset, "87400").unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if client.available(&variant).await == 100_000 {
            break;
        }
    }
    assert_eq!(
        client.available(&variant).await,
        100_000,
        "and then time ends them again"
    );
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_and_why_stand_in_the_journal() {
    let shop = Shop::open("levers-who");
    let client = shop.client();
    pull(
        &shop,
        &[
            "read-only",
            "on",
            "--reason",
            "copying the disk",
            "--by",
            "Ada",
        ],
    );
    let refused = client.post("/cart", json!({})).await.expect(503);
    assert_eq!(
        (refused.code(), refused.response.header("retry-after")),
        ("read_only", Some("30"))
    );
    client.get("/products").await.expect(200);
    pull(&shop, &["read-only", "off", "--reason", "copied"]);
    client.post("/cart", json!({})).await.expect(201);
    client
        .put("/settings", json!({"stock_mode": "immediate"}))
        .await
        .expect(200);
    let variant = client.product(100, 5).await;
    let order = client.order(&variant, 1).await.expect(201).text("id");
    let held = pull(
        &shop,
        &[
            "order",
            "hold",
            &order,
            "--reason",
            "address looks wrong",
            "--by",
            "Eve",
        ],
    );
    assert_eq!(
        (&held["on_hold_reason"], &held["payment_expires_at"]),
        (&json!("address looks wrong"), &Value::Null)
    );
    let token = client.get(&format!("/orders/{order}")).await.body["client_token"].clone();
    assert_eq!(token, Value::Null);
    let shipped = client
        .patch(
            &format!("/orders/{order}/status"),
            json!({"status": "processing"}),
        )
        .await;
    assert_eq!((shipped.status, shipped.code()), (409, "order_on_hold"));
    let released = pull(
        &shop,
        &["order", "release", &order, "--reason", "it was right"],
    );
    assert_eq!(released["on_hold_since"], Value::Null);
    assert!(released["payment_expires_at"].is_string());
    let events = client
        .get(&format!("/orders/{order}/events"))
        .await
        .expect(200)
        .body;
    let event = |kind: &str| {
        let all = events["data"].as_array().unwrap();
        all.iter()
            .find(|event| event["type"] == kind)
            .map(|event| event["data"].clone())
            .unwrap()
    };
    assert_eq!(event("order.put_on_hold")["reason"], "address looks wrong");
    assert!(
        event("order.put_on_hold")["by"]
            .as_str()
            .unwrap()
            .starts_with("Eve (key ")
    );

    let listed = client.get("/controls/events").await.expect(200).body;
    let all = listed["data"].as_array().unwrap();
    let mut moves: Vec<Value> = all.iter().map(|event| event["data"].clone()).collect();
    moves.reverse();
    let controls: Vec<_> = moves
        .iter()
        .map(|event| event["control"].as_str().unwrap())
        .collect();
    assert_eq!(controls, ["read_only", "read_write", "stock_immediate"]);
    assert_eq!(moves[0]["reason"], "copying the disk");
    assert!(
        moves[0]["by"].as_str().unwrap().starts_with("Ada (key "),
        "{moves:?}"
    );
    shop.audit();
}

/// In immediate mode stock is deducted when the order is made, and put back when it ends unpaid.
#[tokio::test(flavor = "multi_thread")]
async fn immediate_mode_deducts_and_puts_back() {
    let shop = Shop::open("levers-immediate");
    let client = shop.client();
    let variant = client.product(100, 5).await;
    let reserved = client.order(&variant, 1).await.expect(201).text("id");
    pull(&shop, &["stock-mode", "immediate", "--reason", "seed 004"]);
    let deducted = client.order(&variant, 2).await.expect(201).text("id");
    let figures = async || {
        let level = client
            .get(&format!("/stock?variant_id={variant}"))
            .await
            .expect(200)
            .body["data"][0]
            .clone();
        (
            level["stock_quantity"].as_i64().unwrap(),
            level["reserved_stock"].as_i64().unwrap(),
        )
    };
    assert_eq!(figures().await, (3, 1));
    client
        .delete(&format!("/orders/{deducted}"))
        .await
        .expect(200);
    assert_eq!(figures().await, (5, 1));
    client
        .delete(&format!("/orders/{reserved}"))
        .await
        .expect(200);
    assert_eq!(figures().await, (5, 0));
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_moves_the_controls_of_any_tenant_and_no_other_key_does() {
    let shop = Shop::open("levers-platform");
    let client = shop.client();
    let platform = client.with_key(Some(shop.server.fact("platform_key")));
    let publishable = client.with_key(Some(shop.server.fact("publishable_key")));
    let tenant = shop.server.fact("tenant_id").to_owned();
    let path = format!("/admin/tenants/{tenant}/controls");
    let body = || json!({"read_only": true, "reason": "moving"});
    assert_eq!(
        platform.put(&path, body()).await.expect(200).body["read_only"],
        true
    );
    assert_eq!(client.post("/cart", json!({})).await.status, 503);
    assert_eq!(
        platform.get(&path).await.expect(200).body["read_only"],
        true
    );
    platform
        .put(&path, json!({"read_only": false, "reason": "moved"}))
        .await
        .expect(200);
    client.post("/cart", json!({})).await.expect(201);
    for (who, path, status) in [
        (&client, path.as_str(), 403),
        (&publishable, "/controls", 403),
        (&platform, "/controls", 403),
        (
            &platform,
            "/admin/tenants/01980000-0000-7000-8000-000000000009/controls",
            404,
        ),
    ] {
        assert_eq!(who.put(path, body()).await.status, status, "{path}");
    }
    let cases = [
        (json!({"reason": "nothing"}), ""),
        (json!({"expiry": "suspended"}), "/reason"),
        (json!({"expiry": "paused", "reason": "x"}), "/expiry"),
        (json!({"read_only": "yes", "reason": "x"}), "/read_only"),
        (json!({"cleanup": "paused", "reason": ""}), "/reason"),
    ];
    for (body, pointer) in cases {
        let refused = client.put("/controls", body.clone()).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    // All tenants at once, by the command line; and one that is not there.
    let all = Command::new(binary())
        .args([
            "cleanup",
            "pause",
            "--all",
            "--json",
            "--url",
            shop.server.fact("listening"),
        ])
        .args([
            "--key",
            shop.server.fact("platform_key"),
            "--reason",
            "an incident",
        ])
        .output()
        .unwrap();
    assert_eq!(
        all.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&all.stderr)
    );
    assert_eq!(
        client.get("/controls").await.expect(200).body["cleanup"],
        "paused"
    );
    let unknown = run(
        &shop,
        &["order", "hold", "01980000-0000-7000-8000-000000000009"],
    );
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("404 not_found"));
    shop.audit();
}

/// A payment that is confirmed while nothing is written is not lost: it is told again.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_meets_a_read_only_shop_comes_again() {
    let shop = Shop::open("levers-money");
    let client = shop.client();
    let variant = client.product(100, 1).await;
    let order = client.order(&variant, 1).await.expect(201).text("id");
    let body = json!({"provider": "mock"});
    let payment = client
        .post(&format!("/orders/{order}/payments"), body)
        .await
        .expect(201);
    let page = payment.text("payment_url");
    let path = path_of(&page);
    pull(&shop, &["read-only", "on"]);
    let told = client
        .with_key(None)
        .post(&format!("{path}/pay"), json!({}))
        .await
        .expect(200);
    assert_eq!(told.text("status"), "pending");
    pull(&shop, &["read-only", "off"]);
    let mut status = String::new();
    for _ in 0..200 {
        status = client
            .get(&format!("/orders/{order}"))
            .await
            .expect(200)
            .text("status");
        if status == "paid" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(status, "paid");
    shop.audit();
}

/// Without a server the levers work on the database itself.
#[test]
fn levers_work_on_a_stopped_database() {
    let folder = Folder::new("levers-stopped").unwrap();
    let database = folder.database();
    let stockhold = |args: &[&str]| {
        let output = Command::new(binary())
            .args(args)
            .args(["--database", &database])
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    stockhold(&["migrate", "up"]);
    stockhold(&["tenant", "create", "one"]);
    stockhold(&["tenant", "create", "two"]);
    let both = stockhold(&["read-only", "on", "--all", "--reason", "moving"]);
    assert_eq!(both.lines().count(), 2, "{both}");
    stockhold(&["expiry", "suspend", "--tenant", "one"]);
    let one = stockhold(&["controls", "--tenant", "one"]);
    assert!(
        one.contains("expiry suspended") && one.contains("writes refused"),
        "{one}"
    );
    let two = stockhold(&["controls", "--tenant", "two"]);
    assert!(two.contains("expiry running"), "{two}");
    stockhold(&["audit"]);
}
