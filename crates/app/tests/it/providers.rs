//! Providers at other people's servers, emulated over real HTTP.

mod crashes;
mod emulator;
mod mixture;
mod reconcile;
mod stripe;
mod vnpay;
mod yookassa;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use bench::server::{Folder, Server};
use serde_json::{Value, json};

use crate::shop::{Answer, Client, Shop, binary};
use emulator::Emulator;

/// A shop and the providers that it works with.
struct Tried {
    shop: Shop,
    client: Client,
    emulator: Emulator,
}

impl Tried {
    async fn open(name: &str) -> Self {
        let shop = Shop::open(name);
        let client = shop.client();
        let emulator = Emulator::start().await;
        Self {
            shop,
            client,
            emulator,
        }
    }
}

/// A shop whose clock can be moved on.
struct Clocked {
    shop: Shop,
    client: Client,
    emulator: Emulator,
    offset: PathBuf,
}

impl Clocked {
    async fn open(name: &str) -> Self {
        let folder = Folder::new(name).unwrap();
        let offset = folder.path().join("offset");
        std::fs::write(&offset, "0").unwrap();
        let environment = [("STOCKHOLD_CLOCK_OFFSET_FILE", offset.to_str().unwrap())];
        let server = Server::start_in(binary(), &folder.database(), &[], &environment).unwrap();
        let shop = Shop::of(server, folder);
        let client = shop.client();
        let emulator = Emulator::start().await;
        Self {
            shop,
            client,
            emulator,
            offset,
        }
    }

    /// Moves the clock to so many seconds ahead.
    fn ahead(&self, seconds: u32) {
        std::fs::write(&self.offset, seconds.to_string()).unwrap();
    }
}

/// What `stockhold reconcile` finds.
fn reconcile(shop: &Shop) -> Value {
    let ran = Command::new(binary())
        .args(["reconcile", "--json", "--database", &shop.folder.database()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    let found: Value = serde_json::from_str(text.lines().next().unwrap_or_default())
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&ran.stderr)));
    assert_eq!(ran.status.success(), found["ok"] == json!(true), "{found}");
    found
}

/// Nothing is found by audit and reconciliation, and the ledger comes to nothing.
async fn is_sound(shop: &Shop, client: &Client) {
    balances(client).await;
    shop.audit();
    let found = reconcile(shop);
    assert_eq!(found["differences"], json!([]));
}

/// Waits for something that happens by itself.
async fn until(is: impl AsyncFn() -> bool) {
    for _ in 0..1_200 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not happen");
}

/// An order of this total that waits.
async fn order(client: &Client, currency: &str, price: i64) -> String {
    let product = json!({"title": "Thing", "currency": currency, "unit_price": price,
        "stock_quantity": 1});
    let product = client.post("/products", product).await.expect(201);
    let variant = product.body["variants"][0]["id"].as_str().unwrap();
    client.order(variant, 1).await.expect(201).text("id")
}

/// An order that waits, with a payment of it that was begun.
async fn start(client: &Client, provider: &str, currency: &str, price: i64) -> (String, Answer) {
    let order = order(client, currency, price).await;
    let body = json!({"provider": provider, "return_url": "https://shop.example/back"});
    let payment = client
        .post(&format!("/orders/{order}/payments"), body)
        .await;
    (order, payment.expect(201))
}

/// An order was paid, and that was booked, once.
async fn paid_once(client: &Client, order: &str) {
    let seen = client.get(&format!("/orders/{order}")).await.expect(200);
    assert_eq!(
        (seen.text("status"), seen.text("payment_status")),
        ("paid".into(), "paid".into())
    );
    let path = format!("/ledger/transactions?order_id={order}&account=revenue");
    let booked = client.get(&path).await.expect(200);
    assert_eq!(
        booked.body["data"].as_array().unwrap().len(),
        1,
        "{}",
        booked.body
    );
    let events = client
        .get(&format!("/orders/{order}/events"))
        .await
        .expect(200);
    let kinds: Vec<_> = events.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["type"])
        .collect();
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == "payment.succeeded")
            .count(),
        1,
        "{kinds:?}"
    );
}

/// The transaction of a reference.
async fn ledger_of(client: &Client, reference: &str) -> Value {
    let found = client
        .get(&format!("/ledger/transactions?reference={reference}"))
        .await;
    let found = found.expect(200);
    let [one] = found.body["data"].as_array().unwrap().as_slice() else {
        panic!("{}", found.body)
    };
    one.clone()
}

/// The trial balance comes to nothing in every currency.
async fn balances(client: &Client) {
    let balance = client.get("/ledger/trial-balance").await.expect(200);
    assert_eq!(balance.body["balanced"], json!(true), "{}", balance.body);
}

/// What lies with a provider.
async fn cash(client: &Client, provider: &str) -> i64 {
    let balance = client.get("/ledger/trial-balance").await.expect(200);
    let name = format!("cash:{provider}");
    let accounts = balance.body["accounts"].as_array().unwrap().clone();
    let account = accounts
        .iter()
        .find(|account| account["account"] == json!(name));
    account.map_or(0, |account| {
        account["debit"].as_i64().unwrap() - account["credit"].as_i64().unwrap()
    })
}
