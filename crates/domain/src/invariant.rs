//! What must hold of a tenant at any time: checked by `audit` and after every simulated step.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::OrderId;
use crate::ledger::Account;
use crate::money::Currency;
use crate::order::{FinancialStatus, Order, OrderStatus, PaymentState};
use crate::payment::{PaymentStatus, RefundStatus, Stage};
use crate::state::State;
use crate::stock::{HoldStatus, LevelKey};
use crate::time::Timestamp;

/// Every invariant that a whole tenant's state breaks, in words. `now`, if given, also asks that
/// nothing due by then is still held.
#[must_use]
pub fn violations(state: &State, now: Option<Timestamp>) -> Vec<String> {
    let mut found = Vec::new();
    check_levels(state, &mut found);
    check_holds(state, now, &mut found);
    for order in state.orders.values() {
        check_order(state, order, &mut found);
    }
    check_payments(state, &mut found);
    check_ledger(state, &mut found);
    found
}

/// No level is below zero free units, and `reserved` is the sum of the live holds.
fn check_levels(state: &State, found: &mut Vec<String>) {
    let mut held: BTreeMap<LevelKey, i64> = BTreeMap::new();
    for hold in state.holds.values() {
        if hold.status == HoldStatus::Active && !hold.deducted {
            let sum = held.entry(hold.level_key()).or_insert(0);
            *sum = sum.saturating_add(hold.quantity);
        }
    }
    for level in state.levels.values() {
        let key = level.key();
        let free = level.stock_quantity.saturating_sub(level.reserved_stock);
        if level.reserved_stock < 0 || free < level.backorder_limit.saturating_neg() {
            found.push(format!(
                "level {key:?} is oversold: {} on hand, {} reserved, backorder limit {}",
                level.stock_quantity, level.reserved_stock, level.backorder_limit
            ));
        }
        let held = held.remove(&key).unwrap_or(0);
        if held != level.reserved_stock {
            let reserved = level.reserved_stock;
            found.push(format!(
                "level {key:?} reserves {reserved}, its active holds {held}"
            ));
        }
    }
    for (key, quantity) in held {
        found.push(format!(
            "holds of {quantity} stand on level {key:?}, which does not exist"
        ));
    }
}

/// Active holds belong to pending orders and end with them.
fn check_holds(state: &State, now: Option<Timestamp>, found: &mut Vec<String>) {
    for hold in state
        .holds
        .values()
        .filter(|hold| hold.status == HoldStatus::Active)
    {
        let order = state.orders.get(&hold.order_id);
        let pending = order.is_some_and(|order| order.status == OrderStatus::Pending);
        if !pending {
            found.push(format!("{:?} is active, its order is not pending", hold.id));
        }
        if order.is_some_and(|order| order.payment_expires_at != hold.expires_at) {
            found.push(format!("{:?} ends at another time than its order", hold.id));
        }
        let controls = &state.lane.controls;
        let writable = controls.read_only_since.is_none();
        if now.is_some_and(|now| writable && controls.is_due(hold, now)) {
            found.push(format!("{:?} is due and still active", hold.id));
        }
    }
}

fn check_order(state: &State, order: &Order, found: &mut Vec<String>) {
    let id = order.id;
    let mut fail = |what: &str| found.push(format!("{id:?}: {what}"));
    let units: i64 = order
        .items
        .iter()
        .fold(0, |sum, item| sum.saturating_add(item.quantity));
    let units_in = |status: HoldStatus| held_units(state, id, status);
    let pending = order.status == OrderStatus::Pending;
    let sold = matches!(
        order.status,
        OrderStatus::Paid | OrderStatus::Processing | OrderStatus::Shipped | OrderStatus::Delivered
    );
    if pending && units_in(HoldStatus::Active) != units {
        fail("is pending and does not hold its units");
    }
    if sold && units_in(HoldStatus::Converted) != units {
        fail("is paid and its units were not sold to it");
    }
    if !pending && units_in(HoldStatus::Active) != 0 {
        fail("is not pending and holds units");
    }
    if order.payment_expires_at.is_some() && !pending {
        fail("has a deadline and is not pending");
    }
    let controls = &state.lane.controls;
    let always_ran = controls.expiry_runs() && controls.expiry_resumed_at.is_none();
    if pending && order.payment_expires_at.is_none() && always_ran && order.on_hold.is_none() {
        fail("is pending without a deadline, and nobody suspended it");
    }
    let money_in = matches!(
        order.payment_status,
        PaymentState::Paid | PaymentState::PartiallyRefunded | PaymentState::Refunded
    );
    let captured = state
        .payments_of(id)
        .any(|payment| payment.status.is_captured());
    if money_in && !captured {
        fail("counts as paid without a captured payment");
    }
    if order.financial_status != FinancialStatus::Draft && order.snapshot_hash.is_none() {
        fail("is locked without a snapshot");
    }
    let sum = order.items.iter().fold(0i64, |sum, item| {
        sum.saturating_add(item.total_price.minor())
    });
    if sum != order.totals.subtotal.minor() {
        fail("has a subtotal that is not the sum of its lines");
    }
    let priced = order.items.iter().all(|item| {
        let gross = i128::from(item.unit_price.minor()).saturating_mul(i128::from(item.quantity));
        let net = gross.saturating_sub(i128::from(item.discount.minor()));
        i128::from(item.total_price.minor()) == net
    });
    if !priced {
        fail("has a line whose total is not price times quantity less discount");
    }
}

fn held_units(state: &State, id: OrderId, status: HoldStatus) -> i64 {
    state
        .holds_of(id)
        .filter(|hold| hold.status == status)
        .fold(0, |sum, hold| sum.saturating_add(hold.quantity))
}

/// Refunds add up, and never exceed what was captured; no order is paid twice; what is done is not
/// waited for.
fn check_payments(state: &State, found: &mut Vec<String>) {
    let mut kept: BTreeMap<OrderId, i64> = BTreeMap::new();
    for payment in state.payments.values() {
        let refunds = state
            .refunds_of(payment.order_id)
            .filter(|refund| refund.payment_id == payment.id && refund.is_kept())
            .fold(0i64, |sum, refund| {
                sum.saturating_add(refund.amount.minor())
            });
        if refunds != payment.refunded_amount.minor()
            || payment.refunded_amount > payment.captured_amount
        {
            found.push(format!("{:?}: refunds do not add up", payment.id));
        }
        if !payment.status.is_captured() && payment.captured_amount.is_positive() {
            found.push(format!("{:?}: is not captured and has money", payment.id));
        }
        if payment.stage != Stage::Closed
            && (payment.status.is_captured() || !payment.provider.is_remote())
        {
            found.push(format!("{:?}: waits for a provider in vain", payment.id));
        }
        let sent_back = state
            .refunds_of(payment.order_id)
            .any(|refund| refund.payment_id == payment.id);
        if !payment.earned && payment.captured_amount.is_positive() && !sent_back {
            found.push(format!("{:?}: paid nothing and is kept", payment.id));
        }
        if payment.status == PaymentStatus::Succeeded && payment.earned {
            let count = kept.entry(payment.order_id).or_insert(0);
            *count = count.saturating_add(1);
        }
    }
    for (order, count) in kept.into_iter().filter(|(_, count)| *count > 1) {
        found.push(format!("{order:?} keeps {count} payments"));
    }
}

/// Every transaction balances under a reference of its own; the cash in the ledger is what was
/// captured less what went back and the providers' fees, and customers' credit what of that paid nothing.
fn check_ledger(state: &State, found: &mut Vec<String>) {
    let mut references = BTreeSet::new();
    let mut sums: BTreeMap<(Account, Currency), i128> = BTreeMap::new();
    for transaction in state.ledger.values() {
        let reference = &transaction.reference;
        if !transaction.balances() {
            found.push(format!("{reference} does not balance"));
        }
        if !references.insert(reference) {
            found.push(format!("{reference} is booked twice"));
        }
        for entry in &transaction.entries {
            if matches!(entry.account, Account::Cash(_) | Account::CustomerCredit) {
                let sum = sums
                    .entry((entry.account, transaction.currency))
                    .or_default();
                *sum = sum
                    .saturating_add(entry.debit.minor().into())
                    .saturating_sub(entry.credit.minor().into());
            }
        }
    }
    for payment in state
        .payments
        .values()
        .filter(|payment| payment.status.is_captured())
    {
        let gone = state
            .refunds_of(payment.order_id)
            .filter(|refund| refund.payment_id == payment.id)
            .filter(|refund| refund.status == RefundStatus::Succeeded)
            .fold(0i64, |sum, refund| {
                sum.saturating_add(refund.amount.minor())
            });
        let there = i128::from(payment.captured_amount.minor()).saturating_sub(gone.into());
        let fee = i128::from(payment.fee_amount.minor());
        let account = (Account::Cash(payment.provider), payment.currency);
        let sum = sums.entry(account).or_default();
        *sum = sum.saturating_sub(there).saturating_add(fee);
        if !payment.earned {
            let account = (Account::CustomerCredit, payment.currency);
            let sum = sums.entry(account).or_default();
            *sum = sum.saturating_add(there);
        }
    }
    for ((account, currency), off) in sums.into_iter().filter(|(_, off)| *off != 0) {
        let name = account.name();
        found.push(format!(
            "{name} in {currency} is {off} more than payments and refunds give"
        ));
    }
}
