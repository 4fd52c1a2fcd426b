//! PostgreSQL goes away under load, its connections are killed, the line to it is cut in the middle
//! of commits: every acknowledged order is there once, and shops sell again within seconds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bench::connection::{Connection, Response, request};
use bench::server::{Server, audit};
use serde_json::json;
use throwaway::postgres::{Cluster, Durability};
use throwaway::relay::Relay;
use tokio::task::JoinSet;

use super::{binary, order_of};

const CLIENTS: usize = 16;
/// Within so many seconds of the database's return a shop must sell again.
const RECOVERY_MAX: Duration = Duration::from_secs(5);

/// A shop on a PostgreSQL of its own that keeps what it commits.
struct Fragile {
    cluster: Cluster,
    database: String,
    servers: Vec<Server>,
    variant: String,
}

/// What came of a buyer's orders.
#[derive(Default)]
struct Bought {
    /// Ids of orders that were acknowledged.
    ids: Vec<String>,
    /// Answers 503.
    refused: usize,
}

impl Fragile {
    /// `through` is the port under which the servers know the database.
    async fn open(servers: usize, through: impl FnOnce(&Cluster) -> u16) -> Self {
        let cluster = Cluster::start(Durability::Full).unwrap();
        let database = cluster.database().unwrap();
        let direct = cluster.url(&database);
        let port = through(&cluster);
        let relayed = direct.replace(&format!(":{}/", cluster.port()), &format!(":{port}/"));
        let start = |_| Server::start(binary(), &relayed, &[]).unwrap();
        let servers: Vec<Server> = (0..servers).map(start).collect();
        let shop = Self {
            cluster,
            database,
            servers,
            variant: String::new(),
        };
        let body = json!({"title": "Thing", "unit_price": 100, "stock_quantity": 1_000_000});
        let made = shop.post(0, "/products", &body.to_string()).await;
        let made: serde_json::Value = serde_json::from_slice(&made.unwrap().body).unwrap();
        Self {
            variant: made["variants"][0]["id"].as_str().unwrap().to_owned(),
            ..shop
        }
    }

    /// A request to one of the servers.
    async fn post(&self, server: usize, path: &str, body: &str) -> anyhow::Result<Response> {
        let server = &self.servers[server];
        let key = server.fact("secret_key");
        let headers = format!("authorization: Bearer {key}\r\n");
        let mut connection = Connection::open(server.address()).await?;
        connection
            .send(&request("POST", path, &headers, body))
            .await
    }

    /// Buyers at every server, until `stop`.
    fn buyers(&self, round: usize, stop: &Arc<AtomicBool>) -> JoinSet<Bought> {
        let mut buyers = JoinSet::new();
        for number in 0..CLIENTS {
            let server = &self.servers[number % self.servers.len()];
            buyers.spawn(buy(
                server.address().to_owned(),
                server.fact("secret_key").to_owned(),
                self.variant.clone(),
                format!("{round}-{number}"),
                Arc::clone(stop),
            ));
        }
        buyers
    }

    /// Waits until every server sells again.
    async fn sells_again(&self) {
        for server in 0..self.servers.len() {
            loop {
                let order = order_of(&self.variant, 1).to_string();
                let sold = self.post(server, "/orders", &order).await;
                if sold.is_ok_and(|answer| answer.status == 201) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Each acknowledged order is there, and each order there is holds one unit.
    fn check(&self, bought: &[Bought]) {
        let sql = |sql: &str| self.cluster.sql(&self.database, sql).unwrap();
        let there = sql("SELECT order_id FROM orders");
        let there: BTreeSet<&str> = there.lines().collect();
        let mut acknowledged = BTreeSet::new();
        for id in bought.iter().flat_map(|bought| &bought.ids) {
            assert!(
                there.contains(id.as_str()),
                "order {id} was acknowledged and is gone"
            );
            assert!(
                acknowledged.insert(id),
                "order {id} was acknowledged under two keys"
            );
        }
        let keys = sql(
            "SELECT count(*) - count(DISTINCT idempotency_key) FROM orders \
             WHERE idempotency_key IS NOT NULL",
        );
        assert_eq!(keys, "0", "no key made two orders");
        let reserved = sql("SELECT sum(reserved_stock) FROM stock_levels");
        assert_eq!(
            reserved,
            there.len().to_string(),
            "each order holds one unit"
        );
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(sql(deadlocks), "0");
        let found = audit(binary(), &self.cluster.url(&self.database)).unwrap();
        assert_eq!(found["ok"], json!(true), "{found}");
    }
}

/// Orders with a key each, and again with the same key until there is an answer other than 503.
async fn buy(
    address: String,
    key: String,
    variant: String,
    name: String,
    stop: Arc<AtomicBool>,
) -> Bought {
    let mut bought = Bought::default();
    let order = order_of(&variant, 1).to_string();
    let mut number = 0;
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let headers =
            format!("authorization: Bearer {key}\r\nidempotency-key: {name}-{number}\r\n");
        let text = request("POST", "/orders", &headers, &order);
        if connection.is_none() {
            connection = Connection::open(&address).await.ok();
        }
        let Some(open) = &mut connection else {
            return bought;
        };
        let Ok(answer) = open.send(&text).await else {
            connection = None;
            continue;
        };
        if answer.status == 201 {
            let id = answer.json().unwrap()["id"].as_str().unwrap().to_owned();
            bought.ids.push(id);
            number += 1;
        } else {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(answer.status, 503, "{text}");
            assert!(answer.header("retry-after").is_some());
            bought.refused += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    bought
}

/// Rounds of trouble under load.
async fn rounds(
    shop: &mut Fragile,
    rounds: usize,
    mut trouble: impl AsyncFnMut(&mut Fragile, usize),
) {
    let mut bought = Vec::new();
    for round in 0..rounds {
        let stop = Arc::new(AtomicBool::new(false));
        let buyers = shop.buyers(round, &stop);
        tokio::time::sleep(Duration::from_millis(150 + 30 * round as u64)).await;
        trouble(shop, round).await;
        let again = tokio::time::timeout(RECOVERY_MAX, shop.sells_again());
        again.await.expect("it sells again in time");
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.store(true, Ordering::Relaxed);
        let fresh = buyers.join_all().await;
        assert!(
            fresh.iter().any(|bought| !bought.ids.is_empty()),
            "round {round} sold nothing"
        );
        bought.extend(fresh);
        shop.check(&bought);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_crashes_five_times_under_load() {
    let mut shop = Fragile::open(1, Cluster::port).await;
    rounds(&mut shop, 5, async |shop, _| {
        shop.cluster.crash().unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (answer, order) = (503, order_of(&shop.variant, 1).to_string());
        let refused = shop.post(0, "/orders", &order).await.unwrap();
        assert_eq!(refused.status, answer);
        assert!(refused.header("retry-after").is_some());
        shop.cluster.up().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_connections_are_killed_ten_times_under_load() {
    let mut shop = Fragile::open(2, Cluster::port).await;
    rounds(&mut shop, 10, async |shop, _| {
        let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE application_name = 'stockhold'";
        let killed = shop.cluster.sql("postgres", kill).unwrap();
        assert_ne!(killed, "0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_to_it_is_cut_twenty_times_in_the_middle_of_commits() {
    let mut relay = None;
    let mut shop = Fragile::open(2, |cluster| {
        let line = Relay::to(cluster.port()).unwrap();
        relay.insert(line).port()
    })
    .await;
    let relay = relay.unwrap();
    rounds(&mut shop, 20, async |_, _| {
        assert!(relay.cut() > 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_servers_is_killed_five_times_and_the_others_go_on() {
    let mut shop = Fragile::open(3, Cluster::port).await;
    rounds(&mut shop, 5, async |shop, round| {
        let url = shop.cluster.url(&shop.database);
        let server = &mut shop.servers[round % 3];
        server.kill().unwrap();
        *server = Server::start(binary(), &url, &[]).unwrap();
    })
    .await;
}
