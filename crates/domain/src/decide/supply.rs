//! Taking stock for an order, and giving it back.

use std::collections::BTreeMap;

use super::settle;
use crate::allocation::{Demand, allocate};
use crate::command::Context;
use crate::event::{Change, Event};
use crate::ids::{LocationId, OrderId, ProductId, VariantId};
use crate::order::{Order, OrderItem};
use crate::rejection::Rejection;
use crate::state::State;
use crate::stock::{Hold, HoldStatus, LevelKey};
use crate::tenant::{Settings, StockMode};
use crate::time::Timestamp;

/// Takes stock for all items or none, until `expires_at`; one hold a variant and location.
/// `credit` is what the same decision gives back first.
pub(super) fn take(
    state: &State,
    (order_id, items): (OrderId, &[OrderItem]),
    expires_at: Option<Timestamp>,
    credit: &BTreeMap<LevelKey, i64>,
    context: &mut Context<'_>,
) -> Result<Vec<Hold>, Rejection> {
    let forced = |item: &OrderItem| item.location_id.filter(|_| item.location_forced);
    let demands: Vec<Demand> = items
        .iter()
        .map(|item| Demand {
            variant_id: item.variant_id,
            quantity: item.quantity,
            location_id: forced(item),
        })
        .collect();
    let takes = allocate(state, &demands, credit).map_err(Rejection::InsufficientStock)?;
    let mut units: BTreeMap<(ProductId, VariantId, LocationId), i64> = BTreeMap::new();
    for (item, parts) in items.iter().zip(takes) {
        for (location, quantity) in parts {
            let sum = units
                .entry((item.product_id, item.variant_id, location))
                .or_insert(0);
            *sum = sum.saturating_add(quantity);
        }
    }
    let immediate = |settings: &Settings| settings.stock_mode == StockMode::Immediate;
    let deducted = state.settings().is_some_and(immediate);
    Ok(units
        .into_iter()
        .map(|((product_id, variant_id, location_id), quantity)| Hold {
            id: context.ids.make(),
            order_id,
            product_id,
            variant_id,
            location_id,
            quantity,
            deducted,
            reserved_at: context.now,
            expires_at,
            status: HoldStatus::Active,
            updated_at: context.now,
        })
        .collect())
}

/// When an order that takes its stock now expires unpaid; `None` while time ends no order, or
/// not this one.
pub(super) fn expiry(state: &State, order: &Order, context: &Context<'_>) -> Option<Timestamp> {
    if !state.lane.controls.expiry_runs() || order.on_hold.is_some() {
        return None;
    }
    let millis = state.settings().map_or(0, |settings| {
        let method = order.payment_method.as_deref();
        let tier = order.customer_tier.as_deref();
        settings.hold_millis(method, tier, context.payment_timeout_minutes)
    });
    Some(context.now.plus_millis(millis))
}

/// A new deadline of a pending order: never before the one that a provider was given, and the
/// grace after it.
pub(super) fn renewed(state: &State, order: &Order, context: &Context<'_>) -> Option<Timestamp> {
    let grace = state.settings().map_or(0, |s| s.payment_grace_seconds);
    let pending = settle::pending_payment(state, order.id).and_then(|payment| payment.expires_at);
    let given = pending.map(|at| at.plus_millis(grace.saturating_mul(1_000)));
    expiry(state, order, context).map(|at| given.map_or(at, |given| at.max(given)))
}

/// A pending order's deadline as the controls want it, and the change that brings it there if it
/// is another.
pub(super) fn deadline(
    state: &State,
    order: &Order,
    context: &Context<'_>,
) -> (Option<Timestamp>, Option<Change>) {
    let controls = &state.lane.controls;
    let mut holds = state.active_holds_of(order.id);
    let as_it_is = order.payment_expires_at;
    if !holds.any(|hold| controls.wants_tidying(hold)) {
        return (as_it_is, None);
    }
    let payment_expires_at = renewed(state, order, context);
    let set = Event::DeadlineSet {
        order_id: order.id,
        payment_expires_at,
    };
    let change = (payment_expires_at != as_it_is).then(|| set.into());
    (payment_expires_at, change)
}

/// A draft takes its stock and waits for payment: until when, and the changes.
pub(super) fn submit(
    state: &State,
    order: &Order,
    context: &mut Context<'_>,
) -> Result<(Option<Timestamp>, Vec<Change>), Rejection> {
    let payment_expires_at = expiry(state, order, context);
    let none = BTreeMap::new();
    let lines = (order.id, order.items.as_slice());
    let holds = take(state, lines, payment_expires_at, &none, context)?;
    let submitted = Event::OrderSubmitted {
        order_id: order.id,
        payment_expires_at,
    };
    Ok((
        payment_expires_at,
        vec![submitted.into(), reserved(order.id, holds)],
    ))
}

/// The event that takes new holds.
pub(super) fn reserved(order_id: OrderId, holds: Vec<Hold>) -> Change {
    Event::StockReserved { order_id, holds }.into()
}

/// The event that turns holds into a sale.
pub(super) fn converted<'a>(order_id: OrderId, holds: impl Iterator<Item = &'a Hold>) -> Change {
    Event::StockConverted {
        order_id,
        holds: holds.map(|hold| hold.id).collect(),
    }
    .into()
}

/// The event that lets an order's active holds go, if it has any.
pub(super) fn released(state: &State, order_id: OrderId, status: HoldStatus) -> Option<Change> {
    let holds: Vec<_> = state
        .active_holds_of(order_id)
        .map(|hold| hold.id)
        .collect();
    (!holds.is_empty()).then(|| {
        Event::StockReleased {
            order_id,
            holds,
            status,
        }
        .into()
    })
}

/// What letting an order's active holds go gives back to each level.
pub(super) fn credit_of(state: &State, order_id: OrderId) -> BTreeMap<LevelKey, i64> {
    state
        .active_holds_of(order_id)
        .map(|hold| (hold.level_key(), hold.quantity))
        .collect()
}

/// Where an order's sold units came from, for putting them back.
pub(super) fn sold_units(state: &State, order_id: OrderId) -> Vec<(LevelKey, i64)> {
    state
        .holds_of(order_id)
        .filter(|hold| hold.status == HoldStatus::Converted)
        .map(|hold| (hold.level_key(), hold.quantity))
        .collect()
}
