//! Servers share pages of the catalogue and rates through a Redis, and go on without it.

use std::process::Command;
use std::time::Duration;

use bench::connection::{Connection, Response, request};
use bench::server::{Folder, Server, audit};
use serde_json::{Value, json};
use throwaway::redis::Redis;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::binary;

async fn send(server: &Server, method: &str, path: &str, body: &str) -> Response {
    let key = server.fact("secret_key");
    let headers = format!("authorization: Bearer {key}\r\n");
    let mut connection = Connection::open(server.address()).await.unwrap();
    let text = request(method, path, &headers, body);
    connection.send(&text).await.unwrap()
}

async fn ready(server: &Server) -> Value {
    let answer = send(server, "GET", "/health/ready", "").await;
    assert_eq!(answer.status, 200, "a Redis is not needed");
    answer.json().unwrap()["redis"].clone()
}

async fn is(servers: &[Server], wanted: &str) {
    for server in servers {
        let mut said = Value::Null;
        for _ in 0..200 {
            // Whoever asks finds out.
            send(server, "GET", "/products", "").await;
            said = ready(server).await;
            if said == wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(said, wanted);
    }
}

/// What a server has counted.
async fn count(server: &Server, what: &str) -> u64 {
    let metrics = send(server, "GET", "/metrics", "").await;
    let text = String::from_utf8(metrics.body).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("stockhold_cache_{what}_total ")));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

fn started(folder: &Folder, redis: &Redis, more: &[&str]) -> Vec<Server> {
    let (database, url) = (folder.database(), redis.url());
    let args = [&["--redis", &url], more].concat();
    let start = |_| Server::start(binary(), &database, &args).unwrap();
    (0..2).map(start).collect()
}

/// Two servers can share a database only on PostgreSQL.
fn shop(name: &str) -> Folder {
    Folder::shared(name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_found_by_another_server_and_never_from_before_a_change() {
    let (folder, redis) = (shop("sharing"), Redis::start().unwrap());
    let servers = started(&folder, &redis, &[]);
    is(&servers, "ok").await;
    let [one, two] = servers.as_slice() else {
        panic!("two servers")
    };
    let losses = async || count(one, "losses").await + count(two, "losses").await;
    let shows = async |server, title: &str| {
        let page = send(server, "GET", "/products?limit=100", "").await;
        String::from_utf8_lossy(&page.body).contains(title)
    };
    let mut seen = 0;
    for round in 0..40 {
        let before = losses().await;
        let title = format!("Round {round:02}");
        let body = json!({"title": title, "unit_price": 100, "stock_quantity": 5});
        let made = send(one, "POST", "/products", &body.to_string()).await;
        assert_eq!(made.status, 201);
        let mut right = true;
        for server in [two, one, two] {
            right &= shows(server, &title).await;
        }
        let id = made.json().unwrap()["id"].as_str().unwrap().to_owned();
        let gone = send(two, "DELETE", &format!("/products/{id}"), "").await;
        assert_eq!(gone.status, 200);
        right &= !shows(one, &title).await;
        // A change that a Redis did not hear of in time is seen after a second.
        if losses().await == before {
            assert!(right, "{title}");
            seen += 1;
        }
    }
    assert!(seen > 0, "the Redis never answered for a whole round");
    for _ in 0..100 {
        send(one, "GET", "/products?limit=7", "").await;
        send(two, "GET", "/products?limit=7", "").await;
    }
    assert!(count(one, "hits").await > 0 && count(two, "hits").await > 0);
    assert_eq!(
        audit(binary(), &folder.database()).unwrap()["ok"],
        json!(true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_on_without_a_redis_and_it_comes_back() {
    let (folder, mut redis) = (shop("without-redis"), Redis::start().unwrap());
    let servers = started(&folder, &redis, &[]);
    is(&servers, "ok").await;
    let all_well = async || {
        for server in &servers {
            let body = json!({"title": "New", "unit_price": 100, "stock_quantity": 5});
            let made = send(server, "POST", "/products", &body.to_string()).await;
            assert_eq!(made.status, 201);
            let id = made.json().unwrap()["id"].as_str().unwrap().to_owned();
            for path in ["/products".to_owned(), format!("/products/{id}")] {
                assert_eq!(send(server, "GET", &path, "").await.status, 200, "{path}");
            }
        }
    };
    redis.freeze(true).unwrap();
    all_well().await;
    is(&servers, "unavailable").await;
    all_well().await;
    redis.freeze(false).unwrap();
    is(&servers, "ok").await;
    redis.kill().unwrap();
    all_well().await;
    is(&servers, "unavailable").await;
    redis.up().unwrap();
    is(&servers, "ok").await;
    all_well().await;
    assert_eq!(
        audit(binary(), &folder.database()).unwrap()["ok"],
        json!(true)
    );
}

/// A client that asks without reading its answers keeps no server from going.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_when_it_is_told_to() {
    let (folder, redis) = (shop("going"), Redis::start().unwrap());
    let mut servers = started(&folder, &redis, &["--rate-limit", "1000000"]);
    is(&servers, "ok").await;
    let server = &mut servers[0];
    let key = server.fact("secret_key");
    let headers = format!("authorization: Bearer {key}\r\n");
    let crowd = request("GET", "/products", &headers, "").repeat(2_000);
    let mut client = TcpStream::connect(server.address()).await.unwrap();
    // The server takes no more once the client takes nothing.
    let sent = client.write_all(crowd.as_bytes());
    drop(timeout(Duration::from_secs(2), sent).await);
    let id = server.id().to_string();
    let told = Command::new("kill").args(["-s", "TERM", &id]).status();
    assert!(told.unwrap().success());
    for _ in 0..600 {
        if let Some(status) = server.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the server never went");
}

/// A key that has used its rate on one server has used it on the other. Where the machine is so busy
/// that a second passes in between, it is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_used_on_all_servers_together() {
    let (folder, redis) = (shop("rates"), Redis::start().unwrap());
    let servers = started(&folder, &redis, &["--rate-limit", "1"]);
    is(&servers, "ok").await;
    let [one, two] = servers.as_slice() else {
        panic!("two servers")
    };
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let first = send(one, "GET", "/orders", "").await;
        let second = send(two, "GET", "/orders", "").await;
        if (first.status, second.status) == (200, 429) {
            let problem = second.json().unwrap();
            assert_eq!(problem["code"], "rate_limited");
            assert_eq!(second.header("retry-after"), Some("1"));
            return;
        }
    }
    panic!("the second server let through what the first one had taken");
}
