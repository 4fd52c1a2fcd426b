//! A catalogue of 2,000 products with three variants each, brought in while orders are made,
//! killed in the middle and brought in again: the same end as in one go.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::shop::{Client, Shop, binary, order_of};

const PRODUCTS: usize = 2_000;

/// A file in Shopify's layout.
fn catalogue(folder: &Path) -> PathBuf {
    let mut text = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,\
         Variant Inventory Policy,Variant Price,Status\n"
        .to_owned();
    for product in 0..PRODUCTS {
        for (place, size) in ["S", "M", "L"].into_iter().enumerate() {
            let (title, name, status) = if place == 0 {
                (format!("Product {product}"), "Size", "active")
            } else {
                (String::new(), "", "")
            };
            let stock = 5 + (product + place) % 20;
            writeln!(
                text,
                "p-{product},{title},{name},{size},P{product}-{size},{stock},deny,{}.90,{status}",
                1 + product % 90
            )
            .unwrap();
        }
    }
    let path = folder.join("catalogue.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn import(shop: &Shop, path: &Path) -> Child {
    Command::new(binary())
        .args(["import", "--json"])
        .arg(path)
        .args([
            "--url",
            shop.server.fact("listening"),
            "--key",
            shop.server.fact("secret_key"),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn finish(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The stock of every imported code: on hand and reserved.
fn stock(shop: &Shop) -> BTreeMap<String, (i64, i64)> {
    let output = Command::new(binary())
        .args([
            "export",
            "stock",
            "--format",
            "ndjson",
            "--database",
            &shop.folder.database(),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let number = |name: &str| row[name].as_i64().unwrap();
        let code = row["sku"]
            .as_str()
            .filter(|code| code.starts_with('P'))?
            .to_owned();
        Some((code, (number("stock_quantity"), number("reserved_stock"))))
    };
    let mine = |code: &String| code.contains('-') && code[1..2].parse::<u8>().is_ok();
    text.lines()
        .filter_map(row)
        .filter(|(code, _)| mine(code))
        .collect()
}

/// Buys one unit by code, and pays for it every other time; whether it was there.
async fn buy(client: &Client, code: &str, pays: bool) -> bool {
    let body = serde_json::json!({"customer_id": "c", "items": [{"sku": code, "quantity": 1}]});
    let order = client.post("/orders", body).await;
    match order.status {
        201 => {}
        // Not imported yet, or sold out.
        422 | 409 => return false,
        other => panic!("{other}: {}", order.body),
    }
    if pays {
        let id = order.text("id");
        let body = serde_json::json!({"payment_method": "bank", "payment_reference": id});
        client
            .patch(&format!("/orders/{id}/payment"), body)
            .await
            .expect(200);
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_run_again_it_ends_as_in_one_go() {
    let mut shop = Shop::open("interrupted");
    let path = catalogue(shop.folder.path());
    let client = shop.client();
    let other = client.product(100, 1_000_000).await;

    // The importer is killed as soon as something has come in, the server a moment later.
    let mut first = import(&shop, &path);
    for _ in 0..2_000 {
        client
            .post("/orders", order_of(&other, 1))
            .await
            .expect(201);
        if client.get("/products?search=P1-M&limit=1").await.body["data"]
            .as_array()
            .is_some_and(|data| !data.is_empty())
        {
            break;
        }
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let half = stock(&shop).len();
    assert!(
        half > 0 && half < PRODUCTS * 3,
        "{half} came in before the kill"
    );
    let mut second = import(&shop, &path);
    tokio::time::sleep(Duration::from_millis(60)).await;
    shop.server.kill().unwrap();
    second.kill().unwrap();
    second.wait().unwrap();
    shop.audit();
    shop.restart();

    // The third goes through, while what is there is sold.
    let client = shop.client();
    let third = tokio::task::spawn_blocking({
        let child = import(&shop, &path);
        move || finish(child)
    });
    let mut sold: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut number = 0;
    while !third.is_finished() || number < 300 {
        let code = format!("P{}-M", number % 97);
        let pays = number % 2 == 0;
        if buy(&client, &code, pays).await {
            let (paid, held) = sold.entry(code).or_default();
            *(if pays { paid } else { held }) += 1;
        }
        number += 1;
    }
    let done = third.await.unwrap();
    let count = |name: &str| done[name].as_u64().unwrap();
    assert_eq!(count("created") + count("unchanged"), 2_000, "{done}");
    assert!(
        count("unchanged") > 0,
        "what had come in was found there: {done}"
    );
    assert!(!sold.is_empty());

    // Once more changes nothing, and sold units do not come back.
    let again = finish(import(&shop, &path));
    assert_eq!(again["unchanged"], 2_000, "{again}");
    let found = stock(&shop);
    assert_eq!(found.len(), PRODUCTS * 3);
    for product in 0..PRODUCTS {
        for (place, size) in ["S", "M", "L"].into_iter().enumerate() {
            let code = format!("P{product}-{size}");
            let (paid, held) = sold.get(&code).copied().unwrap_or_default();
            let had = i64::try_from(5 + (product + place) % 20).unwrap();
            assert_eq!(found.get(&code), Some(&(had - paid, held)), "{code}");
        }
    }
    shop.audit();
}
