//! The mock provider: its notifications, and what they say.

use domain::decide::ProviderOutcome;
use domain::ids::{PaymentId, TenantId, TypedId as _};
use domain::money::{Amount, Currency};
use domain::payment::Payment;
use engine::provider::{Named, Said, Says};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::texts;

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
#[must_use]
pub fn parse(body: &[u8]) -> Said {
    let Ok(read) = serde_json::from_slice::<Notification>(body) else {
        return Said {
            kind: "unreadable".to_owned(),
            says: Says::Nothing,
        };
    };
    Said {
        says: says(&read).unwrap_or(Says::Nothing),
        kind: texts::kept(&read.r#type),
    }
}

fn says(read: &Notification) -> Option<Says> {
    let data = &read.data;
    let payment_id: PaymentId = data.payment_id.parse().ok()?;
    let outcome = match read.r#type.as_str() {
        SUCCEEDED => ProviderOutcome::Succeeded {
            provider_payment_id: texts::kept(&data.provider_payment_id),
            amount: Amount::new(data.amount)?,
            currency: Currency::parse(&data.currency)?,
            fee: None,
        },
        FAILED => ProviderOutcome::Failed {
            code: "declined".to_owned(),
        },
        _ => return None,
    };
    Some(Says::Payment(Named::Id(payment_id), outcome))
}
