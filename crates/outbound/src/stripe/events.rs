//! What Stripe's events say (docs.stripe.com/api/events/types).

use domain::decide::ProviderOutcome;
use domain::money::Currency;
use domain::payment::Dispute;
use engine::provider::{Said, Says};
use serde_json::Value;

use super::{of_intent, of_refund};
use crate::adapter::theirs;
use crate::{amounts, texts};

/// What an event is called, and what it says; `None` where it is no event.
#[must_use]
pub fn said(body: &[u8]) -> Option<(String, Said)> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let (id, kind) = (event["id"].as_str()?, event["type"].as_str()?);
    let object = &event["data"]["object"];
    let said = Said {
        kind: texts::kept(kind),
        says: says(kind, object).unwrap_or(Says::Nothing),
    };
    Some((texts::name(id), said))
}

/// What an event asks for, by its object; `None` where it is nothing that we do.
fn says(kind: &str, object: &Value) -> Option<Says> {
    let order = object["metadata"]["order_id"].as_str();
    let intent = || object["payment_intent"].as_str();
    match object["object"].as_str()? {
        "payment_intent" => {
            let named = theirs(object["id"].as_str()?, order);
            Some(Says::Standing(named, of_intent(object)?, None))
        }
        "refund" => Some(Says::Refund(
            theirs(intent()?, order),
            object["metadata"]["refund_id"]
                .as_str()
                .and_then(|id| id.parse().ok()),
            of_refund(object)?,
        )),
        "dispute" => {
            let dispute = match (kind, object["status"].as_str()?) {
                ("charge.dispute.created", _) => Dispute::Opened,
                ("charge.dispute.closed", "won" | "warning_closed") => Dispute::Won,
                ("charge.dispute.closed", "lost") => Dispute::Lost,
                _ => return None,
            };
            let currency = object["currency"].as_str()?.to_ascii_uppercase();
            let currency = Currency::parse(&currency)?;
            let outcome = ProviderOutcome::Disputed {
                dispute_id: texts::kept(object["id"].as_str()?),
                dispute,
                amount: amounts::from_stripe(object["amount"].as_i64()?, currency)?,
            };
            Some(Says::Payment(theirs(intent()?, order), outcome))
        }
        _ => None,
    }
}
