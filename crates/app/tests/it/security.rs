//! The security log: what was refused, a line each, and nothing about people.

use serde_json::{Value, json};

use crate::shop::{Shop, at_once};

fn lines(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    for secret in ["sk_", "pk_", "jo@example.com", "whsec", "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Seed 001, 2.3: after the lock, mutation attempts fail and are logged.
#[tokio::test(flavor = "multi_thread")]
async fn every_edit_of_a_locked_order_and_every_forged_message_is_a_line() {
    let file = std::env::temp_dir().join(format!("stockhold-security-{}", std::process::id()));
    let path = file.to_str().unwrap();
    drop(std::fs::remove_file(path));
    let shop = Shop::open_with("security", &["--security-log", path]);
    let client = shop.client();
    let variant = client.product(1_000, 5).await;
    let draft = json!({"customer_email": "jo@example.com", "draft": true,
        "items": [{"variant_id": variant, "quantity": 1}]});
    let order = client.post("/orders", draft).await.expect(201).text("id");
    let url = format!("/orders/{order}");
    client
        .patch(&url, json!({"discount_amount": 1}))
        .await
        .expect(200);
    assert_eq!(lines(path), Vec::<Value>::new(), "nothing was refused yet");
    client
        .send("POST", &format!("{url}/lock"), "")
        .await
        .expect(200);
    let locked = client.get(&url).await.expect(200);
    let edits = [
        json!({"discount_amount": 2}),
        json!({"shipping_fee": 7}),
        json!({"items": [{"variant_id": variant, "quantity": 2}]}),
    ];
    let answers = at_once(50, |number| {
        let (client, url, edit) = (client.clone(), url.clone(), edits[number % 3].clone());
        async move { client.patch(&url, edit).await }
    })
    .await;
    assert!(answers.iter().all(|answer| answer.code() == "order_locked"));
    let after = client.get(&url).await.expect(200);
    assert_eq!(after.body, locked.body, "not a field moved");
    let forged = client
        .with_key(None)
        .post("/webhooks/demo/mock", json!({}))
        .await;
    assert_eq!(forged.status, 401);
    let found = lines(path);
    let of = |event: &str| found.iter().filter(|line| line["event"] == event).count();
    assert_eq!(
        (of("order_locked"), of("webhook_unverified")),
        (50, 1),
        "{found:?}"
    );
    let line = found
        .iter()
        .find(|line| line["event"] == "order_locked")
        .unwrap();
    assert_eq!(
        (&line["order_id"], &line["target"]),
        (&json!(order), &json!("security"))
    );
    assert_eq!(line["command"], "ReviseOrder");
    assert!(line["by"].as_str().unwrap().starts_with("key "), "{line}");
    shop.audit();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_security_log_that_cannot_be_written_is_said_at_the_start() {
    let folder = std::env::temp_dir();
    let refused = std::process::Command::new(crate::shop::binary())
        .args([
            "serve",
            "--demo",
            "--listen",
            "127.0.0.1:0",
            "--security-log",
        ])
        .arg(&folder)
        .current_dir(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("security log"), "{said}");
}
