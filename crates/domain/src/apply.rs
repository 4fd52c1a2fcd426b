//! `apply` is the only thing that changes state. It never fails: what an event says, happened.

mod payments;
mod refunds;

use crate::control::Control;
use crate::event::{Change, Event, Row};
use crate::ids::{OrderId, ReservationId};
use crate::ledger::Transaction;
use crate::order::{FinancialStatus, OnHold, Order, OrderStatus, PAYMENT_TIMEOUT, PaymentState};
use crate::planted::{self, Bug};
use crate::state::State;
use crate::stock::{Hold, HoldStatus, LevelKey, Movement, StockLevel};
use crate::tenant::{StockMode, Tenant};
use crate::time::Timestamp;

/// Applies one change at `at`. An event gets the lane's next `seq`; returns what it did to stock.
pub fn apply(state: &mut State, change: &Change, at: Timestamp) -> Vec<Movement> {
    match change {
        Change::Row(row) => {
            apply_row(state, row);
            Vec::new()
        }
        Change::Event(event) => apply_event(state, event, at),
    }
}

fn apply_row(state: &mut State, row: &Row) {
    match row {
        Row::Cart(cart) => state.carts.put(cart.id, cart.clone()),
        Row::Contact(order_id, contact) => state.contacts.put(*order_id, contact.clone()),
        Row::Tenant(tenant) => state.tenants.put(tenant.id, (**tenant).clone()),
        Row::PayPage(order, payment, page) => {
            let key = (*order, *payment);
            state
                .payments
                .change(&key, |payment| payment.page = page.clone());
        }
        Row::WebhookEvent(event) => state.webhook_events.put(event.id, (**event).clone()),
        Row::Key(key) => state.keys.put(key.id, key.clone()),
    }
}

/// Applies one event at `at`, with the lane's next `seq`.
pub fn apply_event(state: &mut State, event: &Event, at: Timestamp) -> Vec<Movement> {
    state.lane.seq = state.lane.seq.saturating_add(1);
    state.lane.last_at = at;
    let mut moves = Moves {
        seq: state.lane.seq,
        done: Vec::new(),
    };
    match event {
        Event::ProductSaved { .. } | Event::LocationAdded { .. } => apply_catalogue(state, event),
        Event::StockSet { .. }
        | Event::StockAdjusted { .. }
        | Event::StockReserved { .. }
        | Event::StockConverted { .. }
        | Event::StockReleased { .. }
        | Event::HoldsExtended { .. }
        | Event::StockReturned { .. } => apply_stock(state, event, at, &mut moves),
        Event::PaymentStarted { .. }
        | Event::PaymentBegun { .. }
        | Event::PaymentSucceeded { .. }
        | Event::PaymentFailed { .. }
        | Event::PaymentClosed { .. }
        | Event::PaymentCancelled { .. }
        | Event::PaymentSuspected { .. }
        | Event::PaymentFeeKnown { .. } => payments::apply(state, event, at),
        Event::PaymentRefunded { .. }
        | Event::RefundSent { .. }
        | Event::RefundSettled { .. }
        | Event::RefundFailed { .. } => refunds::apply(state, event, at),
        Event::OrderPlaced { order } => {
            state.lane.next_order_number = order.number.saturating_add(1);
            state.orders.put(order.id, (**order).clone());
        }
        Event::OrderRevised { order } => state.orders.put(order.id, (**order).clone()),
        // These are said for the order's history: others move the money.
        Event::PaymentUnearned { .. } | Event::PaymentDisputed { .. } => {}
        Event::ControlMoved { control, .. } => move_control(state, *control, at),
        Event::DeadlineSet {
            order_id,
            payment_expires_at,
        } => set_deadline(state, *order_id, *payment_expires_at, at),
        Event::OrderAnnotated { order_id, .. }
        | Event::OrderSubmitted { order_id, .. }
        | Event::OrderLocked { order_id, .. }
        | Event::OrderPaid { order_id, .. }
        | Event::OrderRevived { order_id }
        | Event::OrderPaymentFailed { order_id }
        | Event::OrderExpired { order_id }
        | Event::OrderCancelled { order_id, .. }
        | Event::OrderPutOnHold { order_id, .. }
        | Event::OrderReleased { order_id, .. }
        | Event::OrderMoved { order_id, .. }
        | Event::OrderShippingSet { order_id, .. }
        | Event::OrderRefunded { order_id, .. } => {
            touch(state, *order_id, at, |order| change_order(order, event, at));
        }
    }
    moves.done
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`apply_event` sends only these"
)]
fn apply_catalogue(state: &mut State, event: &Event) {
    match event {
        Event::ProductSaved {
            product,
            variants,
            change: _,
        } => {
            state.index_handle(product);
            state.products.put(product.id, product.clone());
            for variant in variants {
                state.forget_sku(variant.id);
            }
            for variant in variants {
                state.index_sku(variant);
                state.variants.put(variant.id, variant.clone());
            }
        }
        Event::LocationAdded { location } => state.locations.put(location.id, location.clone()),
        _ => {}
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`apply_event` sends only these"
)]
fn apply_stock(state: &mut State, event: &Event, at: Timestamp, moves: &mut Moves) {
    match event {
        Event::StockSet {
            level,
            stock_quantity,
            low_stock_threshold,
            backorder_limit,
        } => {
            let now = state
                .levels
                .get(level)
                .map_or(0, |level| level.stock_quantity);
            moves.add(state, *level, stock_quantity.saturating_sub(now), 0);
            state.levels.change(level, |level| {
                level.low_stock_threshold = *low_stock_threshold;
                level.backorder_limit = *backorder_limit;
            });
        }
        Event::StockAdjusted {
            level,
            delta,
            reason: _,
        } => moves.add(state, *level, *delta, 0),
        Event::StockReturned {
            units,
            order_id: _,
            reason: _,
        } => {
            for (level, quantity) in units {
                moves.add(state, *level, *quantity, 0);
            }
        }
        Event::StockReserved { order_id, holds } => {
            for hold in holds {
                moves.reserve(state, hold);
            }
            state
                .orders
                .change(order_id, |order| locate_items(order, holds));
        }
        Event::StockConverted { order_id, holds } => {
            moves.end(state, (*order_id, holds), HoldStatus::Converted, at);
        }
        Event::StockReleased {
            order_id,
            holds,
            status,
        } => {
            moves.end(state, (*order_id, holds), *status, at);
        }
        Event::HoldsExtended {
            order_id,
            expires_at,
        } => extend(state, *order_id, *expires_at, at),
        _ => {}
    }
}

/// The movements of one event.
struct Moves {
    seq: i64,
    done: Vec<Movement>,
}

impl Moves {
    /// Moves one level, and remembers the movement before this one.
    fn add(&mut self, state: &mut State, key: LevelKey, delta_stock: i64, delta_reserved: i64) {
        if !state.levels.contains(&key) {
            state.levels.put(key, StockLevel::empty(key));
        }
        let mut previous_seq = 0;
        state.levels.change(&key, |level| {
            previous_seq = level.last_seq;
            level.stock_quantity = level.stock_quantity.saturating_add(delta_stock);
            level.reserved_stock = level.reserved_stock.saturating_add(delta_reserved);
            level.version = level.version.saturating_add(1);
            level.last_seq = self.seq;
        });
        let (variant_id, location_id) = key;
        let same = |m: &&mut Movement| (m.variant_id, m.location_id) == key;
        if let Some(movement) = self.done.iter_mut().find(same) {
            movement.delta_stock = movement.delta_stock.saturating_add(delta_stock);
            movement.delta_reserved = movement.delta_reserved.saturating_add(delta_reserved);
            return;
        }
        let movement = Movement {
            variant_id,
            location_id,
            delta_stock,
            delta_reserved,
            previous_seq,
        };
        self.done.push(movement);
    }

    fn reserve(&mut self, state: &mut State, hold: &Hold) {
        let taken = if planted::is(Bug::EventAppliedTwice) {
            hold.quantity.saturating_mul(2)
        } else {
            hold.quantity
        };
        if hold.deducted {
            self.add(state, hold.level_key(), taken.saturating_neg(), 0);
        } else {
            self.add(state, hold.level_key(), 0, taken);
        }
        state.holds.put((hold.order_id, hold.id), hold.clone());
    }

    /// Ends holds as `status`: a sale takes the units away for good, anything else frees them.
    fn end(
        &mut self,
        state: &mut State,
        (order_id, holds): (OrderId, &[ReservationId]),
        status: HoldStatus,
        at: Timestamp,
    ) {
        for id in holds {
            let Some(hold) = state.holds.get(&(order_id, *id)).cloned() else {
                continue;
            };
            let quantity = hold.quantity;
            let back = quantity.saturating_neg();
            match (status, hold.deducted) {
                (HoldStatus::Converted, true) | (HoldStatus::Active, _) => {}
                (HoldStatus::Converted, false) => self.add(state, hold.level_key(), back, back),
                (HoldStatus::Expired | HoldStatus::Cancelled, true) => {
                    self.add(state, hold.level_key(), quantity, 0);
                }
                (HoldStatus::Expired | HoldStatus::Cancelled, false) => {
                    if !(planted::is(Bug::HoldLeaked) && status == HoldStatus::Cancelled) {
                        self.add(state, hold.level_key(), 0, back);
                    }
                }
            }
            state.holds.change(&(order_id, *id), |hold| {
                hold.status = status;
                hold.updated_at = at;
            });
        }
    }
}

/// Says of each line where it comes from, unless several locations share its variant.
fn locate_items(order: &mut Order, holds: &[Hold]) {
    for item in order.items.iter_mut().filter(|item| !item.location_forced) {
        let mut of_variant = holds
            .iter()
            .filter(|hold| hold.variant_id == item.variant_id);
        item.location_id = match (of_variant.next(), of_variant.next()) {
            (Some(only), None) => Some(only.location_id),
            _ => None,
        };
    }
}

fn move_control(state: &mut State, control: Control, at: Timestamp) {
    state.lane.controls.set(control, at);
    let mode = match control {
        Control::StockReserve => StockMode::Reserve,
        Control::StockImmediate => StockMode::Immediate,
        Control::ExpirySuspended
        | Control::ExpiryRunning
        | Control::CleanupPaused
        | Control::CleanupRunning
        | Control::ReadOnly
        | Control::ReadWrite => return,
    };
    if let Some(tenant) = state.tenant_id {
        let set = |tenant: &mut Tenant| tenant.settings.stock_mode = mode;
        state.tenants.change(&tenant, set);
    }
}

/// Ends an order's active holds at another time, or not by time at all.
fn end_holds_at(
    state: &mut State,
    order_id: OrderId,
    expires_at: Option<Timestamp>,
    at: Timestamp,
) {
    let holds: Vec<_> = state
        .active_holds_of(order_id)
        .map(|hold| hold.id)
        .collect();
    for id in holds {
        state.holds.change(&(order_id, id), |hold| {
            hold.expires_at = expires_at;
            hold.updated_at = at;
        });
    }
}

fn set_deadline(
    state: &mut State,
    order_id: OrderId,
    payment_expires_at: Option<Timestamp>,
    at: Timestamp,
) {
    end_holds_at(state, order_id, payment_expires_at, at);
    touch(state, order_id, at, |order| {
        order.payment_expires_at = payment_expires_at;
    });
}

fn extend(state: &mut State, order_id: OrderId, expires_at: Timestamp, at: Timestamp) {
    end_holds_at(state, order_id, Some(expires_at), at);
    touch(state, order_id, at, |order| {
        let before = order.payment_expires_at.unwrap_or(expires_at);
        order.hold_extended_millis = order
            .hold_extended_millis
            .saturating_add(expires_at.since(before));
        order.payment_expires_at = Some(expires_at);
    });
}

/// Books what an event did to money.
fn book(state: &mut State, transaction: Option<Transaction>) {
    if let Some(transaction) = transaction {
        state.ledger.put(transaction.seq, transaction);
    }
}

fn touch(state: &mut State, id: OrderId, at: Timestamp, edit: impl FnOnce(&mut Order)) {
    state.orders.change(&id, |order| {
        order.version = order.version.saturating_add(1);
        order.updated_at = at;
        edit(order);
    });
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`apply_event` sends only these"
)]
fn change_order(order: &mut Order, event: &Event, at: Timestamp) {
    match event {
        Event::OrderAnnotated {
            notes, admin_notes, ..
        } => {
            order.notes.clone_from(notes);
            order.admin_notes.clone_from(admin_notes);
        }
        Event::OrderSubmitted {
            payment_expires_at, ..
        } => {
            order.status = OrderStatus::Pending;
            order.payment_expires_at = *payment_expires_at;
        }
        Event::OrderPutOnHold { by, reason, .. } => {
            order.on_hold = Some(OnHold {
                since: at,
                by: by.clone(),
                reason: reason.clone(),
            });
        }
        Event::OrderReleased { .. } => order.on_hold = None,
        Event::OrderLocked { snapshot_hash, .. } => {
            order.financial_status = FinancialStatus::Locked;
            order.locked_at = Some(at);
            order.snapshot_hash = Some(snapshot_hash.clone());
        }
        Event::OrderPaid {
            payment_method,
            payment_reference,
            ..
        } => {
            pay_order(order, payment_method.as_ref(), payment_reference, at);
        }
        Event::OrderRevived { .. } => {
            order.status = OrderStatus::Pending;
            order.payment_status = PaymentState::Pending;
            order.cancelled_at = None;
            order.admin_notes = None;
        }
        Event::OrderPaymentFailed { .. } => order.payment_status = PaymentState::Failed,
        Event::OrderExpired { .. } => {
            order.status = OrderStatus::Cancelled;
            order.payment_status = PaymentState::Expired;
            order.payment_expires_at = None;
            order.cancelled_at = Some(at);
            order.admin_notes = Some(PAYMENT_TIMEOUT.to_owned());
        }
        Event::OrderCancelled { reason, .. } => {
            order.status = OrderStatus::Cancelled;
            order.payment_expires_at = None;
            order.on_hold = None;
            order.cancelled_at = Some(at);
            if reason.is_some() {
                order.admin_notes.clone_from(reason);
            }
        }
        Event::OrderMoved { status, notes, .. } => move_order(order, *status, notes.as_ref(), at),
        Event::OrderShippingSet {
            tracking_number,
            carrier,
            ..
        } => {
            order.tracking_number = Some(tracking_number.clone());
            order.carrier.clone_from(carrier);
        }
        Event::OrderRefunded { in_full, .. } => refund_order(order, *in_full),
        _ => {}
    }
}

fn pay_order(order: &mut Order, method: Option<&String>, reference: &str, at: Timestamp) {
    order.status = OrderStatus::Paid;
    order.payment_status = PaymentState::Paid;
    order.financial_status = FinancialStatus::Paid;
    order.payment_reference = Some(reference.to_owned());
    if let Some(method) = method {
        order.payment_method = Some(method.clone());
    }
    order.payment_expires_at = None;
    order.paid_at = Some(at);
}

fn refund_order(order: &mut Order, in_full: bool) {
    if !in_full {
        order.payment_status = PaymentState::PartiallyRefunded;
        return;
    }
    order.on_hold = None;
    order.payment_status = PaymentState::Refunded;
    order.financial_status = FinancialStatus::Refunded;
    if order.status != OrderStatus::Cancelled {
        order.status = OrderStatus::Refunded;
    }
}

fn move_order(order: &mut Order, status: OrderStatus, notes: Option<&String>, at: Timestamp) {
    order.status = status;
    if status == OrderStatus::Shipped {
        order.shipped_at = Some(at);
    }
    if status == OrderStatus::Delivered {
        order.delivered_at = Some(at);
    }
    if let Some(notes) = notes {
        order.admin_notes = Some(notes.clone());
    }
}
