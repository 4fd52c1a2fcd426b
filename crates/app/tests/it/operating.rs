//! What whoever runs a server asks it: smoke, settings, manual pages, the schema.

use std::process::{Command, Output};

use base64::Engine as _;
use bench::server::{Folder, Server};
use serde_json::{Value, json};

use super::shop::{Shop, binary};

fn secret(byte: u8) -> String {
    let key = base64::prelude::BASE64_STANDARD.encode([byte; 32]);
    format!("whsec_{key}")
}

fn smoke(shop: &Shop, secret: Option<&str>) -> (Option<i32>, Value) {
    let mut command = Command::new(binary());
    command.args(["smoke", "--json", "--url", shop.server.fact("listening")]);
    command.args(["--key", shop.server.fact("secret_key")]);
    command.args(secret.map(|secret| format!("--webhook-secret={secret}")));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (
        output.status.code(),
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")),
    )
}

fn failed(verdict: &Value) -> Vec<String> {
    let steps = verdict["steps"].as_array().unwrap();
    let failed = steps.iter().filter(|step| step["ok"] == false);
    failed
        .map(|step| step["step"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn smoke_gives_three_verdicts() {
    let folder = Folder::new("smoke").unwrap();
    let ours = secret(7);
    let environment = [("STOCKHOLD_MOCK_WEBHOOK_SECRET", ours.as_str())];
    let server = Server::start_in(binary(), &folder.database(), &[], &environment).unwrap();
    let shop = Shop::of(server, folder);
    for given in [None, Some(ours.as_str())] {
        let (status, verdict) = smoke(&shop, given);
        assert_eq!(
            (status, &verdict["ok"], &verdict["verdict"]),
            (Some(0), &json!(true), &json!("HEALTHY")),
            "{verdict}"
        );
    }
    let (status, verdict) = smoke(&shop, Some(&secret(8)));
    assert_eq!(status, Some(1));
    assert_eq!(failed(&verdict), ["webhook: the payment succeeds"]);
    assert!(
        verdict["verdict"]
            .as_str()
            .unwrap()
            .contains("webhook secret"),
        "{verdict}"
    );

    let client = shop.client();
    client
        .put("/controls", json!({"read_only": true, "reason": "test"}))
        .await
        .expect(200);
    let (status, verdict) = smoke(&shop, None);
    assert_eq!((status, &verdict["read_only"]), (Some(3), &json!(true)));
    assert!(
        verdict["verdict"]
            .as_str()
            .unwrap()
            .starts_with("READ-ONLY"),
        "{verdict}"
    );
    client
        .put("/controls", json!({"read_only": false, "reason": "test"}))
        .await
        .expect(200);
    let orders = client
        .get("/orders?page=1&limit=100")
        .await
        .expect(200)
        .body;
    assert_eq!(orders["total"], 3);
    assert!(
        orders["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|order| order["status"] == "cancelled"),
        "it takes back what it ordered"
    );
    shop.audit();

    let gone = Command::new(binary())
        .args(["smoke", "--url", "http://127.0.0.1:1", "--key", "sk_x"])
        .output()
        .unwrap();
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stdout).contains("UNHEALTHY"));
}

fn check(args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary());
    command.args(["config", "check", "--json"]).args(args);
    command.envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn config_check_says_where_each_value_comes_from() {
    let folder = Folder::new("config").unwrap();
    let file = folder.path().join("stockhold.toml");
    std::fs::write(
        &file,
        "batch_max = 64\nqueue_max = 100\npublic_url = \"https://shop.example\"\n",
    )
    .unwrap();
    let file = file.display().to_string();
    let output = check(
        &["--config", &file, "--batch-max", "32"],
        &[
            ("PAYMENT_TIMEOUT_MINUTES", "20"),
            ("STOCKHOLD_MOCK_WEBHOOK_SECRET", &secret(1)),
        ],
    );
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| {
        let all = shown["settings"].as_array().unwrap();
        let found = all.iter().find(|setting| setting["name"] == name).unwrap();
        (
            found["value"].as_str().unwrap().to_owned(),
            found["from"].as_str().unwrap().to_owned(),
        )
    };
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    assert_eq!(of("batch_max"), pair("32", "--batch-max"));
    assert_eq!(of("queue_max"), pair("100", &file));
    assert_eq!(of("public_url"), pair("https://shop.example", &file));
    assert_eq!(
        of("payment_timeout_minutes"),
        pair("20", "PAYMENT_TIMEOUT_MINUTES")
    );
    assert_eq!(of("listen"), pair("127.0.0.1:3000", "default"));
    assert_eq!(
        of("mock_webhook_secret"),
        pair("(given)", "STOCKHOLD_MOCK_WEBHOOK_SECRET")
    );
    for (args, word) in [
        (
            vec!["--payment-timeout-minutes", "0"],
            "payment_timeout_minutes",
        ),
        (vec!["--mock-webhook-secret", "hunter2"], "whsec_"),
        (vec!["--config", "nowhere.toml"], "nowhere.toml"),
        (vec!["--database", "mysql://x"], "postgres://"),
    ] {
        let output = check(&args, &[]);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(word),
            "{args:?}"
        );
    }
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let stockhold = |args: &[&str]| {
        let output = Command::new(binary()).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let folder = Folder::new("man").unwrap();
    let pages = folder.path().join("man").display().to_string();
    stockhold(&["man", "--output", &pages]);
    for command in [
        "serve",
        "import",
        "export",
        "migrate",
        "expiry",
        "smoke",
        "audit",
        "read-only",
    ] {
        for shell in ["bash", "zsh", "fish"] {
            assert!(
                stockhold(&["completions", shell]).contains(command),
                "{shell} {command}"
            );
        }
        assert!(
            folder
                .path()
                .join(format!("man/stockhold-{command}.1"))
                .exists(),
            "{command}"
        );
    }
    assert!(stockhold(&["man"]).contains("never sells a unit twice"));
}

#[test]
fn migrate_shows_prints_and_goes_both_ways() {
    let folder = Folder::new("migrate").unwrap();
    let database = folder.database();
    let stockhold = |args: &[&str]| {
        let output = Command::new(binary())
            .args(args)
            .args(["--database", &database])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (status, text) = stockhold(&["migrate", "status"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("orders.idempotency_key: missing"), "{text}");
    assert_eq!(stockhold(&["migrate", "up"]).0, Some(0));
    let (status, text) = stockhold(&["migrate", "status"]);
    assert_eq!(status, Some(0));
    assert!(text.contains("orders.idempotency_key: there"), "{text}");
    let (status, text) = stockhold(&["migrate", "down", "--steps", "9"]);
    assert!(status == Some(2) && text.contains("--yes"), "{text}");
    assert_eq!(
        stockhold(&["migrate", "down", "--steps", "2", "--yes"]).0,
        Some(0)
    );
    let (status, text) = stockhold(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(
        status == Some(2) && text.contains("stockhold migrate up"),
        "{text}"
    );
    assert_eq!(stockhold(&["migrate", "up"]).0, Some(0));
    let (_, all) = stockhold(&["migrate", "print"]);
    let (_, one) = stockhold(&["migrate", "print", "--step", "1", "--down"]);
    assert!(all.contains("-- Step 1, checkout_core: up") && all.contains("CREATE TABLE orders"));
    assert!(one.contains("-- Step 1, checkout_core: down") && !one.contains("Step 2"));
    assert_eq!(stockhold(&["migrate", "print", "--step", "99"]).0, Some(2));
}
