//! Many orders with all of it mixed: every provider, failures, doubled and late messages, refunds,
//! and a server that is killed in between.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::emulator::{Emulator, Fault};
use super::{Tried, is_sound, reconcile, stripe, vnpay, yookassa};
use crate::shop::{Answer, Client, path_of};

/// Orders of one round; after each the server is killed.
const ROUND: usize = 100;
/// Orders under way at the same time.
const AT_ONCE: usize = 8;

#[expect(
    clippy::disallowed_methods,
    reason = "`cargo xtask money` asks for more than the tests do"
)]
fn orders() -> usize {
    let given = std::env::var("STOCKHOLD_TEST_ORDERS");
    given.map_or(300, |count| count.parse().unwrap())
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const PROVIDERS: [(&str, &str); 5] = [
    ("mock", "EUR"),
    ("manual", "EUR"),
    ("vnpay", "VND"),
    ("yookassa", "RUB"),
    ("stripe", "EUR"),
];

/// Asks for one and the same thing until the provider takes it.
async fn patiently(client: &Client, dice: &mut Dice, path: &str, body: Value) -> Answer {
    let key = format!("{path}-{}", dice.0);
    let client = client.with("idempotency-key", &key);
    loop {
        let answer = client.post(path, body.clone()).await;
        let again = matches!(answer.status, 502..=504) || answer.code() == "idempotency_in_flight";
        if !again {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The payer pays, and the provider says so some times.
async fn paid(client: &Client, emulator: &Emulator, payment: &Answer, copies: u64) {
    let id = payment.text("provider_payment_id");
    let reference = payment.text("provider_reference");
    match payment.text("provider").as_str() {
        "mock" => {
            let page = path_of(&payment.text("payment_url"));
            client.post(&format!("{page}/duplicate"), json!({})).await;
        }
        "manual" => {
            let confirm = format!("/payments/{}/confirm", payment.text("id"));
            client.post(&confirm, json!({})).await;
        }
        "vnpay" => {
            let amount = format!("{}00", payment.body["amount"]);
            let there = json!({"Amount": amount, "TransactionNo": "7", "TransactionType": "01",
                "TransactionStatus": "00"});
            emulator.world().objects.insert(reference.clone(), there);
            let told = [("vnp_Amount", amount.as_str()), ("vnp_TransactionNo", "7")];
            for _ in 0..copies {
                vnpay::tell(client, &vnpay::ipn(&reference, &told)).await;
            }
        }
        "yookassa" => {
            emulator.world().set(&id, json!({"status": "succeeded"}));
            for _ in 0..copies {
                yookassa::tell(client, "payment.succeeded", &json!({"id": id})).await;
            }
        }
        _ => {
            stripe::pay(emulator, &id);
            let paid = emulator.world().objects[&id].clone();
            for copy in 0..copies {
                let event = format!("evt_{id}_{}", copy / 2);
                stripe::tell(client, (&event, "payment_intent.succeeded"), &paid, 0).await;
            }
        }
    }
}

async fn one_order(client: Client, emulator: Emulator, variants: [String; 3], mut dice: Dice) {
    let (provider, currency) = PROVIDERS[usize::try_from(dice.up_to(5)).unwrap()];
    let place = ["EUR", "VND", "RUB"]
        .iter()
        .position(|known| *known == currency)
        .unwrap();
    let units = 1 + i64::try_from(dice.up_to(2)).unwrap();
    let order = client.order(&variants[place], units).await;
    if order.status == 409 {
        return;
    }
    let order = order.expect(201).text("id");
    let pays = format!("/orders/{order}/payments");
    let payment = patiently(&client, &mut dice, &pays, json!({"provider": provider})).await;
    assert!(matches!(payment.status, 200 | 201), "{}", payment.body);
    if dice.up_to(4) == 0 {
        let again = patiently(&client, &mut dice, &pays, json!({})).await;
        assert_eq!(again.text("id"), payment.text("id"));
    }
    let copies = dice.up_to(4);
    match dice.up_to(8) {
        0 => return,
        1 => {
            client.delete(&format!("/orders/{order}")).await;
            // Whoever was at the till already pays all the same, where the provider still takes it.
            let takes = provider != "stripe";
            if takes && dice.up_to(2) == 0 {
                paid(&client, &emulator, &payment, copies).await;
            }
            return;
        }
        2 if provider == "stripe" => {
            let id = payment.text("provider_payment_id");
            let part = json!({"status": "succeeded", "amount_received": 1});
            emulator.world().set(&id, part);
            let told = emulator.world().objects[&id].clone();
            stripe::tell(&client, (&id, "payment_intent.succeeded"), &told, 0).await;
            return;
        }
        3 if provider == "vnpay" => {
            let reference = payment.text("provider_reference");
            let lie = vnpay::ipn(&reference, &[("vnp_Amount", "100")]);
            assert_eq!(vnpay::tell(&client, &lie).await, "04");
        }
        _ => {}
    }
    paid(&client, &emulator, &payment, copies.max(1)).await;
    let refunds = format!("/payments/{}/refunds", payment.text("id"));
    match dice.up_to(4) {
        0 => drop(patiently(&client, &mut dice, &refunds, json!({"amount": 1})).await),
        1 => drop(patiently(&client, &mut dice, &refunds, json!({"restock": true})).await),
        2 => drop(client.delete(&format!("/orders/{order}")).await),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_mixed_comes_to_nothing_in_the_end() {
    let Tried {
        mut shop,
        client,
        emulator,
    } = Tried::open("mixture").await;
    stripe::account(&client, &emulator).await;
    yookassa::account(&client, &emulator).await;
    vnpay::account(&client, &emulator).await;
    let mut variants = [const { String::new() }; 3];
    for (place, currency) in ["EUR", "VND", "RUB"].iter().enumerate() {
        let stock = i64::try_from(orders()).unwrap() * 3 / 4;
        let thing = json!({"title": "Thing", "currency": currency, "unit_price": 90_000,
            "stock_quantity": stock});
        let made = client.post("/products", thing).await.expect(201);
        variants[place] = made.body["variants"][0]["id"].as_str().unwrap().to_owned();
    }
    let mut dice = Dice(7);
    for _ in 0..orders().div_ceil(ROUND) {
        let client = shop.client();
        let mut under_way = JoinSet::new();
        for number in 0..ROUND {
            if under_way.len() == AT_ONCE {
                under_way.join_next().await.unwrap().unwrap();
            }
            let fault =
                [Fault::Down, Fault::AfterDoing].get(usize::try_from(dice.up_to(9)).unwrap());
            emulator.world().next_fault = fault.copied();
            let own = Dice(dice.up_to(u64::MAX >> 34) ^ u64::try_from(number).unwrap() << 40);
            under_way.spawn(one_order(
                client.clone(),
                emulator.clone(),
                variants.clone(),
                own,
            ));
        }
        while let Some(done) = under_way.join_next().await {
            done.unwrap();
        }
        emulator.world().next_fault = None;
        shop.restart();
    }
    // What is still open is asked for until nothing differs.
    for _ in 0..400 {
        if reconcile(&shop)["ok"] == json!(true) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    is_sound(&shop, &shop.client()).await;
}
