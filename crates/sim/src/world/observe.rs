//! What the store shows of an order, beside what the model says of it.

use std::collections::BTreeMap;

use domain::ids::{LocationId, OrderId, VariantId};
use domain::order::OrderStatus;
use domain::payment::{PaymentStatus, RefundStatus};
use domain::state::State;
use domain::time::Timestamp;

use crate::model::{Order, Stand};

/// Units by level that an order's holds of this very moment took.
pub(super) fn units_taken(
    after: &State,
    order: OrderId,
    now: i64,
) -> BTreeMap<(VariantId, LocationId), (i64, bool)> {
    after
        .holds_of(order)
        .filter(|hold| hold.reserved_at == Timestamp::from_millis(now))
        .map(|hold| (hold.level_key(), (hold.quantity, hold.deducted)))
        .collect()
}

/// Where an order or one of its payments stands otherwise than the model says.
pub(super) fn difference(order: &Order, after: &State) -> Option<String> {
    let stored = after.orders.get(&order.id)?;
    let expected = match order.stand {
        Stand::Draft => OrderStatus::Draft,
        Stand::Waiting => OrderStatus::Pending,
        Stand::Paid(0) => OrderStatus::Paid,
        Stand::Paid(1) => OrderStatus::Processing,
        Stand::Paid(2) => OrderStatus::Shipped,
        Stand::Paid(_) => OrderStatus::Delivered,
        Stand::Expired | Stand::Cancelled => OrderStatus::Cancelled,
        Stand::Refunded => OrderStatus::Refunded,
    };
    if stored.status != expected {
        return Some(format!("is {:?}, expected {expected:?}", stored.status));
    }
    if stored.totals.total_amount.minor() != order.total {
        return Some(format!(
            "costs {}, expected {}",
            stored.totals.total_amount, order.total
        ));
    }
    if stored.locked_at.is_some() != order.locked {
        return Some("is locked otherwise than expected".to_owned());
    }
    let ends = stored.payment_expires_at.map(Timestamp::millis);
    if order.stand == Stand::Waiting && ends != order.expires_at {
        return Some(format!("ends at {ends:?}, expected {:?}", order.expires_at));
    }
    if after.payments_of(order.id).count() != order.payments.len() {
        return Some("has another number of payments".to_owned());
    }
    for back in &order.refunds {
        let stored = after.refunds.get(&(order.id, back.id))?;
        let state = match stored.status {
            RefundStatus::Requested | RefundStatus::Pending => "open",
            RefundStatus::Succeeded => "done",
            RefundStatus::Failed => "failed",
        };
        if state != back.state {
            return Some(format!("{:?} is {:?}", back.id, stored.status));
        }
    }
    for pay in &order.payments {
        let stored = after.payments.get(&(order.id, pay.id))?;
        let state = match stored.status {
            PaymentStatus::Pending => "pending",
            PaymentStatus::Failed => "failed",
            PaymentStatus::Cancelled => "cancelled",
            PaymentStatus::Succeeded
            | PaymentStatus::PartiallyRefunded
            | PaymentStatus::Refunded => "taken",
        };
        if (state, stored.refunded_amount.minor()) != (pay.state, pay.refunded) {
            return Some(format!("{:?} is {state}, {:?} was expected", pay.id, pay));
        }
    }
    None
}
