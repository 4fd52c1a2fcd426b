//! What a verified notification means for the tenant that it came to: which payment or refund it is
//! about.

use domain::decide::{ProviderResult, RefundOutcome, RefundResult, WebhookSays};
use domain::ids::{OrderId, RefundId, TenantId};
use domain::needs::Needs;
use domain::payment::{Payment, RefundStatus, Stage};
use domain::state::State;

use crate::provider::{Named, Says};
use crate::reader::Reader;
use crate::saga::outcome;
use crate::store::StoreError;

/// What a notification asks for, by our own ids.
pub async fn resolve(
    reader: &dyn Reader,
    tenant: TenantId,
    says: Says,
) -> Result<WebhookSays, StoreError> {
    match says {
        Says::Nothing => Ok(WebhookSays::Nothing),
        Says::Unknown => Ok(WebhookSays::Unknown),
        // Whether it exists is decided with it.
        Says::Payment(Named::Id(payment_id), outcome) => Ok(WebhookSays::Payment(ProviderResult {
            payment_id,
            outcome,
        })),
        Says::Payment(named, outcome) => {
            let found = find(reader, tenant, &named).await?;
            Ok(found.map_or(WebhookSays::Unknown, |(payment, _)| {
                WebhookSays::Payment(ProviderResult {
                    payment_id: payment.id,
                    outcome,
                })
            }))
        }
        Says::Standing(named, standing, amount) => {
            let Some((payment, _)) = find(reader, tenant, &named).await? else {
                return Ok(WebhookSays::Unknown);
            };
            if amount.is_some_and(|amount| amount != payment.amount) {
                return Ok(WebhookSays::OtherMoney(payment.id));
            }
            let payment_id = payment.id;
            let outcome = outcome(&payment, standing);
            Ok(outcome.map_or(WebhookSays::Nothing, |outcome| {
                WebhookSays::Payment(ProviderResult {
                    payment_id,
                    outcome,
                })
            }))
        }
        Says::Refund(named, id, outcome) => {
            let Some((payment, state)) = find(reader, tenant, &named).await? else {
                return Ok(WebhookSays::Unknown);
            };
            Ok(refund(&state, &payment, id, outcome))
        }
    }
}

/// The payment of a notification.
pub async fn find(
    reader: &dyn Reader,
    tenant: TenantId,
    named: &Named,
) -> Result<Option<(Payment, State)>, StoreError> {
    let of_order = async |id: OrderId| {
        let needs = Needs {
            orders: [id].into(),
            ..Needs::default()
        };
        reader.load(tenant, needs).await
    };
    let of_payment = async |id| {
        let needs = Needs {
            payments: [id].into(),
            ..Needs::default()
        };
        let state = reader.load(tenant, needs).await?;
        Ok::<_, StoreError>(state.payment(id).cloned().map(|payment| (payment, state)))
    };
    match named {
        Named::Id(id) => of_payment(*id).await,
        Named::Attempt(order, attempt) => {
            let state = of_order(*order).await?;
            let is_meant = |payment: &&Payment| payment.attempt == *attempt;
            let payment = state.payments_of(*order).find(is_meant).cloned();
            Ok(payment.map(|payment| (payment, state)))
        }
        Named::Theirs(name, order) => {
            if let Some(id) = reader.payment_named(tenant, name.clone()).await? {
                return of_payment(id).await;
            }
            let Some(order) = *order else {
                return Ok(None);
            };
            // Its name may be lost with the answer to its beginning.
            let state = of_order(order).await?;
            let nameless = |payment: &&Payment| {
                payment.stage == Stage::Intended && payment.provider_payment_id.is_none()
            };
            let payment = state.payments_of(order).find(nameless).cloned();
            Ok(payment.map(|payment| (payment, state)))
        }
    }
}

/// The refund of a notification. One that is not known yet may be the one that is just being asked
/// for: the answer to that, or the next question, tells.
fn refund(
    state: &State,
    payment: &Payment,
    id: Option<RefundId>,
    outcome: RefundOutcome,
) -> WebhookSays {
    let theirs = match &outcome {
        RefundOutcome::Succeeded { provider_refund_id } => Some(provider_refund_id.as_str()),
        RefundOutcome::Pending { provider_refund_id }
        | RefundOutcome::Failed {
            provider_refund_id, ..
        } => provider_refund_id.as_deref(),
    };
    let refunds = || {
        let all = state.refunds_of(payment.order_id);
        all.filter(|refund| refund.payment_id == payment.id)
    };
    let known = refunds().find(|refund| {
        Some(refund.id) == id || theirs.is_some() && refund.provider_refund_id.as_deref() == theirs
    });
    let mut asked_for = refunds().filter(|refund| refund.status == RefundStatus::Requested);
    match known {
        Some(refund) => WebhookSays::Refund(RefundResult {
            payment_id: payment.id,
            refund_id: refund.id,
            outcome,
        }),
        None if theirs.is_none() || asked_for.next().is_some() => WebhookSays::Nothing,
        None => WebhookSays::Unknown,
    }
}
