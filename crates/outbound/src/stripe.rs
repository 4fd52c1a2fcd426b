//! Stripe: PaymentIntents and refunds, form-encoded requests, JSON answers.
//!
//! Source: docs.stripe.com/api, and what npm stripe 23.1.0 puts on the wire (payment-protocols,
//! section 3).

mod adapter;
pub mod events;
pub mod signature;

pub(crate) use adapter::Stripe;

use domain::decide::RefundOutcome;
use domain::money::{Amount, Currency};
use domain::payment::PayPage;
use engine::provider::{Begun, Fault, Standing};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::amounts;
use crate::client::Reply;
use crate::exchange::{Request, refused, unreadable};

/// Stripe's own address.
pub const API: &str = "https://api.stripe.com";
/// The version whose answers are read here.
const VERSION: &str = "2026-10-28.endive";

/// A shop's account.
#[derive(Clone)]
pub struct Account {
    /// Its secret key.
    pub secret_key: String,
    /// The secret of its webhook endpoint.
    pub webhook_secret: String,
    /// Where requests are sent.
    pub api_url: String,
}

/// What stays as it is in a value of a form (RFC 3986, 2.3).
const KEPT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Names and values in a form. Brackets in names stay as they are, a space is `%20`.
fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    let pair =
        |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, &KEPT));
    pairs
        .iter()
        .map(pair)
        .collect::<Vec<_>>()
        .join("&")
        .into_bytes()
}

/// A request; one with a key is the same however often it is sent.
fn request(
    account: &Account,
    (method, path): (&'static str, &str),
    key: Option<&str>,
    body: Vec<u8>,
) -> Request {
    let mut headers = vec![
        ("accept", "application/json".to_owned()),
        ("authorization", format!("Bearer {}", account.secret_key)),
        (
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        ),
        ("stripe-version", VERSION.to_owned()),
    ];
    headers.extend(key.map(|key| ("idempotency-key", key.to_owned())));
    Request {
        method,
        url: format!("{}{path}", account.api_url.trim_end_matches('/')),
        headers,
        body,
    }
}

/// Begins a payment under our key; `None` where Stripe does not take that money. `order` is our
/// order's id.
#[must_use]
pub fn begin(
    account: &Account,
    (amount, currency): (Amount, Currency),
    key: &str,
    (order, about): (&str, &str),
) -> Option<Request> {
    let amount = amounts::to_stripe(amount, currency)?.to_string();
    let currency = currency.code().to_ascii_lowercase();
    let body = form(&[
        ("amount", &amount),
        ("currency", &currency),
        ("automatic_payment_methods[enabled]", "true"),
        ("metadata[order_id]", order),
        ("description", about),
    ]);
    Some(request(
        account,
        ("POST", "/v1/payment_intents"),
        Some(key),
        body,
    ))
}

/// Asks where a payment stands.
#[must_use]
pub fn retrieve(account: &Account, id: &str) -> Request {
    let path = format!("/v1/payment_intents/{id}");
    request(account, ("GET", &path), None, Vec::new())
}

/// Takes money that was kept for us: all of it, or so much.
#[must_use]
pub fn capture(
    account: &Account,
    id: &str,
    money: Option<(Amount, Currency)>,
    key: Option<&str>,
) -> Option<Request> {
    let path = format!("/v1/payment_intents/{id}/capture");
    let body = match money {
        Some((amount, currency)) => {
            let amount = amounts::to_stripe(amount, currency)?.to_string();
            form(&[("amount_to_capture", &amount)])
        }
        None => Vec::new(),
    };
    Some(request(account, ("POST", &path), key, body))
}

/// Ends a payment that was not made: from then on nobody can pay it. Done twice it is done once, and
/// a key would only keep a refusal.
#[must_use]
pub fn cancel(account: &Account, id: &str, key: Option<&str>) -> Request {
    let path = format!("/v1/payment_intents/{id}/cancel");
    let body = form(&[("cancellation_reason", "abandoned")]);
    request(account, ("POST", &path), key, body)
}

/// Sends money back. `refund` is our refund's id, by which it is found again.
#[must_use]
pub fn refund(
    account: &Account,
    id: &str,
    (amount, currency): (Amount, Currency),
    (key, order, refund): (&str, &str, Option<&str>),
) -> Option<Request> {
    let amount = amounts::to_stripe(amount, currency)?.to_string();
    let mut pairs = vec![
        ("payment_intent", id),
        ("amount", &amount),
        ("reason", "requested_by_customer"),
        ("metadata[order_id]", order),
    ];
    pairs.extend(refund.map(|refund| ("metadata[refund_id]", refund)));
    let body = form(&pairs);
    Some(request(account, ("POST", "/v1/refunds"), Some(key), body))
}

/// Asks for a payment's refunds, a hundred at most.
#[must_use]
pub fn list_refunds(account: &Account, intent: &str) -> Request {
    let path = format!("/v1/refunds?payment_intent={intent}&limit=100");
    request(account, ("GET", &path), None, Vec::new())
}

/// Asks where a refund stands.
#[must_use]
pub fn retrieve_refund(account: &Account, id: &str) -> Request {
    let path = format!("/v1/refunds/{id}");
    request(account, ("GET", &path), None, Vec::new())
}

/// Whether the same request is sent again: what Stripe says, else after a conflict with itself and
/// after its own faults.
#[must_use]
pub fn is_repeated(reply: &Reply) -> bool {
    match reply.header("stripe-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => reply.status == 409 || reply.status >= 500,
    }
}

/// The object that was answered.
fn object(reply: &Reply) -> Result<Value, Fault> {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    if (200..300).contains(&reply.status) {
        return body.ok_or_else(|| unreadable(reply));
    }
    // Wrong credentials are the shop's to mend; nothing was done, and nothing failed.
    if matches!(reply.status, 401 | 403) {
        return Err(Fault::Unknown("Stripe refused the credentials".to_owned()));
    }
    let error = body.as_ref().map(|body| &body["error"]);
    if error.is_some_and(|error| error["type"] == "idempotency_error") {
        return Err(Fault::Unknown(
            "our key was used for something else".to_owned(),
        ));
    }
    // A stored 500 is answered again to the same key: the object has to be asked for.
    if is_repeated(reply) || reply.status == 429 || reply.status >= 500 {
        return Err(Fault::Unknown(format!("Stripe answered {}", reply.status)));
    }
    let error = body.unwrap_or_default();
    let code = ["decline_code", "code", "type"].iter().find_map(|name| {
        let code = error["error"][name].as_str();
        code.map(str::to_owned)
    });
    Err(refused(code.unwrap_or_else(|| reply.status.to_string())))
}

/// A payment that was begun.
pub fn begun(reply: &Reply) -> Result<Begun, Fault> {
    let intent = object(reply)?;
    let id = intent["id"].as_str().ok_or_else(|| unreadable(reply))?;
    Ok(Begun {
        provider_payment_id: Some(id.to_owned()),
        page: PayPage {
            payment_url: None,
            client_secret: intent["client_secret"].as_str().map(str::to_owned),
        },
    })
}

/// Where a payment stands, by an answer.
pub fn standing(reply: &Reply) -> Result<Standing, Fault> {
    of_intent(&object(reply)?).ok_or_else(|| unreadable(reply))
}

/// Where a PaymentIntent stands. A declined one waits for another card: it has not failed.
fn of_intent(intent: &Value) -> Option<Standing> {
    Some(match intent["status"].as_str()? {
        "succeeded" => {
            let currency = intent["currency"].as_str()?.to_ascii_uppercase();
            let currency = Currency::parse(&currency)?;
            Standing::Captured {
                provider_payment_id: intent["id"].as_str()?.to_owned(),
                amount: amounts::from_stripe(intent["amount_received"].as_i64()?, currency)?,
                currency,
                fee: None,
            }
        }
        "requires_capture" => Standing::Authorised,
        "canceled" => Standing::Failed {
            code: intent["cancellation_reason"]
                .as_str()
                .unwrap_or("canceled")
                .to_owned(),
        },
        _ => Standing::Open,
    })
}

/// Where a refund stands, by an answer.
pub fn refunded(reply: &Reply) -> Result<RefundOutcome, Fault> {
    let refund = object(reply)?;
    of_refund(&refund).ok_or_else(|| unreadable(reply))
}

fn of_refund(refund: &Value) -> Option<RefundOutcome> {
    Some(match refund["status"].as_str()? {
        "succeeded" => RefundOutcome::Succeeded {
            provider_refund_id: refund["id"].as_str()?.to_owned(),
        },
        "failed" | "canceled" => RefundOutcome::Failed {
            provider_refund_id: refund["id"].as_str().map(str::to_owned),
            code: refund["failure_reason"]
                .as_str()
                .unwrap_or("failed")
                .to_owned(),
        },
        _ => RefundOutcome::Pending {
            provider_refund_id: refund["id"].as_str().map(str::to_owned),
        },
    })
}
