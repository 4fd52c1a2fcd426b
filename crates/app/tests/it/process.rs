//! Starting, stopping, and what a second process is told.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::time::Duration;

use bench::server::{Folder, Server};
use serde_json::Value;

use super::shop::{Shop, binary};

fn stockhold(args: &[&str]) -> Output {
    Command::new(binary()).args(args).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_prints_the_same_keys_and_is_small() {
    let mut shop = Shop::open("start");
    assert!(
        shop.server.resident_kib().unwrap() < 60 * 1024,
        "resident at rest"
    );
    let first = shop.server.facts.clone();
    shop.restart();
    for name in ["tenant_id", "secret_key", "publishable_key", "platform_key"] {
        assert_eq!(first[name], shop.server.facts[name], "{name}");
    }
    let other = Shop::open("start-other");
    assert_eq!(
        first["tenant_id"], other.server.facts["tenant_id"],
        "a demo's ids are constants"
    );
    assert_ne!(first["secret_key"], other.server.facts["secret_key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_told_what_to_do() {
    let folder = Folder::embedded("second").unwrap();
    let server = Server::start(binary(), &folder.database(), &[]).unwrap();
    let shop = Shop::of(server, folder);
    let database = shop.folder.database();
    for args in [
        vec![
            "serve",
            "--demo",
            "--listen",
            "127.0.0.1:0",
            "--database",
            &database,
        ],
        vec!["migrate", "up", "--database", &database],
        vec!["tenant", "list", "--database", &database],
    ] {
        let output = stockhold(&args);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("another process uses"), "{text}");
    }
    shop.audit();
    let status = stockhold(&["migrate", "status", "--json", "--database", &database]);
    assert_eq!(status.status.code(), Some(0));
}

#[test]
fn without_a_demo_everything_is_made_by_hand() {
    let folder = Folder::new("by-hand").unwrap();
    let database = folder.database();
    let with = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--database", &database]);
        stockhold(&all)
    };
    let refused = with(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stockhold migrate up"));
    assert_eq!(with(&["migrate", "status"]).status.code(), Some(1));
    assert_eq!(with(&["migrate", "up"]).status.code(), Some(0));
    assert_eq!(
        with(&["tenant", "create", "acme", "--currency", "VND"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(with(&["tenant", "create", "acme"]).status.code(), Some(2));
    let made = with(&["key", "create", "secret", "--tenant", "acme", "--json"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert!(made["key"].as_str().unwrap().starts_with("sk_"));
    assert_eq!(with(&["key", "create", "secret"]).status.code(), Some(2));
    assert_eq!(with(&["key", "create", "platform"]).status.code(), Some(0));
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        with(&["key", "revoke", &id, "--tenant", "acme"])
            .status
            .code(),
        Some(0)
    );
    let list = with(&["key", "list", "--tenant", "acme"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("revoked"));
    let down = ["migrate", "down", "--steps", "9"];
    assert_eq!(with(&down).status.code(), Some(2));
    assert_eq!(with(&["audit"]).status.code(), Some(0));
    let down = ["migrate", "down", "--steps", "9", "--yes"];
    assert_eq!(with(&down).status.code(), Some(0));
    let wrong = stockhold(&["audit", "--database", "mysql://x"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("sqlite:PATH"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains_and_exits_zero() {
    let folder = Folder::new("sigterm").unwrap();
    let mut server = Server::start(binary(), &folder.database(), &[]).unwrap();
    let ended = Command::new("kill")
        .args(["-TERM", &server.id().to_string()])
        .status()
        .unwrap();
    assert!(ended.success());
    for _ in 0..100 {
        if let Some(status) = server.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it did not exit within ten seconds");
}

#[test]
fn a_settings_file_is_read_and_checked() {
    let folder = Folder::new("settings").unwrap();
    let file = folder.path().join("stockhold.toml");
    std::fs::write(&file, "payment_timeout_minutes = 0\n").unwrap();
    let file = file.to_str().unwrap();
    let refused = stockhold(&[
        "serve",
        "--demo",
        "--config",
        file,
        "--database",
        &folder.database(),
    ]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        text.contains("payment_timeout_minutes must be between"),
        "{text}"
    );
    std::fs::write(file, "no_such_setting = 1\n").unwrap();
    let refused = stockhold(&[
        "serve",
        "--demo",
        "--config",
        file,
        "--database",
        &folder.database(),
    ]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no_such_setting"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_its_quota_and_others_have_theirs() {
    let folder = Folder::new("quota").unwrap();
    let more = ["--rate-limit", "5"];
    let server = Server::start(binary(), &folder.database(), &more).unwrap();
    let shop = Shop::of(server, folder);
    let client = shop.client();
    let answers = super::shop::at_once(30, |_| {
        let client = client.clone();
        async move { client.get("/products?limit=1").await }
    })
    .await;
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 429)
        .collect();
    assert!(refused.len() >= 20, "{} of 30 were refused", refused.len());
    for answer in refused {
        assert_eq!(answer.code(), "rate_limited");
        assert!(answer.response.header("retry-after").is_some());
    }
    let browser = client.with_key(Some(shop.server.fact("publishable_key")));
    browser.get("/products?limit=1").await.expect(200);
}

/// A flash sale begins with everybody connecting at once, and the server may be busy just then.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_let_in_while_the_server_is_busy() {
    let shop = Shop::open("crowd");
    let address = shop.server.address().parse().unwrap();
    let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let crowd = most.trim().parse::<usize>().unwrap().min(300);
    let signal = |name: &str| {
        let id = shop.server.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    };
    signal("STOP");
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_secs(10));
    let connections: Result<Vec<_>, _> = (0..crowd).map(connect).collect();
    signal("CONT");
    for mut connection in connections.expect("somebody was turned away at the door") {
        let asked = connection.write_all(b"GET /health/live HTTP/1.1\r\nhost: shop\r\n\r\n");
        asked.unwrap();
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
}
