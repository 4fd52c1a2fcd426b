//! `stockhold reconcile` and the sealing of accounts, from the command line.

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bench::server::{Folder, Server};
use serde_json::json;

use super::emulator::Emulator;
use super::stripe::{account, pay};
use super::{Tried, is_sound, paid_once, reconcile, start};
use crate::shop::{Shop, binary};

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_told() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("reconcile").await;
    account(&client, &emulator).await;
    let (order, payment) = start(&client, "stripe", "EUR", 800).await;
    is_sound(&shop, &client).await;
    // The payer has paid, and nobody has told us.
    let intent = payment.text("provider_payment_id");
    pay(&emulator, &intent);
    let found = reconcile(&shop);
    let [one] = found["differences"].as_array().unwrap().as_slice() else {
        panic!("{found}")
    };
    assert_eq!(one["payment_id"], json!(payment.text("id")));
    let what = one["difference"].as_str().unwrap();
    assert!(
        what.contains("has taken 800 EUR") && what.contains("pending"),
        "{what}"
    );
    let confirm = format!("/payments/{}/confirm", payment.text("id"));
    client.post(&confirm, json!({})).await.expect(200);
    paid_once(&client, &order).await;
    is_sound(&shop, &client).await;
    // The provider says less than we have.
    emulator
        .world()
        .set(&intent, json!({"amount_received": 700}));
    assert!(reconcile(&shop).to_string().contains("has taken 700 EUR"));
    emulator.world().objects.clear();
    assert!(reconcile(&shop).to_string().contains("does not say"));
    shop.audit();
}

fn stockhold(arguments: &[&str], database: &str, keys: &str) -> (bool, String) {
    let ran = Command::new(binary())
        .args(arguments)
        .args(["--database", database, "--accounts-key", keys])
        .output()
        .unwrap();
    let text = [ran.stdout, ran.stderr].concat();
    (
        ran.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_sealed_anew_with_a_new_key() {
    let [old, new] = [3, 4].map(|byte: u8| BASE64_STANDARD.encode([byte; 32]));
    let folder = Folder::new("reseal").unwrap();
    let open = |keys: &str| {
        Server::start(binary(), &folder.database(), &["--accounts-key", keys]).unwrap()
    };
    let server = open(&old);
    let database = folder.database();
    let emulator = Emulator::start().await;
    let mut shop = Shop::of(server, folder);
    let client = shop.client();
    account(&client, &emulator).await;
    start(&client, "stripe", "EUR", 100).await;
    shop.server.kill().unwrap();
    // The new key alone opens nothing.
    let (done, text) = stockhold(&["accounts", "reseal"], &database, &new);
    assert!(!done && text.contains("no key opens"), "{text}");
    let both = format!("{new},{old}");
    let (done, text) = stockhold(&["accounts", "reseal"], &database, &both);
    assert!(done && text.contains("1 accounts sealed anew"), "{text}");
    let (done, text) = stockhold(&["accounts", "reseal"], &database, &new);
    assert!(done && text.contains("0 accounts sealed anew, 1"), "{text}");
    let keys = ["--accounts-key", new.as_str()];
    shop.server = Server::start(binary(), &database, &keys).unwrap();
    let client = shop.client();
    start(&client, "stripe", "EUR", 100).await;
    assert_eq!(emulator.world().all("pi_").len(), 2);
    let (done, text) = stockhold(&["reconcile"], &database, &new);
    assert!(done, "{text}");
    shop.audit();
}
