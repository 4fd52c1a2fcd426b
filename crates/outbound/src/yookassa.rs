//! YooKassa v3: JSON under Basic authorisation, an `Idempotence-Key` with every POST. Notifications
//! are not signed: they are filtered by their sender and say only which object to ask for.
//!
//! Source: the official OpenAPI document and yookassa.ru/developers (payment-protocols, section 2).

mod adapter;
pub mod senders;

pub(crate) use adapter::Yookassa;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::decide::RefundOutcome;
use domain::money::{Amount, Currency};
use domain::payment::PayPage;
use engine::provider::{Begun, Fault, Standing};
use serde_json::{Value, json};

use crate::amounts;
use crate::client::Reply;
use crate::exchange::{Request, refused, unreadable};

/// YooKassa's own address.
pub const API: &str = "https://api.yookassa.ru/v3";
/// Characters of the longest description of a payment, and of a refund.
const DESCRIPTIONS: (usize, usize) = (128, 250);

/// A shop's account.
#[derive(Clone)]
pub struct Account {
    /// The shop's number.
    pub shop_id: String,
    /// Its secret key.
    pub secret_key: String,
    /// Where requests are sent.
    pub api_url: String,
}

fn request(
    account: &Account,
    (method, path): (&'static str, &str),
    key: Option<&str>,
    body: Option<&Value>,
) -> Request {
    let credentials = format!("{}:{}", account.shop_id, account.secret_key);
    let mut headers = vec![
        (
            "authorization",
            format!("Basic {}", BASE64_STANDARD.encode(credentials)),
        ),
        ("content-type", "application/json".to_owned()),
    ];
    headers.extend(key.map(|key| ("idempotence-key", key.to_owned())));
    Request {
        method,
        url: format!("{}{path}", account.api_url.trim_end_matches('/')),
        headers,
        body: body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default(),
    }
}

/// Amounts are texts; a number would go through a float on its way.
fn money((amount, currency): (Amount, Currency)) -> Option<Value> {
    let value = amounts::to_yookassa(amount, currency)?;
    Some(json!({"value": value, "currency": currency.code()}))
}

fn short(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// Begins a payment that is captured at once, under our key; `None` where YooKassa does not take that
/// money.
#[must_use]
pub fn begin(
    account: &Account,
    paid: (Amount, Currency),
    (key, return_url): (&str, &str),
    (order, about): (&str, &str),
) -> Option<Request> {
    let body = json!({
        "amount": money(paid)?,
        // Left out, it would mean two stages.
        "capture": true,
        "confirmation": {"type": "redirect", "return_url": return_url},
        "description": short(about, DESCRIPTIONS.0),
        "metadata": {"order_id": order},
    });
    Some(request(
        account,
        ("POST", "/payments"),
        Some(key),
        Some(&body),
    ))
}

/// Asks where a payment stands.
#[must_use]
pub fn retrieve(account: &Account, id: &str) -> Request {
    request(account, ("GET", &format!("/payments/{id}")), None, None)
}

/// Takes money that was kept for us: all of it, or so much.
#[must_use]
pub fn capture(
    account: &Account,
    id: &str,
    part: Option<(Amount, Currency)>,
    key: &str,
) -> Option<Request> {
    let path = format!("/payments/{id}/capture");
    let body = match part {
        Some(part) => Some(json!({"amount": money(part)?})),
        None => None,
    };
    Some(request(account, ("POST", &path), Some(key), body.as_ref()))
}

/// Lets money go that was kept for us.
#[must_use]
pub fn cancel(account: &Account, id: &str, key: &str) -> Request {
    let path = format!("/payments/{id}/cancel");
    request(account, ("POST", &path), Some(key), None)
}

/// Sends money back. `refund` is our refund's id, by which it is found again.
#[must_use]
pub fn refund(
    account: &Account,
    id: &str,
    back: (Amount, Currency),
    (key, about, refund): (&str, &str, Option<&str>),
) -> Option<Request> {
    let mut body = json!({
        "payment_id": id,
        "amount": money(back)?,
        "description": short(about, DESCRIPTIONS.1),
    });
    if let Some(refund) = refund {
        body["metadata"] = json!({"refund_id": refund});
    }
    Some(request(
        account,
        ("POST", "/refunds"),
        Some(key),
        Some(&body),
    ))
}

/// Asks where a refund stands: there is no notification of one that fails or stays pending.
#[must_use]
pub fn retrieve_refund(account: &Account, id: &str) -> Request {
    request(account, ("GET", &format!("/refunds/{id}")), None, None)
}

/// Asks for a payment's refunds, a hundred at most.
#[must_use]
pub fn list_refunds(account: &Account, payment: &str) -> Request {
    let path = format!("/refunds?payment_id={payment}&limit=100");
    request(account, ("GET", &path), None, None)
}

/// The object that was answered. Success is always 200. After a 500 the outcome is unknown, and the
/// same request is sent again about once a minute.
fn object(reply: &Reply) -> Result<Value, Fault> {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    match reply.status {
        200 => body.ok_or_else(|| unreadable(reply)),
        // Wrong credentials are the shop's to mend; nothing was done, and nothing failed.
        401 | 403 => Err(Fault::Unknown(
            "YooKassa refused the credentials".to_owned(),
        )),
        400 | 404 => {
            let error = body.unwrap_or_default();
            if error["parameter"] == "Idempotence-Key" {
                return Err(Fault::Unknown(
                    "our key was used for something else".to_owned(),
                ));
            }
            let code = error["code"].as_str().map(str::to_owned);
            Err(refused(code.unwrap_or_else(|| reply.status.to_string())))
        }
        status => Err(Fault::Unknown(format!("YooKassa answered {status}"))),
    }
}

/// A payment that was begun.
pub fn begun(reply: &Reply) -> Result<Begun, Fault> {
    let payment = object(reply)?;
    let id = payment["id"].as_str().ok_or_else(|| unreadable(reply))?;
    let url = payment["confirmation"]["confirmation_url"].as_str();
    Ok(Begun {
        provider_payment_id: Some(id.to_owned()),
        page: PayPage {
            payment_url: url.map(str::to_owned),
            client_secret: None,
        },
    })
}

/// Where a payment stands.
pub fn standing(reply: &Reply) -> Result<Standing, Fault> {
    of_payment(&object(reply)?).ok_or_else(|| unreadable(reply))
}

fn of_payment(payment: &Value) -> Option<Standing> {
    Some(match payment["status"].as_str()? {
        "succeeded" => {
            let currency = Currency::parse(payment["amount"]["currency"].as_str()?)?;
            let value = |money: &Value| amounts::from_yookassa(money["value"].as_str()?, currency);
            let amount = value(&payment["amount"])?;
            // What the shop gets of it.
            let income = value(&payment["income_amount"]);
            Standing::Captured {
                provider_payment_id: payment["id"].as_str()?.to_owned(),
                amount,
                currency,
                fee: income.and_then(|income| amount.minus(income).ok()),
            }
        }
        "waiting_for_capture" => Standing::Authorised,
        "canceled" => Standing::Failed {
            code: payment["cancellation_details"]["reason"]
                .as_str()
                .unwrap_or("canceled")
                .to_owned(),
        },
        _ => Standing::Open,
    })
}

/// Where a refund stands.
pub fn refunded(reply: &Reply) -> Result<RefundOutcome, Fault> {
    of_refund(&object(reply)?).ok_or_else(|| unreadable(reply))
}

fn of_refund(refund: &Value) -> Option<RefundOutcome> {
    let id = refund["id"].as_str()?.to_owned();
    Some(match refund["status"].as_str()? {
        "succeeded" => RefundOutcome::Succeeded {
            provider_refund_id: id,
        },
        "canceled" => RefundOutcome::Failed {
            provider_refund_id: Some(id),
            code: refund["cancellation_details"]["reason"]
                .as_str()
                .unwrap_or("canceled")
                .to_owned(),
        },
        "pending" => RefundOutcome::Pending {
            provider_refund_id: Some(id),
        },
        _ => return None,
    })
}

/// A notification: which object to ask for. What else it says may be old, or a lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What happened.
    pub event: String,
    /// The object: a payment, or a refund of `payment_id`.
    pub object_id: String,
    /// The payment, for a refund.
    pub payment_id: Option<String>,
}

/// The events that a shop gets.
const EVENTS: [&str; 4] = [
    "payment.waiting_for_capture",
    "payment.succeeded",
    "payment.canceled",
    "refund.succeeded",
];

impl Notification {
    /// Whether it is an event that a shop gets, about an object with a name that can be asked for.
    #[must_use]
    pub fn is_known(&self) -> bool {
        // The name stands in an address.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let id = &self.object_id;
        let named = (1..=64).contains(&id.len()) && id.chars().all(plain);
        named && EVENTS.contains(&self.event.as_str())
    }

    /// Reads a body.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        if body["type"] != "notification" {
            return None;
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            event: text(&body["event"])?,
            object_id: text(&body["object"]["id"])?,
            payment_id: text(&body["object"]["payment_id"]),
        })
    }
}
