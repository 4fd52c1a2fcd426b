//! Lists come from a streaming replica while it keeps up; what one has just written is always read.

use std::time::Duration;

use bench::connection::{Connection, request};
use bench::server::Server;
use serde_json::{Value, json};
use throwaway::postgres::{Cluster, Durability};

use super::binary;

struct Shop {
    primary: Cluster,
    standby: Cluster,
    database: String,
    server: Server,
}

impl Shop {
    async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let key = self.server.fact("secret_key");
        let headers = format!("authorization: Bearer {key}\r\n");
        let mut connection = Connection::open(self.server.address()).await.unwrap();
        let text = request(method, path, &headers, body);
        let answer = connection.send(&text).await.unwrap();
        (answer.status, answer.json().unwrap_or(Value::Null))
    }

    async fn product(&self, title: &str) -> String {
        let body = json!({"title": title, "unit_price": 100, "stock_quantity": 1});
        let (status, made) = self.call("POST", "/products", &body.to_string()).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// Whether the list shows it.
    async fn lists(&self, title: &str) -> bool {
        let (status, list) = self.call("GET", "/products?limit=100", "").await;
        assert_eq!(status, 200, "{list}");
        list.to_string().contains(title)
    }

    /// Lists read so far on the standby.
    fn read_there(&self) -> i64 {
        let sql = "SELECT coalesce(sum(seq_scan + idx_scan), 0) FROM pg_stat_user_tables \
             WHERE relname = 'products'";
        self.standby
            .sql(&self.database, sql)
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Lists until lists are read on the standby.
    async fn used(&self) {
        let before = self.read_there();
        eventually("the standby is used", async || {
            self.lists("x").await;
            self.read_there() > before
        })
        .await;
    }
}

async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_lists_and_is_left_out_when_it_lags_or_dies() {
    let primary = Cluster::start(Durability::Full).unwrap();
    let database = primary.database().unwrap();
    // The schema is there before the copy is made.
    drop(Server::start(binary(), &primary.url(&database), &[]).unwrap());
    let standby = primary.standby().unwrap();
    let read = standby.url(&database);
    let more = ["--database-read", &read];
    let server = Server::start(binary(), &primary.url(&database), &more).unwrap();
    let shop = Shop {
        primary,
        standby,
        database,
        server,
    };
    shop.used().await;

    shop.standby
        .sql(&shop.database, "SELECT pg_wal_replay_pause()")
        .unwrap();
    let late = shop.product("Late").await;
    let (status, found) = shop.call("GET", &format!("/products/{late}"), "").await;
    assert_eq!(
        (status, &found["title"]),
        (200, &json!("Late")),
        "what was written is read"
    );
    eventually("a lagging replica is left out", async || {
        shop.lists("Late").await
    })
    .await;
    shop.product("Later").await;
    for _ in 0..20 {
        assert!(shop.lists("Later").await, "it is not asked while it lags");
    }

    shop.standby
        .sql(&shop.database, "SELECT pg_wal_replay_resume()")
        .unwrap();
    shop.used().await;
    shop.standby.crash().unwrap();
    for _ in 0..10 {
        assert!(shop.lists("Late").await, "a dead replica fails no list");
    }
    shop.standby.up().unwrap();
    shop.used().await;
    assert_eq!(shop.primary.sql(&shop.database, "SELECT 1").unwrap(), "1");
}
