//! Ten shops on three servers with a Redis for a minute: nothing of one shows in another's answers,
//! nothing is sold twice, and no request fails (seed 001, 1.4), whatever becomes of the Redis.

use std::sync::Arc;
use std::time::Duration;

use bench::connection::{Connection, Response, request};
use bench::server::{Server, audit};
use serde_json::{Value, json};
use throwaway::postgres::{Cluster, Durability};
use throwaway::redis::Redis;
use tokio::task::JoinSet;

use super::{binary, order_of};

const TENANTS: usize = 10;
const CHECKOUTS: usize = 20;
const READS: usize = 50;
const CONFIRMATIONS: usize = 5;
/// What a minute of this traffic is spread over, in milliseconds.
const SPAN: u64 = 60_000;
/// Of a product that every shop has only this many are there.
const SCARCE: usize = 7;

/// One shop, as its buyers know it.
struct Shop {
    addresses: Vec<String>,
    key: String,
    /// Stands in everything that this shop's answers show, and in nothing of another's.
    marker: String,
    plenty: String,
    scarce: String,
    product: String,
}

/// A random word is not needed: no marker is part of another.
fn marker(number: usize) -> String {
    format!("marker{number:02}x")
}

async fn send(address: &str, key: &str, (method, path): (&str, &str), body: &str) -> Response {
    let headers = format!("authorization: Bearer {key}\r\n");
    let mut connection = Connection::open(address).await.unwrap();
    let text = request(method, path, &headers, body);
    connection.send(&text).await.unwrap()
}

impl Shop {
    async fn new(servers: &[Server], number: usize) -> Self {
        let (server, marker) = (&servers[number % servers.len()], marker(number));
        let platform = server.fact("platform_key");
        let call = async |key: &str, path: &str, body: Value| {
            let answer = send(server.address(), key, ("POST", path), &body.to_string()).await;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(answer.status, 201, "{text}");
            answer.json().unwrap()
        };
        let made = json!({"slug": marker, "name": marker});
        let tenant = call(platform, "/admin/tenants", made).await;
        let path = format!("/admin/tenants/{}/keys", tenant["id"].as_str().unwrap());
        let made = json!({"kind": "secret", "name": marker});
        let key = call(platform, &path, made).await["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let product = json!({"title": marker, "description": marker, "currency": "EUR", "variants": [
            {"sku": format!("{marker}-plenty"), "unit_price": 100, "stock_quantity": 1_000_000},
            {"sku": format!("{marker}-scarce"), "unit_price": 100, "stock_quantity": SCARCE},
        ]});
        let product = call(&key, "/products", product).await;
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        Self {
            addresses: servers.iter().map(|s| s.address().to_owned()).collect(),
            key,
            marker,
            plenty: id(&product["variants"][0]),
            scarce: id(&product["variants"][1]),
            product: id(&product),
        }
    }

    /// A request to one server after another; its answer shows nothing of other shops.
    async fn call(&self, turn: usize, what: (&str, &str), body: &str) -> (u16, Value) {
        let address = &self.addresses[turn % self.addresses.len()];
        let answer = send(address, &self.key, what, body).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status < 500, "{} {text}", answer.status);
        for number in 0..TENANTS {
            let other = marker(number);
            assert!(other == self.marker || !text.contains(&other), "{text}");
        }
        (answer.status, answer.json().unwrap_or(Value::Null))
    }

    async fn order(&self, turn: usize, variant: &str) -> Option<String> {
        let mut order = order_of(variant, 1);
        order["customer_id"] = json!(self.marker);
        let (status, order) = self
            .call(turn, ("POST", "/orders"), &order.to_string())
            .await;
        assert!(status == 201 || status == 409, "{order}");
        let id = order["id"].as_str().filter(|_| status == 201);
        id.map(str::to_owned)
    }

    /// A cart, its item, its order.
    async fn checkout(&self, turn: usize) -> bool {
        let cart = json!({"customer_id": self.marker}).to_string();
        let (status, cart) = self.call(turn, ("POST", "/cart"), &cart).await;
        assert_eq!(status, 201);
        let path = format!("/cart/{}/items", cart["id"].as_str().unwrap());
        let variant = if turn.is_multiple_of(2) {
            &self.plenty
        } else {
            &self.scarce
        };
        let item = json!({"variant_id": variant, "quantity": 1}).to_string();
        let (status, _) = self.call(turn + 1, ("POST", &path), &item).await;
        if status == 409 {
            return false;
        }
        let path = format!("/cart/{}/convert", cart["id"].as_str().unwrap());
        let (status, order) = self.call(turn + 2, ("POST", &path), "{}").await;
        assert!(status == 201 || status == 409, "{status} {order}");
        status == 201
    }

    async fn confirm(&self, turn: usize) {
        let id = self.order(turn, &self.plenty).await.unwrap();
        let path = format!("/orders/{id}/payment");
        let paid = json!({"payment_method": "bank", "payment_reference": self.marker}).to_string();
        let (status, order) = self.call(turn + 1, ("PATCH", &path), &paid).await;
        assert_eq!(status, 200, "{order}");
        let (_, order) = self
            .call(turn + 2, ("GET", &format!("/orders/{id}")), "")
            .await;
        assert_eq!(
            order["payment_status"], "paid",
            "read where it was not written"
        );
    }

    async fn read(&self, turn: usize) {
        let path = match turn % 3 {
            0 => format!("/products/{}", self.product),
            1 => "/products?limit=20".to_owned(),
            _ => format!("/orders?search={}", self.marker),
        };
        // The second server may have it from the first one.
        for turn in [turn, turn + 1] {
            let (status, body) = self.call(turn, ("GET", &path), "").await;
            assert_eq!(status, 200);
            let shown = path.contains("search") || body.to_string().contains(&self.marker);
            assert!(shown, "its own marker is missing: {body}");
        }
    }
}

/// In the minute's middle the Redis hangs, goes on, dies, and comes back with nothing in it.
async fn trouble(redis: &mut Redis) {
    let part = Duration::from_millis(SPAN / 6);
    tokio::time::sleep(2 * part).await;
    let mut keys = String::new();
    for _ in 0..50 {
        keys = redis.ask(&["KEYS", "*"]).unwrap();
        if keys.lines().any(|key| !key.ends_with(":catalogue")) {
            break;
        }
        tokio::time::sleep(part / 50).await;
    }
    for key in keys.lines() {
        assert!(
            key.contains(":{") || key.starts_with("stockhold:rate:"),
            "{key}"
        );
    }
    let shared = keys.lines().any(|key| !key.ends_with(":catalogue"));
    assert!(shared, "pages are shared: {keys}");
    redis.freeze(true).unwrap();
    tokio::time::sleep(part).await;
    redis.freeze(false).unwrap();
    tokio::time::sleep(part).await;
    redis.kill().unwrap();
    tokio::time::sleep(part).await;
    redis.up().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_shops_on_three_servers_for_a_minute() {
    let cluster = Cluster::start(Durability::Full).unwrap();
    let database = cluster.database().unwrap();
    let url = cluster.url(&database);
    let mut redis = Redis::start().unwrap();
    let starting = (0..3).map(|_| {
        let (url, redis) = (url.clone(), redis.url());
        let start = move || Server::start(binary(), &url, &["--redis", &redis]).unwrap();
        std::thread::spawn(start)
    });
    // All three at once: who makes the schema and the demo shop does not matter.
    let starting: Vec<_> = starting.collect();
    let servers: Vec<Server> = starting.into_iter().map(|s| s.join().unwrap()).collect();
    let mut work = JoinSet::new();
    for number in 0..TENANTS {
        let shop = Arc::new(Shop::new(&servers, number).await);
        let spread = move |count: usize, turn: usize| {
            let at = SPAN * (turn as u64 * 100 + number as u64) / (count as u64 * 100);
            tokio::time::sleep(Duration::from_millis(at))
        };
        for turn in 0..CHECKOUTS {
            let shop = Arc::clone(&shop);
            work.spawn(async move {
                spread(CHECKOUTS, turn).await;
                usize::from(shop.checkout(turn).await && !turn.is_multiple_of(2))
            });
        }
        for turn in 0..READS {
            let shop = Arc::clone(&shop);
            work.spawn(async move {
                spread(READS, turn).await;
                shop.read(turn).await;
                0
            });
        }
        for turn in 0..CONFIRMATIONS {
            let shop = Arc::clone(&shop);
            work.spawn(async move {
                spread(CONFIRMATIONS, turn).await;
                shop.confirm(turn).await;
                0
            });
        }
    }
    trouble(&mut redis).await;
    let scarce: usize = work.join_all().await.into_iter().sum();
    assert_eq!(
        scarce,
        TENANTS * SCARCE,
        "each shop sold its scarce units, and no more"
    );
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(cluster.sql(&database, deadlocks).unwrap(), "0");
    let found = audit(binary(), &url).unwrap();
    assert_eq!(found["ok"], json!(true), "{found}");
}
