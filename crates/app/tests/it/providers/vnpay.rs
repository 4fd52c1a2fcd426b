//! VNPAY: an emulator, and what goes on between it and us.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use outbound::vnpay::{Account, SANDBOX, address};
use serde_json::{Value, json};
use sha2::Sha512;

use super::emulator::{Asked, Emulator, World};
use super::{Clocked, Tried, cash, is_sound, paid_once, start, until};
use crate::shop::{Answer, Client, at_once};

const SECRET: &str = "VNPAYTESTSECRETVNPAYTESTSECRET12";
const TERMINAL: &str = "TESTTMN1";

/// The values of an answer that are signed.
const SIGNED: [&str; 13] = [
    "ResponseId",
    "Command",
    "ResponseCode",
    "Message",
    "TmnCode",
    "TxnRef",
    "Amount",
    "BankCode",
    "PayDate",
    "TransactionNo",
    "TransactionType",
    "TransactionStatus",
    "OrderInfo",
];

fn sign(text: &str) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a request only asks.
pub(super) fn is_question(asked: &Asked) -> bool {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    body["vnp_Command"] == "querydr"
}

/// Its payments stand under their references: a payer makes them, not a request.
pub(super) fn answer(world: &mut World, asked: &Asked) -> (u16, Value) {
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    let text = |name: &str| body[format!("vnp_{name}")].as_str().unwrap_or_default();
    let command = text("Command").to_owned();
    let known = world.objects.get(text("TxnRef")).cloned();
    let mut said: BTreeMap<&str, String> = BTreeMap::from([
        ("ResponseId", "1".to_owned()),
        ("Command", command.clone()),
        ("TmnCode", TERMINAL.to_owned()),
        ("TxnRef", text("TxnRef").to_owned()),
        ("Message", "ok".to_owned()),
    ]);
    match (command.as_str(), known) {
        (_, None) => drop(said.insert("ResponseCode", "91".to_owned())),
        ("querydr", Some(payment)) => {
            said.insert("ResponseCode", "00".to_owned());
            for name in [
                "Amount",
                "TransactionNo",
                "TransactionType",
                "TransactionStatus",
            ] {
                said.insert(name, payment[name].as_str().unwrap_or_default().to_owned());
            }
        }
        (_, Some(_)) => {
            let request = text("RequestId");
            let used = world.keys.contains_key(request);
            let amount = text("Amount").to_owned();
            let refund = world.once("vn-refund-", request, |_| json!({"amount": amount}));
            let code = if used { "94" } else { "00" };
            said.insert("ResponseCode", code.to_owned());
            said.insert("TransactionType", text("TransactionType").to_owned());
            said.insert("TransactionStatus", "05".to_owned());
            said.insert("Amount", refund["amount"].as_str().unwrap().to_owned());
            if !world.slow_refunds {
                let kind = text("TransactionType");
                let number = format!("9{:04}", world.keys.len());
                let gone = json!({"TransactionType": kind, "TransactionStatus": "06",
                    "TransactionNo": number, "Amount": refund["amount"]});
                world.set(text("TxnRef"), gone);
            }
        }
    }
    let value = |name: &&str| said.get(name).cloned().unwrap_or_default();
    let mut signed: Vec<String> = SIGNED.iter().map(value).collect();
    if command == "querydr" {
        signed.extend([String::new(), String::new()]);
    }
    let mut answer: serde_json::Map<String, Value> = said
        .iter()
        .map(|(name, value)| (format!("vnp_{name}"), value.clone().into()))
        .collect();
    answer.insert("vnp_SecureHash".to_owned(), sign(&signed.join("|")).into());
    (200, answer.into())
}

pub(super) async fn account(client: &Client, emulator: &Emulator) {
    let account = json!({"tmn_code": TERMINAL, "hash_secret": SECRET,
        "api_url": format!("{}/merchant_webapi/api/transaction", emulator.url)});
    client
        .put("/payment-accounts/vnpay", account)
        .await
        .expect(200);
}

/// What VNPAY tells of a payment, as a query.
pub(super) fn ipn(reference: &str, changed: &[(&str, &str)]) -> String {
    let usual = [
        ("vnp_TmnCode", TERMINAL),
        ("vnp_Amount", "15000000"),
        ("vnp_BankCode", "NCB"),
        ("vnp_OrderInfo", "Order"),
        ("vnp_TransactionNo", "14422574"),
        ("vnp_ResponseCode", "00"),
        ("vnp_TransactionStatus", "00"),
        ("vnp_TxnRef", reference),
    ];
    let all = usual.iter().chain(changed);
    let params = all
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let account = Account {
        tmn_code: TERMINAL.to_owned(),
        hash_secret: SECRET.to_owned(),
        payment_url: SANDBOX.0.to_owned(),
        api_url: SANDBOX.1.to_owned(),
    };
    let url = address(&account, &params);
    url.split_once('?').unwrap().1.to_owned()
}

pub(super) async fn tell(client: &Client, query: &str) -> String {
    let provider = client.with_key(None);
    let answer = provider.get(&format!("/webhooks/demo/vnpay?{query}")).await;
    answer.expect(200).text("RspCode")
}

async fn begun(client: &Client) -> (String, Answer, String) {
    let (order, payment) = start(client, "vnpay", "VND", 150_000).await;
    let reference = payment.text("provider_reference");
    assert!(
        payment
            .text("payment_url")
            .contains(&format!("vnp_TxnRef={reference}"))
    );
    (order, payment, reference)
}

/// Seed 000, scenario 3, and the table of VNPAY's own test tool.
#[tokio::test(flavor = "multi_thread")]
async fn every_notification_gets_vnpays_own_answer() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("vnpay").await;
    account(&client, &emulator).await;
    let (order, payment, reference) = begun(&client).await;
    let good = ipn(&reference, &[]);
    let forged = good.replace("14422574", "14422575");
    let table = [
        (forged.clone(), "97"),
        (format!("{good}&vnp_Amount=15000000"), "97"),
        (String::new(), "99"),
        (
            ipn("order-00000000-0000-7000-8000-000000000000-payment", &[]),
            "01",
        ),
        (ipn(&reference, &[("vnp_TmnCode", "OTHERTMN")]), "01"),
        (ipn(&reference, &[("vnp_Amount", "14999900")]), "04"),
        (ipn(&reference, &[("vnp_Amount", "15000001")]), "04"),
    ];
    for (query, code) in &table {
        assert_eq!(tell(&client, query).await, *code, "{query}");
    }
    let seen = client.get(&format!("/orders/{order}")).await;
    assert_eq!(seen.text("payment_status"), "pending");
    // The payer is back before VNPAY has told us: nothing is changed by that.
    let payer = client.with_key(None);
    let back = payer
        .get(&format!("/payments/return/demo/vnpay?{good}"))
        .await
        .expect(303);
    let to = format!("https://shop.example/back?order_id={order}&status=pending");
    assert_eq!(back.response.header("location"), Some(to.as_str()));
    payer
        .get(&format!("/payments/return/demo/vnpay?{forged}"))
        .await
        .expect(401);
    assert_eq!(tell(&client, &good).await, "00");
    assert_eq!(tell(&client, &good).await, "02");
    // What was paid does not become another amount.
    assert_eq!(
        tell(&client, &ipn(&reference, &[("vnp_Amount", "100")])).await,
        "04"
    );
    paid_once(&client, &order).await;
    let shown = client
        .get(&format!("/payments/{}", payment.text("id")))
        .await;
    assert_eq!(shown.text("provider_payment_id"), "14422574");
    // A failure that was recorded is confirmed, too; money after it still counts.
    let (order, _, reference) = begun(&client).await;
    let failed = [("vnp_ResponseCode", "24"), ("vnp_TransactionStatus", "02")];
    let other = [&failed[..], &[("vnp_Amount", "100")]].concat();
    assert_eq!(tell(&client, &ipn(&reference, &other)).await, "04");
    assert_eq!(tell(&client, &ipn(&reference, &failed)).await, "00");
    assert_eq!(tell(&client, &ipn(&reference, &failed)).await, "02");
    let seen = client.get(&format!("/orders/{order}")).await;
    assert_eq!(seen.text("payment_status"), "failed");
    assert_eq!(
        tell(&client, &ipn(&reference, &[("vnp_TransactionNo", "15")])).await,
        "00"
    );
    paid_once(&client, &order).await;
    // Money that VNPAY suspects keeps its order where it is, until somebody has looked.
    let (order, _, reference) = begun(&client).await;
    let suspected = [("vnp_ResponseCode", "07"), ("vnp_TransactionStatus", "00")];
    assert_eq!(tell(&client, &ipn(&reference, &suspected)).await, "00");
    assert_eq!(tell(&client, &ipn(&reference, &suspected)).await, "02");
    let seen = client.get(&format!("/orders/{order}")).await;
    assert_eq!(seen.body["payment_expires_at"], Value::Null);
    let events = client.get(&format!("/orders/{order}/events")).await;
    assert!(events.body.to_string().contains("order.put_on_hold"));
    is_sound(&shop, &client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_copies_at_once_one_is_confirmed() {
    let Tried {
        shop,
        client,
        emulator,
    } = Tried::open("vnpay-copies").await;
    account(&client, &emulator).await;
    let (order, _, reference) = begun(&client).await;
    let query = ipn(&reference, &[]);
    let answers = at_once(50, |_| {
        let (client, query) = (client.with_key(None), query.clone());
        async move { client.get(&format!("/webhooks/demo/vnpay?{query}")).await }
    })
    .await;
    let said = |code: &str| {
        answers
            .iter()
            .filter(|answer| answer.text("RspCode") == code)
            .count()
    };
    assert_eq!((said("00"), said("02")), (1, 49));
    paid_once(&client, &order).await;
    shop.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_told_us_is_asked_for_and_a_refund_followed() {
    let tried = Clocked::open("vnpay-asks").await;
    let (client, emulator) = (&tried.client, &tried.emulator);
    account(client, emulator).await;
    let (order, payment, reference) = begun(client).await;
    let (open, left, _) = begun(client).await;
    let paid = json!({"Amount": "15000000", "TransactionNo": "77", "TransactionType": "01",
        "TransactionStatus": "00"});
    emulator.world().objects.insert(reference.clone(), paid);
    // A payer is left alone for a minute.
    emulator.asked("POST", 0).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    tried.ahead(65);
    until(async || {
        let seen = client.get(&format!("/orders/{order}")).await;
        seen.text("payment_status") == "paid"
    })
    .await;
    paid_once(client, &order).await;
    assert_eq!(
        tell(client, &ipn(&reference, &[("vnp_TransactionNo", "77")])).await,
        "02"
    );
    emulator.world().slow_refunds = true;
    let refunds = format!("/payments/{}/refunds", payment.text("id"));
    let refund = client.post(&refunds, json!({})).await.expect(201);
    assert_eq!(refund.text("status"), "pending");
    let gone = json!({"TransactionType": "02", "TransactionStatus": "06", "TransactionNo": "78"});
    emulator.world().set(&reference, gone);
    until(async || cash(client, "vnpay").await == 0).await;
    assert_eq!(emulator.world().all("vn-refund").len(), 1);
    two_refunds_are_told_apart(client, emulator).await;
    // An address that nobody paid by ends with its time.
    tried.ahead(16 * 60);
    until(async || {
        let seen = client.get(&format!("/orders/{open}")).await;
        seen.text("payment_status") == "expired"
    })
    .await;
    tried.ahead(60 * 60);
    until(async || {
        let shown = client.get(&format!("/payments/{}", left.text("id"))).await;
        shown.text("failure_code") == "expired"
    })
    .await;
    is_sound(&tried.shop, client).await;
}

/// VNPAY tells only of the last thing that happened to a payment: one refund goes after the other.
async fn two_refunds_are_told_apart(client: &Client, emulator: &Emulator) {
    let (_, payment, reference) = begun(client).await;
    let paid = json!({"Amount": "15000000", "TransactionNo": "90", "TransactionType": "01",
        "TransactionStatus": "00"});
    emulator.world().objects.insert(reference.clone(), paid);
    tell(client, &ipn(&reference, &[("vnp_TransactionNo", "90")])).await;
    let refunds = format!("/payments/{}/refunds", payment.text("id"));
    let part = || json!({"amount": 50_000});
    client.post(&refunds, part()).await.expect(201);
    let second = client.post(&refunds, part()).await.expect(201);
    assert_eq!(second.text("status"), "pending");
    assert_eq!(
        emulator.world().all("vn-refund").len(),
        2,
        "the second one waits"
    );
    let before = cash(client, "vnpay").await;
    let gone = |number: &str| {
        json!({"Amount": "5000000", "TransactionType": "03",
            "TransactionStatus": "06", "TransactionNo": number})
    };
    emulator.world().set(&reference, gone("91"));
    until(async || cash(client, "vnpay").await == before - 50_000).await;
    // The first one's answer does not settle the second, whose amount is the same.
    until(async || emulator.world().all("vn-refund").len() == 3).await;
    assert_eq!(cash(client, "vnpay").await, before - 50_000);
    emulator.world().set(&reference, gone("92"));
    until(async || cash(client, "vnpay").await == before - 100_000).await;
}
