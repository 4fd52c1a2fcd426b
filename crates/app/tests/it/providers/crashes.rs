//! The server is killed at every step of what it does with a provider, and started again.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::emulator::{Emulator, Fault};
use super::stripe::{account, pay};
use super::{Tried, balances, cash, order, paid_once, until};
use crate::shop::Shop;

/// Every step at which a server dies, and whether somebody asks again afterwards.
fn cases() -> impl Iterator<Item = (usize, (Fault, bool))> {
    let steps = [Fault::HangBefore, Fault::HangAfter];
    let cases = steps
        .into_iter()
        .flat_map(|fault| [(fault, true), (fault, false)]);
    cases.enumerate()
}

/// Sends a request whose provider does not answer, and kills the server meanwhile.
async fn dies(
    shop: &mut Shop,
    (emulator, fault, call): (&Emulator, Fault, &str),
    (key, path, body): (&str, &str, Value),
) {
    let asked = emulator.world().count(call);
    emulator.fail(fault);
    let mut waits = JoinSet::new();
    let (client, path) = (shop.client().with("idempotency-key", key), path.to_owned());
    waits.spawn(async move { client.post(&path, body).await });
    emulator.asked(call, asked + 1).await;
    shop.restart();
    waits.abort_all();
    while waits.join_next().await.is_some() {}
    emulator.fail(None);
}

/// What a killed server leaves is found by the next one, whether anybody asks again or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_begun_once_wherever_its_server_dies() {
    let Tried {
        mut shop,
        client,
        emulator,
    } = Tried::open("crash-begin").await;
    account(&client, &emulator).await;
    for (number, (fault, repeats)) in cases() {
        let client = shop.client();
        let order = order(&client, "EUR", 1_200).await;
        let path = format!("/orders/{order}/payments");
        let key = format!("key-{number}");
        let begins = (&emulator, fault, "POST /v1/payment_intents");
        dies(
            &mut shop,
            begins,
            (&key, &path, json!({"provider": "stripe"})),
        )
        .await;
        let client = shop.client();
        if repeats {
            let again = client.with("idempotency-key", &key);
            let begun = again
                .post(&path, json!({"provider": "stripe"}))
                .await
                .expect(201);
            assert!(!begun.text("client_secret").is_empty());
            assert_eq!(begun.body["attempt"], json!(1));
            let other = json!({"provider": "stripe", "payment_method": "card"});
            let reused = again.post(&path, other).await.expect(422);
            assert_eq!(reused.code(), "idempotency_key_reused");
        }
        let begun = || async {
            let answer = client.post(&path, json!({})).await;
            answer.text("client_secret")
        };
        if !repeats {
            let history = format!("/orders/{order}/events");
            until(async || {
                client
                    .get(&history)
                    .await
                    .body
                    .to_string()
                    .contains("payment.begun")
            })
            .await;
        }
        assert!(!begun().await.is_empty());
        assert_eq!(emulator.world().all("pi_").len(), number + 1, "one there");
        let intent = begun().await.trim_end_matches("_secret").to_owned();
        pay(&emulator, &intent);
        let payment = client.post(&path, json!({})).await.text("id");
        client
            .post(&format!("/payments/{payment}/confirm"), json!({}))
            .await
            .expect(200);
        paid_once(&client, &order).await;
        shop.audit();
    }
    balances(&shop.client()).await;
    assert_eq!(cash(&shop.client(), "stripe").await, 4 * 1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_made_once_wherever_its_server_dies() {
    let Tried {
        mut shop,
        client,
        emulator,
    } = Tried::open("crash-refund").await;
    account(&client, &emulator).await;
    let (order, payment) = super::start(&client, "stripe", "EUR", 1_000).await;
    pay(&emulator, &payment.text("provider_payment_id"));
    let payment = payment.text("id");
    client
        .post(&format!("/payments/{payment}/confirm"), json!({}))
        .await
        .expect(200);
    paid_once(&client, &order).await;
    let path = format!("/payments/{payment}/refunds");
    for (number, (fault, repeats)) in cases() {
        let key = format!("refund-{number}");
        let refunds = (&emulator, fault, "POST /v1/refunds");
        dies(&mut shop, refunds, (&key, &path, json!({"amount": 100}))).await;
        let client = shop.client();
        if repeats {
            let again = client.with("idempotency-key", &key);
            let refund = again.post(&path, json!({"amount": 100})).await.expect(201);
            assert_eq!(refund.text("status"), "succeeded");
        }
        let left = 1_000 - 100 * (i64::try_from(number).unwrap() + 1);
        until(async || cash(&client, "stripe").await == left).await;
        assert_eq!(emulator.world().all("re_").len(), number + 1);
        shop.audit();
    }
    balances(&shop.client()).await;
}
