//! A demo server of its own for each test, and a client for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bench::connection::{Connection, Response, request};
use bench::server::{Folder, Server, audit};
use serde_json::{Value, json};
use tokio::task::JoinSet;

pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_stockhold"))
}

/// A running demo shop on a throw-away database, served by one process or by several.
pub(crate) struct Shop {
    pub(crate) server: Server,
    /// Further servers on the same database.
    others: Vec<Server>,
    pub(crate) folder: Folder,
}

/// How many servers serve a shop, where tests can tell none from another.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests run once with one server and once with three, as xtask says"
)]
fn servers() -> usize {
    let given = std::env::var("STOCKHOLD_TEST_SERVERS");
    given.map_or(1, |count| count.parse().unwrap())
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) response: Response,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn is_replay(&self) -> bool {
        self.response.header("idempotent-replayed") == Some("true")
    }

    /// The same, or a panic with what came instead.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

impl Shop {
    pub(crate) fn open(name: &str) -> Self {
        Self::open_with(name, &[])
    }

    pub(crate) fn open_with(name: &str, more: &[&str]) -> Self {
        let folder = Folder::new(name).unwrap();
        let start = || Server::start(binary(), &folder.database(), more).unwrap();
        let server = start();
        let others = (1..servers()).map(|_| start()).collect();
        Self {
            server,
            others,
            folder,
        }
    }

    /// A shop that this one server serves.
    pub(crate) fn of(server: Server, folder: Folder) -> Self {
        Self {
            server,
            others: Vec::new(),
            folder,
        }
    }

    /// Ends the server as it is, and starts it again on the same database.
    pub(crate) fn restart(&mut self) {
        self.server.kill().unwrap();
        self.server = Server::start(binary(), &self.folder.database(), &[]).unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        Client {
            address: self.server.address().to_owned(),
            others: self
                .others
                .iter()
                .map(|server| server.address().to_owned())
                .collect(),
            next: Arc::default(),
            key: Some(self.server.fact("secret_key").to_owned()),
            headers: String::new(),
        }
    }

    /// Nothing is found: every test that writes ends with this.
    #[track_caller]
    pub(crate) fn audit(&self) {
        let found = audit(binary(), &self.folder.database()).unwrap();
        assert_eq!(found["ok"], json!(true), "{found}");
    }
}

/// Makes requests with one key; each on a connection of its own.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    /// Further servers; requests go to all of them in turns.
    others: Arc<[String]>,
    next: Arc<AtomicUsize>,
    pub(crate) key: Option<String>,
    pub(crate) headers: String,
}

impl Client {
    pub(crate) fn with_key(&self, key: Option<&str>) -> Self {
        Self {
            key: key.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The same with one more header line.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        Self {
            headers: format!("{}{name}: {value}\r\n", self.headers),
            ..self.clone()
        }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut headers = self.headers.clone();
        if let Some(key) = &self.key {
            headers = format!("{headers}authorization: Bearer {key}\r\n");
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % (self.others.len() + 1);
        let address = turn
            .checked_sub(1)
            .map_or(&self.address, |other| &self.others[other]);
        let mut connection = Connection::open(address).await.unwrap();
        let response = connection
            .send(&request(method, path, &headers, body))
            .await
            .unwrap();
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        Answer {
            status: response.status,
            body,
            response,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, &body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, &body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "").await
    }

    /// A new simple product; its only variant's id.
    pub(crate) async fn product(&self, price: i64, stock: i64) -> String {
        let body = json!({"title": "Thing", "unit_price": price, "stock_quantity": stock});
        let made = self.post("/api/v1/products", body).await.expect(201);
        made.body["variants"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn order(&self, variant: &str, quantity: i64) -> Answer {
        self.post("/api/v1/orders", order_of(variant, quantity))
            .await
    }

    pub(crate) async fn available(&self, variant: &str) -> i64 {
        let levels = self
            .get(&format!("/api/v1/stock?variant_id={variant}"))
            .await
            .expect(200);
        let data = levels.body["data"].as_array().unwrap().clone();
        data.iter()
            .map(|level| level["available"].as_i64().unwrap())
            .sum()
    }
}

/// What stands behind the host of a URL.
pub(crate) fn path_of(url: &str) -> String {
    let (_, behind) = url.split_once("://").unwrap();
    format!("/{}", behind.split_once('/').unwrap().1)
}

pub(crate) fn order_of(variant: &str, quantity: i64) -> Value {
    json!({"customer_id": "c-1", "items": [{"variant_id": variant, "quantity": quantity}]})
}

/// Sends many requests at once; the answers in no order.
pub(crate) async fn at_once<F>(many: usize, work: impl Fn(usize) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let barrier = Arc::new(tokio::sync::Barrier::new(many));
    let mut tasks = JoinSet::new();
    for number in 0..many {
        let (barrier, work) = (Arc::clone(&barrier), work(number));
        tasks.spawn(async move {
            barrier.wait().await;
            work.await
        });
    }
    tasks.join_all().await
}

/// How many answers have this status.
pub(crate) fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}
