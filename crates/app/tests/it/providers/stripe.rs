//! Stripe: an emulator, and what goes on between it and us.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::emulator::{Asked, Emulator, World};
use super::{Clocked, Tried, cash, is_sound, paid_once, start, until};
use crate::shop::{Answer, Client, at_once, count};

const SECRET: &str = "whsec_of_the_test";

fn form(body: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}

fn number(text: &str) -> i64 {
    text.parse().unwrap()
}

pub(super) fn answer(world: &mut World, asked: &Asked) -> (u16, Value) {
    let form = form(&asked.body);
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    let parts: Vec<&str> = asked.path.trim_start_matches("/v1/").split('/').collect();
    if world.is_another(asked) {
        return (400, json!({"error": {"type": "idempotency_error"}}));
    }
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["payment_intents"]) => (
            200,
            world.once("pi_", &asked.key, |id| {
                json!({"id": id, "object": "payment_intent", "status": "requires_payment_method",
                "amount": number(&of("amount")), "amount_received": 0, "currency": of("currency"),
                "client_secret": format!("{id}_secret"),
                "metadata": {"order_id": of("metadata[order_id]")}})
            }),
        ),
        ("POST", ["payment_intents", id, "cancel"]) => {
            if world.objects[*id]["status"] == "succeeded" {
                let error = json!({"type": "invalid_request_error",
                    "code": "payment_intent_unexpected_state"});
                return (400, json!({"error": error}));
            }
            let cancelled = json!({"status": "canceled", "cancellation_reason": "abandoned"});
            world.set(id, cancelled);
            (200, world.objects[*id].clone())
        }
        ("POST", ["refunds"]) => {
            let status = if world.slow_refunds {
                "pending"
            } else {
                "succeeded"
            };
            (
                200,
                world.once("re_", &asked.key, |id| {
                    json!({"id": id, "object": "refund", "status": status,
                    "amount": number(&of("amount")), "payment_intent": of("payment_intent"),
                        "metadata": {"refund_id": of("metadata[refund_id]")}})
                }),
            )
        }
        ("GET", ["refunds"]) => (200, json!({"data": world.all("re_")})),
        ("GET", [_, id]) => world.objects.get(*id).map_or_else(
            || {
                (
                    404,
                    json!({"error": {"type": "invalid_request_error", "code": "resource_missing"}}),
                )
            },
            |object| (200, object.clone()),
        ),
        _ => (400, json!({"error": {"type": "invalid_request_error"}})),
    }
}

pub(super) async fn account(client: &Client, emulator: &Emulator) {
    let account = json!({"secret_key": "sk_test_1", "webhook_secret": SECRET,
        "api_url": emulator.url});
    client
        .put("/payment-accounts/stripe", account)
        .await
        .expect(200);
}

/// The payer pays.
pub(super) fn pay(emulator: &Emulator, intent: &str) {
    let mut world = emulator.world();
    let amount = world.objects[intent]["amount"].clone();
    world.set(
        intent,
        json!({"status": "succeeded", "amount_received": amount}),
    );
}

fn seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a provider's own clock")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// Sends an event as Stripe would; `ahead` is how far our clock is before its.
pub(super) async fn tell(
    client: &Client,
    (id, kind): (&str, &str),
    object: &Value,
    ahead: u64,
) -> Answer {
    let event = json!({"id": id, "object": "event", "type": kind, "data": {"object": object}});
    let body = event.to_string();
    let at = seconds() + ahead;
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = format!("t={at},v1={hex}");
    let provider = client.with_key(None).with("stripe-signature", &signature);
    provider.send("POST", "/webhooks/demo/stripe", &body).await
}

fn object(emulator: &Emulator, name: &str) -> Value {
    emulator.world().objects[name].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_events_pay_once_in_any_order() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("stripe").await;
    account(&client, &emulator).await;
    let (order, payment) = start(&client, "stripe", "EUR", 2_500).await;
    let intent = payment.text("provider_payment_id");
    assert_eq!(payment.text("client_secret"), format!("{intent}_secret"));
    assert_eq!(payment.body["payment_url"], Value::Null);
    let before = object(&emulator, &intent);
    pay(&emulator, &intent);
    let paid = object(&emulator, &intent);
    // Forged, and one that a card's decline caused, come between.
    let forged =
        json!({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": paid}});
    let stranger = client.with_key(None).with("stripe-signature", "t=1,v1=00");
    stranger
        .post("/webhooks/demo/stripe", forged)
        .await
        .expect(401);
    let told = at_once(50, |number| {
        let (client, paid, before) = (client.clone(), paid.clone(), before.clone());
        async move {
            match number % 5 {
                0 => {
                    tell(
                        &client,
                        ("evt_0", "payment_intent.payment_failed"),
                        &before,
                        0,
                    )
                    .await
                }
                1 => tell(&client, ("evt_2", "payment_intent.succeeded"), &paid, 0).await,
                _ => tell(&client, ("evt_1", "payment_intent.succeeded"), &paid, 0).await,
            }
        }
    })
    .await;
    assert_eq!(count(&told, 200), 50);
    paid_once(&client, &order).await;
    let shown = client
        .get(&format!("/payments/{}", payment.text("id")))
        .await;
    assert_eq!(shown.body["client_secret"], Value::Null);
    // Unknown events are kept; a dispute stands in the order's history, its loss is a refund, once.
    let thing = json!({"object": "mandate", "id": "m"});
    tell(&client, ("evt_3", "mandate.updated"), &thing, 0)
        .await
        .expect(200);
    let mut dispute = json!({"object": "dispute", "id": "dp_1", "payment_intent": intent,
        "amount": 2_500, "currency": "eur", "status": "needs_response"});
    tell(&client, ("evt_4", "charge.dispute.created"), &dispute, 0)
        .await
        .expect(200);
    dispute["status"] = json!("lost");
    for event in ["evt_5", "evt_6"] {
        tell(&client, (event, "charge.dispute.closed"), &dispute, 0)
            .await
            .expect(200);
    }
    assert_eq!(cash(&client, "stripe").await, 0);
    let events = client.get(&format!("/orders/{order}/events")).await;
    let text = events.body.to_string();
    assert!(
        text.contains("\"opened\"") && text.contains("\"lost\""),
        "{text}"
    );
    assert_eq!(text.matches("payment.refunded").count(), 1);
    assert_eq!(emulator.world().all("re_").len(), 0, "the bank took it");
    let dead = client.get("/webhook-events?status=dead").await;
    assert_eq!(dead.body["data"], json!([]));
    is_sound(&shop, &client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_is_ended_before_its_hold_is_let_go() {
    let tried = Clocked::open("stripe-ends").await;
    let (client, emulator) = (&tried.client, &tried.emulator);
    account(client, emulator).await;
    let (order, payment) = start(client, "stripe", "EUR", 900).await;
    let intent = payment.text("provider_payment_id");
    // The provider's deadline is fifteen minutes less the grace of two.
    tried.ahead(13 * 60 + 5);
    until(async || object(emulator, &intent)["status"] == "canceled").await;
    until(async || {
        let shown = client
            .get(&format!("/payments/{}", payment.text("id")))
            .await;
        shown.text("status") == "failed"
    })
    .await;
    let waits = client.get(&format!("/orders/{order}")).await;
    assert_eq!(waits.text("status"), "pending", "its stock is still held");
    // Somebody who cancels ends the intent, too.
    let (other, payment) = start(client, "stripe", "EUR", 900).await;
    client.delete(&format!("/orders/{other}")).await.expect(200);
    let intent = payment.text("provider_payment_id");
    assert_eq!(object(emulator, &intent)["status"], "canceled");
    tried.shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_late_revives_its_order_or_goes_back_once() {
    let tried = Clocked::open("stripe-late").await;
    let (client, emulator) = (&tried.client, &tried.emulator);
    account(client, emulator).await;
    let (there, first) = start(client, "stripe", "EUR", 900).await;
    let (gone, second) = start(client, "stripe", "EUR", 700).await;
    let intents = [&first, &second].map(|payment| payment.text("provider_payment_id"));
    // Both are paid while Stripe's own messages are lost, and the provider is away.
    emulator.fail(super::emulator::Fault::Down);
    for intent in &intents {
        emulator
            .world()
            .set(intent, json!({"status": "processing"}));
    }
    tried.ahead(15 * 60 + 5);
    until(async || {
        let seen = client.get(&format!("/orders/{gone}")).await;
        seen.text("payment_status") == "expired"
    })
    .await;
    let items = client.get(&format!("/orders/{gone}")).await;
    let variant = items.body["items"][0]["variant_id"]
        .as_str()
        .unwrap()
        .to_owned();
    client.order(&variant, 1).await.expect(201);
    for intent in &intents {
        pay(emulator, intent);
    }
    emulator.fail(None);
    for (number, intent) in intents.iter().enumerate() {
        let id = format!("evt_{number}");
        let paid = object(emulator, intent);
        // Signed by the moved clock, or by the world's.
        let ahead = if number == 0 { 905 } else { 0 };
        let told = tell(client, (&id, "payment_intent.succeeded"), &paid, ahead).await;
        told.expect(200);
    }
    paid_once(client, &there).await;
    until(async || emulator.world().all("re_").len() == 1).await;
    until(async || cash(client, "stripe").await == 900).await;
    let seen = client.get(&format!("/orders/{gone}")).await;
    assert_eq!(seen.text("status"), "cancelled");
    let shown = client
        .get(&format!("/payments/{}", second.text("id")))
        .await;
    assert_eq!(shown.text("status"), "refunded");
    is_sound(&tried.shop, client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_in_part_goes_back() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("stripe-part").await;
    account(&client, &emulator).await;
    let (order, payment) = start(&client, "stripe", "EUR", 1_000).await;
    let intent = payment.text("provider_payment_id");
    let part = json!({"status": "succeeded", "amount_received": 400});
    emulator.world().set(&intent, part);
    let paid = object(&emulator, &intent);
    tell(&client, ("evt_1", "payment_intent.succeeded"), &paid, 0)
        .await
        .expect(200);
    until(async || emulator.world().all("re_").len() == 1).await;
    assert_eq!(emulator.world().all("re_")[0]["amount"], json!(400));
    until(async || cash(&client, "stripe").await == 0).await;
    let seen = client.get(&format!("/orders/{order}")).await;
    assert_eq!(seen.text("status"), "pending");
    let events = client.get(&format!("/orders/{order}/events")).await;
    assert!(events.body.to_string().contains("\"partial\""));
    is_sound(&shop, &client).await;
}

/// Stripe keeps a fault under the key: the same request is answered with it for a day.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_answer_is_lost_is_found_and_not_made_again() {
    let tried = Clocked::open("stripe-lost").await;
    let (client, emulator) = (&tried.client, &tried.emulator);
    account(client, emulator).await;
    let mut payments = Vec::new();
    for _ in 0..2 {
        let (_, payment) = start(client, "stripe", "EUR", 900).await;
        pay(emulator, &payment.text("provider_payment_id"));
        let confirm = format!("/payments/{}/confirm", payment.text("id"));
        client.post(&confirm, json!({})).await.expect(200);
        payments.push(payment.text("id"));
    }
    emulator.fail(super::emulator::Fault::AfterDoing);
    for payment in &payments {
        let refunds = format!("/payments/{payment}/refunds");
        client
            .post(&refunds, json!({"amount": 100}))
            .await
            .expect(502);
    }
    // One is told by an event that carries our id, the other is looked for after a while.
    let made = emulator.world().all("re_");
    assert_eq!(made.len(), 2);
    tell(client, ("evt_r", "refund.updated"), &made[0], 0)
        .await
        .expect(200);
    assert_eq!(cash(client, "stripe").await, 1_700);
    tried.ahead(65);
    until(async || cash(client, "stripe").await == 1_600).await;
    // The payer's bank sends one back, days later.
    let mut bounced = made[0].clone();
    bounced["status"] = json!("failed");
    emulator
        .world()
        .set(made[0]["id"].as_str().unwrap(), json!({"status": "failed"}));
    for event in ["evt_f", "evt_g"] {
        let told = tell(client, (event, "refund.failed"), &bounced, 65).await;
        told.expect(200);
    }
    assert_eq!(cash(client, "stripe").await, 1_700);
    emulator.fail(None);
    is_sound(&tried.shop, client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_beginning_leaves_its_key_free() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("stripe-refused").await;
    let account = json!({"secret_key": "sk", "webhook_secret": SECRET,
        "api_url": format!("{}/v1/nowhere", emulator.url)});
    client
        .put("/payment-accounts/stripe", account)
        .await
        .expect(200);
    let order = super::order(&client, "EUR", 100).await;
    let path = format!("/orders/{order}/payments");
    let keyed = client.with("idempotency-key", "again");
    let body = || json!({"provider": "stripe"});
    keyed.post(&path, body()).await.expect(502);
    self::account(&client, &emulator).await;
    let begun = keyed.post(&path, body()).await.expect(201);
    assert_eq!(begun.body["attempt"], json!(2));
    let replayed = keyed.post(&path, body()).await.expect(201);
    assert!(replayed.is_replay());
    is_sound(&shop, &client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_while_the_provider_is_asked_waits_no_longer_than_that() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("stripe-hangs").await;
    account(&client, &emulator).await;
    let order = super::order(&client, "EUR", 100).await;
    let path = format!("/orders/{order}/payments");
    emulator.fail(super::emulator::Fault::HangBefore);
    let clicks = at_once(3, |_| {
        let (client, path) = (client.clone(), path.clone());
        async move { client.post(&path, json!({"provider": "stripe"})).await }
    })
    .await;
    for click in &clicks {
        let known = ["provider_timeout", "idempotency_in_flight"];
        assert!(known.contains(&click.code()), "{}", click.body);
        assert!(click.response.header("retry-after").is_some());
    }
    emulator.fail(None);
    let begun = client.post(&path, json!({})).await.expect(200);
    assert!(!begun.text("client_secret").is_empty());
    assert_eq!(emulator.world().all("pi_").len(), 1);
    is_sound(&shop, &client).await;
}
