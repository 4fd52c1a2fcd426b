//! What concerns security, for a log of its own: who was refused what. No secrets, no personal data,
//! no addresses.

use std::sync::{Mutex, PoisonError};

use domain::ids::{TenantId, TypedId as _};
use domain::payment::Provider;
use domain::time::Timestamp;

use crate::call::Call;

/// Somebody tried to change what is frozen.
pub(crate) fn edit_of_locked(call: &Call, lane: TenantId, command: &'static str) {
    let order = call.ids.first().map(ToString::to_string);
    tracing::warn!(target: "security", event = "order_locked", tenant_id = %lane.uuid(),
        order_id = order.unwrap_or_default(), command, by = call.operator(None),
        "an edit of a locked order was refused");
}

/// Lines a second for what anybody can cause; how many more there were is said with the next.
const UNVERIFIED_MAX: u32 = 20;

/// What was said of unverified messages in this second, and how many were not.
struct Said {
    second: i64,
    lines: u32,
    left_out: u64,
}

static UNVERIFIED: Mutex<Said> = Mutex::new(Said {
    second: 0,
    lines: 0,
    left_out: 0,
});

/// How many lines were left out before this one; `None` when this one is, too.
fn may_say(now: Timestamp) -> Option<u64> {
    let mut said = UNVERIFIED.lock().unwrap_or_else(PoisonError::into_inner);
    let second = now.millis() / 1_000;
    if said.second != second {
        (said.second, said.lines) = (second, 0);
    }
    if said.lines == UNVERIFIED_MAX {
        said.left_out += 1;
        return None;
    }
    said.lines += 1;
    Some(std::mem::take(&mut said.left_out))
}

/// A message came that the provider did not send, or long ago. Anybody can send such: they must not
/// fill a disk.
pub(crate) fn unverified(tenant: TenantId, provider: Provider, now: Timestamp) {
    let Some(left_out) = may_say(now) else {
        return;
    };
    tracing::warn!(target: "security", event = "webhook_unverified", tenant_id = %tenant.uuid(),
        provider = provider.name(), left_out, "a webhook with a wrong signature was refused");
}

/// A genuine message names other money than the payment's.
pub(crate) fn other_money(tenant: TenantId, provider: Provider, payment: &str, code: &str) {
    tracing::warn!(target: "security", event = code, tenant_id = %tenant.uuid(),
        provider = provider.name(), payment_id = payment,
        "a provider's message with another amount or currency was refused");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_a_second() {
        let at = |millis| may_say(Timestamp::from_millis(millis));
        let said = (0..1_000).filter_map(|_| at(5_000)).count();
        assert_eq!(said, 20);
        assert_eq!((at(6_000), at(6_001)), (Some(980), Some(0)));
    }
}
