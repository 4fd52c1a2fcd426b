//! The mock provider: its notifications, and what they say.

use domain::decide::{ProviderOutcome, ProviderResult};
use domain::ids::{PaymentId, TenantId, TypedId as _};
use domain::money::{Amount, Currency};
use domain::payment::Payment;
use engine::provider::{Message, NotTaken};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What the mock tells of a payment.
#[derive(Serialize, Deserialize)]
struct Notification {
    r#type: String,
    data: Data,
}

#[derive(Serialize, Deserialize)]
struct Data {
    payment_id: String,
    provider_payment_id: String,
    amount: i64,
    currency: String,
}

const SUCCEEDED: &str = "payment.succeeded";
const FAILED: &str = "payment.failed";

/// The key with which the mock signs what it tells a tenant.
#[must_use]
pub fn signing_key(pepper: &[u8; 32], tenant: TenantId) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper).expect("HMAC takes a key of any length");
    mac.update(b"mock-webhook:");
    mac.update(tenant.uuid().as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The body of a notification.
#[must_use]
pub fn notification(payment: &Payment, succeeded: bool) -> Vec<u8> {
    let notification = Notification {
        r#type: if succeeded { SUCCEEDED } else { FAILED }.to_owned(),
        data: Data {
            payment_id: payment.id.to_string(),
            provider_payment_id: format!("mock_{}", payment.id.uuid().simple()),
            amount: payment.amount.minor(),
            currency: payment.currency.to_string(),
        },
    };
    serde_json::to_vec(&notification).unwrap_or_default()
}

/// What a verified notification says.
pub fn parse(message: &Message) -> Result<ProviderResult, NotTaken> {
    let read: Notification =
        serde_json::from_slice(&message.body).map_err(|_| NotTaken::Ignored)?;
    let payment_id: PaymentId = read
        .data
        .payment_id
        .parse()
        .map_err(|_| NotTaken::Ignored)?;
    let outcome = match read.r#type.as_str() {
        SUCCEEDED => ProviderOutcome::Succeeded {
            provider_payment_id: read.data.provider_payment_id,
            amount: Amount::new(read.data.amount).ok_or(NotTaken::Ignored)?,
            currency: Currency::parse(&read.data.currency).ok_or(NotTaken::Ignored)?,
        },
        FAILED => ProviderOutcome::Failed {
            code: "declined".to_owned(),
        },
        _ => return Err(NotTaken::Ignored),
    };
    Ok(ProviderResult {
        payment_id,
        outcome,
    })
}
