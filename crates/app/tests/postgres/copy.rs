//! A shop begins on SQLite, moves to PostgreSQL and back: its keys, ids, cursors, answers and carts
//! go on as if nothing had been.

use std::process::Command;

use bench::connection::{Connection, Response, request};
use bench::server::{Folder, Server, audit};
use serde_json::{Value, json};
use throwaway::postgres::Cluster;

use super::{binary, order_of};

/// What a client of the shop holds in its hands.
struct Client {
    address: String,
    key: String,
    platform: String,
}

impl Client {
    fn of(server: &Server) -> Self {
        Self {
            address: server.address().to_owned(),
            key: server.fact("secret_key").to_owned(),
            platform: server.fact("platform_key").to_owned(),
        }
    }

    async fn send(&self, key: &str, (method, path): (&str, &str), more: (&str, Value)) -> Response {
        let (idempotency, body) = more;
        let mut headers = format!("authorization: Bearer {key}\r\n");
        if !idempotency.is_empty() {
            headers = format!("{headers}idempotency-key: {idempotency}\r\n");
        }
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut connection = Connection::open(&self.address).await.unwrap();
        let text = request(method, path, &headers, &body);
        connection.send(&text).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.send(&self.key, ("GET", path), ("", Value::Null)).await;
        assert_eq!(answer.status, 200, "{path}");
        answer.json().unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.send(&self.key, ("POST", path), ("", body)).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status < 300, "{path}: {} {text}", answer.status);
        answer.json().unwrap_or(Value::Null)
    }
}

/// What was made, and what a client remembers of it.
struct History {
    product: String,
    order: String,
    cart: String,
    keyed: (Value, Vec<u8>),
    /// The second page of orders, from a cursor of the first server.
    cursor: String,
    other_key: String,
    revoked_key: String,
}

/// What clients are shown.
async fn shown(client: &Client, history: &History) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        format!("/products/{}", history.product),
        format!("/orders/{}", history.order),
        format!("/orders/{}/events", history.order),
        format!("/cart/{}", history.cart),
        format!("/orders?limit=2&cursor={}", history.cursor),
        "/stock".to_owned(),
        "/reservations".to_owned(),
        "/settings".to_owned(),
        "/webhook-events".to_owned(),
        "/ledger/transactions".to_owned(),
        "/ledger/trial-balance".to_owned(),
    ] {
        all.push(client.get(&path).await);
    }
    all
}

/// So that the inbox of providers' messages has one.
async fn pay_on_the_mocks_page(client: &Client, variant: &str) {
    let order = client.post("/orders", order_of(variant, 1)).await;
    let path = format!("/orders/{}/payments", order["id"].as_str().unwrap());
    let payment = client.post(&path, json!({"provider": "mock"})).await;
    let url = payment["payment_url"].as_str().unwrap();
    let page = url.split_once(&client.address).unwrap().1;
    client.post(&format!("{page}/pay"), Value::Null).await;
}

async fn make_history(client: &Client) -> History {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let product = json!({"title": "Moved", "currency": "USD", "variants": [
        {"sku": "m-1", "unit_price": 1_250, "stock_quantity": 50},
        {"sku": "m-2", "unit_price": 700, "stock_quantity": 50}]});
    let product = client.post("/products", product).await;
    let variants = [0, 1].map(|n| text(&product["variants"][n], "id"));
    let mut order = String::new();
    for _ in 0..5 {
        let made = client.post("/orders", order_of(&variants[0], 2)).await;
        order = text(&made, "id");
    }
    let pay = json!({"provider": "manual"});
    let path = format!("/orders/{order}/payments");
    let payment = text(&client.post(&path, pay).await, "id");
    client
        .post(&format!("/payments/{payment}/confirm"), Value::Null)
        .await;
    let path = format!("/payments/{payment}/refunds");
    client.post(&path, json!({"amount": 300})).await;
    pay_on_the_mocks_page(client, &variants[0]).await;
    let cart = text(
        &client.post("/cart", json!({"customer_id": "c-9"})).await,
        "id",
    );
    for variant in [&variants[1], &variants[0]] {
        let item = json!({"variant_id": variant, "quantity": 1});
        client.post(&format!("/cart/{cart}/items"), item).await;
    }
    let body = order_of(&variants[1], 1);
    let keyed = client
        .send(&client.key, ("POST", "/orders"), ("move-1", body.clone()))
        .await;
    assert_eq!(keyed.status, 201);
    let cursor = text(&client.get("/orders?limit=2").await, "next_cursor");

    let tenant = client
        .send(
            &client.platform,
            ("POST", "/admin/tenants"),
            ("", json!({"slug": "other", "name": "Other"})),
        )
        .await;
    let path = format!(
        "/admin/tenants/{}/keys",
        text(&tenant.json().unwrap(), "id")
    );
    let mut keys = Vec::new();
    for name in ["kept", "revoked"] {
        let body = json!({"kind": "secret", "name": name});
        let key = client
            .send(&client.platform, ("POST", &path), ("", body))
            .await;
        keys.push(key.json().unwrap());
    }
    let revoke = format!("{path}/{}", text(&keys[1], "id"));
    let revoked = client
        .send(&client.platform, ("DELETE", &revoke), ("", Value::Null))
        .await;
    assert!(revoked.status < 300, "{}", revoked.status);
    History {
        product: text(&product, "id"),
        order,
        cart,
        keyed: (body, keyed.body.clone()),
        cursor,
        other_key: text(&keys[0], "key"),
        revoked_key: text(&keys[1], "key"),
    }
}

/// Everything that was handed out before works here.
async fn assert_goes_on(client: &Client, history: &History) {
    let (body, given) = &history.keyed;
    let again = client
        .send(&client.key, ("POST", "/orders"), ("move-1", body.clone()))
        .await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (201, Some("true"))
    );
    assert_eq!(&again.body[..], &given[..]);
    let orders = ("GET", "/orders");
    let other = client
        .send(&history.other_key, orders, ("", Value::Null))
        .await;
    assert_eq!(other.status, 200);
    assert_eq!(other.json().unwrap()["data"], json!([]));
    let revoked = client
        .send(&history.revoked_key, orders, ("", Value::Null))
        .await;
    assert_eq!(revoked.status, 401);
}

/// Copies with the real binary: whether it said that all is well, and what it printed.
fn copy(from: &str, to: &str) -> (bool, String) {
    let done = Command::new(binary())
        .args(["copy", "--json", "--from", from, "--to", to])
        .output()
        .unwrap();
    let text = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_moves_to_postgresql_and_back_and_no_client_can_tell() {
    let folder = Folder::embedded("copy").unwrap();
    let (sqlite, back) = (folder.database(), format!("{}-back", folder.database()));
    let cluster = Cluster::shared().unwrap();
    let database = cluster.database().unwrap();
    let postgres = cluster.url(&database);

    let server = Server::start(binary(), &sqlite, &[]).unwrap();
    let client = Client::of(&server);
    let history = make_history(&client).await;
    let before = shown(&client, &history).await;
    let (ok, said) = copy(&sqlite, &postgres);
    assert!(!ok && said.contains("another process uses"), "{said}");
    drop(server);

    let (ok, said) = copy(&sqlite, &postgres);
    assert!(ok, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["ok"], &said["findings"]), (&json!(true), &json!([])));
    let balances = said["balances"].as_array().unwrap();
    assert!(
        balances
            .iter()
            .any(|of| of["balance"] == "orders.total_amount USD")
    );
    assert!(balances.iter().all(|of| of["source"] == of["target"]));
    let (ok, said) = copy(&sqlite, &postgres);
    assert!(!ok && said.contains("is not empty"), "{said}");

    let server = Server::start(binary(), &postgres, &[]).unwrap();
    let client = Client::of(&server);
    assert_eq!(shown(&client, &history).await, before);
    assert_goes_on(&client, &history).await;
    let number = async |client: &Client| {
        let made = client
            .post(&format!("/cart/{}/convert", history.cart), json!({}))
            .await;
        made["order_number"].clone()
    };
    let ninth = number(&client).await;
    drop(server);
    assert_eq!(audit(binary(), &postgres).unwrap()["ok"], json!(true));

    let (ok, said) = copy(&postgres, &back);
    assert!(ok, "{said}");
    let server = Server::start(binary(), &back, &[]).unwrap();
    let client = Client::of(&server);
    assert_goes_on(&client, &history).await;
    assert_eq!(
        number(&client).await,
        ninth,
        "the cart was converted already"
    );
    drop(server);
    assert_eq!(audit(binary(), &back).unwrap()["ok"], json!(true));
}

/// A copy that failed half-way keeps servers out, and goes on where it was; but not after the
/// source was written to.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_failed_half_way_goes_on() {
    let folder = Folder::embedded("half-copy").unwrap();
    let sqlite = folder.database();
    let cluster = Cluster::shared().unwrap();
    let database = cluster.database().unwrap();
    let postgres = cluster.url(&database);
    let server = Server::start(binary(), &sqlite, &[]).unwrap();
    make_history(&Client::of(&server)).await;
    drop(server);

    let made = Command::new(binary())
        .args(["migrate", "up", "--database", &postgres])
        .output()
        .unwrap();
    assert!(made.status.success());
    let sql = |sql: &str| cluster.sql(&database, sql).unwrap();
    sql("REVOKE INSERT ON payments FROM stockhold_app");
    let (ok, said) = copy(&sqlite, &postgres);
    assert!(!ok && said.contains("permission denied"), "{said}");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &postgres];
    let refused = Command::new(binary()).args(serve).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("is not done"),
        "{said}"
    );
    let (ok, said) = copy(&postgres, &format!("{sqlite}-other"));
    assert!(!ok && said.contains("is not done"), "{said}");
    let orders = sql("SELECT count(*) FROM orders");
    assert_ne!(orders, "0", "what was copied stays");
    sql("GRANT INSERT ON payments TO stockhold_app");
    let (ok, said) = copy(&sqlite, &postgres);
    assert!(ok, "{said}");
    assert_eq!(sql("SELECT count(*) FROM orders"), orders);
    assert_eq!(sql("SELECT count(*) FROM copy_progress"), "0");

    let second = cluster.database().unwrap();
    let other = cluster.url(&second);
    let made = Command::new(binary())
        .args(["migrate", "up", "--database", &other])
        .output()
        .unwrap();
    assert!(made.status.success());
    cluster
        .sql(&second, "REVOKE INSERT ON payments FROM stockhold_app")
        .unwrap();
    assert!(!copy(&sqlite, &other).0);
    let server = Server::start(binary(), &sqlite, &[]).unwrap();
    let client = Client::of(&server);
    client.post("/cart", json!({"customer_id": "c-10"})).await;
    drop(server);
    let (ok, said) = copy(&sqlite, &other);
    assert!(!ok && said.contains("copy anew"), "{said}");
}
