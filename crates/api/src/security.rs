//! What concerns security, for a log of its own: who was refused what. No secrets, no personal data,
//! no addresses.

use domain::ids::{TenantId, TypedId as _};
use domain::payment::Provider;

use crate::call::Call;

/// Somebody tried to change what is frozen.
pub(crate) fn edit_of_locked(call: &Call, lane: TenantId, command: &'static str) {
    let order = call.ids.first().map(ToString::to_string);
    tracing::warn!(target: "security", event = "order_locked", tenant_id = %lane.uuid(),
        order_id = order.unwrap_or_default(), command, by = call.operator(None),
        "an edit of a locked order was refused");
}

/// A message came that the provider did not send, or long ago.
pub(crate) fn unverified(tenant: TenantId, provider: Provider) {
    tracing::warn!(target: "security", event = "webhook_unverified", tenant_id = %tenant.uuid(),
        provider = provider.name(), "a webhook with a wrong signature was refused");
}

/// A genuine message names other money than the payment's.
pub(crate) fn other_money(tenant: TenantId, provider: Provider, payment: &str, code: &str) {
    tracing::warn!(target: "security", event = code, tenant_id = %tenant.uuid(),
        provider = provider.name(), payment_id = payment,
        "a provider's message with another amount or currency was refused");
}
