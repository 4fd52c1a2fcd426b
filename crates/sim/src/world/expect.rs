//! What each command must answer, and what it then changes in the model.

mod operator;
mod payments;

use std::collections::BTreeMap;

use domain::command::Command;
use domain::decide::{
    AddCartItem, AdjustStock, ChangeStatus, ConvertCart, LineRequest, PlaceOrder, RecordPayment,
    ReviseOrder, SetStock,
};
use domain::ids::{CartId, OrderId, PaymentId};
use domain::order::OrderStatus;
use domain::state::State;
use engine::request::{Answer, Failure, Request};

use super::observe::units_taken;
use super::{Watched, World};
use crate::model::{Cart, Line, Model, Order, Pay, Stand};

/// What an answer named: one or two ids.
struct Named {
    first: String,
    second: String,
}

impl Named {
    fn of(answer: &Result<Answer, Failure>) -> Self {
        let body = answer
            .as_ref()
            .map(|answer| answer.body.to_vec())
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&body).into_owned();
        let mut words = text.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Self {
            first: word(),
            second: word(),
        }
    }

    fn order(&self) -> Option<OrderId> {
        self.first.parse().ok()
    }

    fn payment(&self) -> Option<PaymentId> {
        self.second.parse().ok()
    }
}

fn lines_of(requests: &[LineRequest]) -> Vec<Line> {
    let line = |line: &LineRequest| Some((line.pick.variant_id?, line.quantity, line.location_id));
    requests.iter().filter_map(line).collect()
}

impl<S: Watched> World<'_, S> {
    /// Orders whose time the batch saw run out.
    pub(super) fn settle_expired(&mut self, after: &State) {
        let moment = self.model.at(self.now);
        for order in self.model.orders.values_mut() {
            let due = order.is_due(moment);
            let seen = after
                .orders
                .get(&order.id)
                .is_none_or(|o| o.status != OrderStatus::Pending);
            if due && seen {
                order.stand = Stand::Expired;
                drop_pending(order, None);
                give_back(&mut self.model.levels, order);
            }
        }
    }

    /// The code that a request must answer with; what it changes is taken into the model.
    pub(super) fn expect(
        &mut self,
        request: &Request,
        answer: &Result<Answer, Failure>,
        after: &State,
    ) -> &'static str {
        if let Some(claim) = &request.claim
            && let Some((meant, body)) = self.model.keys.get(&claim.key)
            && !(*meant == claim.fingerprint && self.is_void(&request.command, body))
        {
            if *meant != claim.fingerprint {
                return "idempotency_key_reused";
            }
            let same = answer
                .as_ref()
                .is_ok_and(|a| a.replayed && a.body[..] == body[..]);
            return if same { "ok" } else { "a replay" };
        }
        if self.model.controls.read_only && !matches!(request.command, Command::MoveControls(_)) {
            return "read_only";
        }
        let expected = self.expect_command(&request.command, &Named::of(answer), after);
        if let (Some(claim), "ok", Ok(answer)) = (&request.claim, expected, answer) {
            self.model
                .keys
                .insert(claim.key, (claim.fingerprint, answer.body.to_vec()));
        }
        expected
    }

    fn expect_command(&mut self, command: &Command, named: &Named, after: &State) -> &'static str {
        match command {
            Command::PlaceOrder(place) => self.place(place, named, after),
            Command::CreateCart(_) => {
                let id: Option<CartId> = named.first.parse().ok();
                self.model.carts.extend(id.map(|id| (id, Cart::default())));
                "ok"
            }
            Command::AddCartItem(add) => self.add(add),
            Command::ConvertCart(convert) => self.convert(convert, named, after),
            Command::RecordPayment(record) => self.record(record, after),
            Command::CancelOrder(cancel) => self.cancel(cancel.order_id),
            Command::LockOrder(lock) => self.lock(lock.order_id),
            Command::StartPayment(start) => self.start(start.order_id, named, after),
            Command::ProviderResult(result) => self.provider(result, after),
            Command::ConfirmPayment(confirm) => self.confirm(confirm.payment_id, after),
            Command::RefundPayment(refund) => self.refund(refund),
            Command::RecordBegun(begun) => self.begun(begun.payment_id),
            Command::RefundResult(result) => self.refund_result(result),
            Command::ChangeStatus(change) => self.status(change, after),
            Command::AdjustStock(adjust) => self.adjust(adjust),
            Command::SetStock(set) => self.set(set),
            Command::SetShipping(ship) => match self.model.orders.get(&ship.order_id) {
                None => "not_found",
                Some(order) if !matches!(order.stand, Stand::Paid(_)) => "invalid_state",
                Some(order) if order.on_hold => "order_on_hold",
                Some(_) => "ok",
            },
            Command::ReviseOrder(revise) => self.revise(revise, after),
            Command::MoveControls(moves) => self.move_controls(moves, after),
            Command::HoldOrder(hold) => self.hold(hold.order_id),
            Command::ReleaseOrder(release) => self.release(release.order_id),
            _ => "ok",
        }
    }

    fn place(&mut self, place: &PlaceOrder, named: &Named, after: &State) -> &'static str {
        let lines = lines_of(&place.lines);
        let code = self.model.order_code(&lines, self.now, place.draft);
        if let ("ok", Some(id)) = (code, named.order()) {
            self.new_order(id, lines, place.draft, after);
        }
        code
    }

    fn new_order(&mut self, id: OrderId, lines: Vec<Line>, draft: bool, after: &State) {
        let total = self.model.cost(&lines).unwrap_or(-1);
        let mut order = Order {
            id,
            lines,
            total,
            stand: Stand::Draft,
            expires_at: self.model.deadline(self.now, false),
            on_hold: false,
            units: BTreeMap::new(),
            locked: false,
            paid_by: None,
            payments: Vec::new(),
            refunds: Vec::new(),
            restocked: false,
        };
        if !draft {
            take(&mut self.model, &mut order, after, self.now);
            order.stand = Stand::Waiting;
        }
        self.model.orders.insert(id, order);
    }

    fn add(&mut self, add: &AddCartItem) -> &'static str {
        let Some(cart) = self.model.carts.get_mut(&add.cart_id) else {
            return "not_found";
        };
        if cart.order.is_some() {
            return "cart_converted";
        }
        let Some(variant) = add.pick.variant_id else {
            return "validation_failed";
        };
        let mut units = cart.units.clone();
        let sum = units.entry(variant).or_default();
        *sum += add.quantity;
        let prices = &self.model.prices;
        let cost =
            |(v, n): (&_, &i64)| i128::from(prices.get(v).copied().unwrap_or(0)) * i128::from(*n);
        if *sum > 1_000_000 || units.iter().map(cost).sum::<i128>() > 1_000_000_000_000_000 {
            return "validation_failed";
        }
        cart.units = units;
        "ok"
    }

    fn convert(&mut self, convert: &ConvertCart, named: &Named, after: &State) -> &'static str {
        let Some(cart) = self.model.carts.get(&convert.cart_id).cloned() else {
            return "not_found";
        };
        if let Some(id) = cart.order {
            if named.order() != Some(id) {
                return "the same order";
            }
            let moment = self.model.at(self.now);
            let waits = self.model.orders.get(&id).is_some_and(|order| {
                matches!(order.stand_at(moment), Stand::Draft | Stand::Waiting)
                    && !order.payments.iter().any(|pay| pay.state == "pending")
            });
            if convert.payment.is_some() && waits {
                self.begin_payment(id, named.payment(), after);
            }
            return "ok";
        }
        if cart.units.is_empty() {
            return "cart_empty";
        }
        let lines: Vec<Line> = cart
            .units
            .iter()
            .map(|(v, units)| (*v, *units, None))
            .collect();
        let code = self.model.order_code(&lines, self.now, false);
        if let ("ok", Some(id)) = (code, named.order()) {
            self.new_order(id, lines, false, after);
            if convert.payment.is_some() {
                self.begin_payment(id, named.payment(), after);
            }
            self.model.carts.insert(
                convert.cart_id,
                Cart {
                    order: Some(id),
                    ..cart
                },
            );
        }
        code
    }

    /// A payment begins: the order is locked, and its hold may end later.
    fn begin_payment(&mut self, id: OrderId, payment: Option<PaymentId>, after: &State) {
        let (controls, fresh) = (self.model.controls, self.model.deadline(self.now, false));
        let (Some(order), Some(payment)) = (self.model.orders.get_mut(&id), payment) else {
            return;
        };
        let left_over = order
            .expires_at
            .is_none_or(|end| end <= controls.resumed_at);
        if left_over || controls.suspended {
            order.expires_at = fresh.filter(|_| !order.on_hold);
        }
        order.locked = true;
        let stored = after.payments.get(&(id, payment));
        let reference = stored.map(|p| p.provider_reference.clone());
        let remote = stored.is_some_and(|p| p.provider.is_remote());
        order.payments.push(Pay {
            id: payment,
            amount: order.total,
            refunded: 0,
            remote,
            begun: false,
            earned: false,
            state: "pending",
            reference: reference.unwrap_or_default(),
        });
        // The mock wants a minute, others five, and the grace two more.
        let wanted = if remote { 420_000 } else { 180_000 };
        order.expires_at = order.expires_at.map(|end| end.max(self.now + wanted));
    }

    fn record(&mut self, record: &RecordPayment, after: &State) -> &'static str {
        let Some(order) = self.model.orders.get(&record.order_id) else {
            return "not_found";
        };
        if let Some(reference) = order
            .paid_by
            .as_ref()
            .filter(|_| order.stand != Stand::Cancelled)
        {
            return if *reference == record.payment_reference {
                "ok"
            } else {
                "already_paid"
            };
        }
        let code = self.model.pay_code(order, self.now);
        if code == "ok" {
            let known = order.payments.iter().map(|pay| pay.id).collect::<Vec<_>>();
            let fresh = after.payments_of(record.order_id).find(|p| {
                !known.contains(&p.id) && p.provider_reference == record.payment_reference
            });
            let Some(fresh) = fresh else {
                return "a payment";
            };
            let pay = Pay {
                id: fresh.id,
                amount: order.total,
                refunded: 0,
                remote: false,
                begun: false,
                earned: false,
                state: "pending",
                reference: record.payment_reference.clone(),
            };
            if let Some(order) = self.model.orders.get_mut(&record.order_id) {
                order.payments.push(pay.clone());
            }
            self.pay(record.order_id, pay.id, after);
        }
        code
    }

    /// The order is paid by one of its payments.
    fn pay(&mut self, id: OrderId, payment: PaymentId, after: &State) {
        let Some(mut order) = self.model.orders.remove(&id) else {
            return;
        };
        if order.stand_at(self.model.at(self.now)) != Stand::Waiting {
            take(&mut self.model, &mut order, after, self.now);
        }
        for (key, (units, deducted)) in &order.units {
            let level = self.model.levels.entry(*key).or_default();
            if !deducted {
                level.stock -= units;
                level.reserved -= units;
            }
        }
        drop_pending(&mut order, Some(payment));
        for pay in order.payments.iter_mut().filter(|pay| pay.id == payment) {
            pay.state = "taken";
            pay.earned = true;
            order.paid_by = Some(pay.reference.clone());
        }
        order.locked = true;
        order.stand = Stand::Paid(0);
        self.model.orders.insert(id, order);
    }

    fn cancel(&mut self, id: OrderId) -> &'static str {
        let moment = self.model.at(self.now);
        let Some(order) = self.model.orders.get_mut(&id) else {
            return "not_found";
        };
        let code = Model::cancel_code(order, moment);
        if code != "ok" {
            return code;
        }
        if let Stand::Paid(_) = order.stand {
            for pay in order.payments.iter_mut().filter(|pay| pay.state == "taken") {
                pay.refunded = pay.amount;
            }
            for (key, (units, _)) in order.units.iter().filter(|_| !order.restocked) {
                self.model.levels.entry(*key).or_default().stock += units;
            }
        } else {
            drop_pending(order, None);
            give_back(&mut self.model.levels, order);
        }
        order.stand = Stand::Cancelled;
        order.on_hold = false;
        "ok"
    }

    fn lock(&mut self, id: OrderId) -> &'static str {
        let moment = self.model.at(self.now);
        let Some(order) = self.model.orders.get_mut(&id) else {
            return "not_found";
        };
        if order.locked {
            return "order_already_locked";
        }
        if !matches!(order.stand_at(moment), Stand::Draft | Stand::Waiting) {
            return "invalid_state";
        }
        order.locked = true;
        "ok"
    }

    fn start(&mut self, id: OrderId, named: &Named, after: &State) -> &'static str {
        let moment = self.model.at(self.now);
        let Some(order) = self.model.orders.get(&id) else {
            return "not_found";
        };
        match order.stand_at(moment) {
            Stand::Expired | Stand::Cancelled => return "already_cancelled",
            Stand::Paid(_) | Stand::Refunded => return "already_paid",
            Stand::Draft | Stand::Waiting => {}
        }
        if order.stand == Stand::Draft && order.on_hold {
            return "order_on_hold";
        }
        if order.payments.iter().any(|pay| pay.state == "pending") {
            return "ok";
        }
        if order.stand == Stand::Draft && !self.submit(id, after) {
            return "insufficient_stock";
        }
        let payment: Option<PaymentId> = named.first.parse().ok();
        self.begin_payment(id, payment, after);
        "ok"
    }

    /// A draft takes its stock and waits.
    fn submit(&mut self, id: OrderId, after: &State) -> bool {
        let Some(mut order) = self.model.orders.remove(&id) else {
            return false;
        };
        let supplied = self
            .model
            .can_supply(&order.lines, self.now, &BTreeMap::new());
        if supplied {
            take(&mut self.model, &mut order, after, self.now);
            order.stand = Stand::Waiting;
            order.expires_at = self.model.deadline(self.now, order.on_hold);
        }
        self.model.orders.insert(id, order);
        supplied
    }

    fn status(&mut self, change: &ChangeStatus, after: &State) -> &'static str {
        let moment = self.model.at(self.now);
        let Some(order) = self.model.orders.get_mut(&change.order_id) else {
            return "not_found";
        };
        if order.on_hold && change.status != OrderStatus::Cancelled {
            return "order_on_hold";
        }
        let next = match (order.stand_at(moment), change.status) {
            (Stand::Draft, OrderStatus::Pending) => {
                let done = self.submit(change.order_id, after);
                return if done { "ok" } else { "insufficient_stock" };
            }
            (_, OrderStatus::Cancelled) => return self.cancel(change.order_id),
            (Stand::Paid(0), OrderStatus::Processing) => 1,
            (Stand::Paid(1), OrderStatus::Shipped) => 2,
            (Stand::Paid(2), OrderStatus::Delivered) => 3,
            _ => return "invalid_state",
        };
        order.stand = Stand::Paid(next);
        "ok"
    }

    fn adjust(&mut self, adjust: &AdjustStock) -> &'static str {
        let Some(location) = adjust.location_id else {
            return "validation_failed";
        };
        let key = (adjust.variant_id, location);
        let code = self.model.adjust_code(key, adjust.delta, self.now);
        if code == "ok" {
            self.model.levels.entry(key).or_default().stock += adjust.delta;
        }
        code
    }

    fn set(&mut self, set: &SetStock) -> &'static str {
        let (Some(location), Some(stock)) = (set.location_id, set.stock_quantity) else {
            return "validation_failed";
        };
        let level = self
            .model
            .levels
            .entry((set.variant_id, location))
            .or_default();
        if stock < level.reserved {
            return "insufficient_stock";
        }
        level.stock = stock;
        "ok"
    }

    fn revise(&mut self, revise: &ReviseOrder, after: &State) -> &'static str {
        let now = self.now;
        let Some(mut order) = self.model.orders.get(&revise.order_id).cloned() else {
            return "not_found";
        };
        let lines = lines_of(revise.lines.as_deref().unwrap_or_default());
        let code = self.model.order_code(&lines, now, true);
        if code != "ok" {
            return code;
        }
        if order.locked {
            return "order_locked";
        }
        let waiting = match order.stand_at(self.model.at(now)) {
            Stand::Draft => false,
            Stand::Waiting => true,
            _ => return "invalid_state",
        };
        if waiting && !self.model.can_supply(&lines, now, &order.units) {
            return "insufficient_stock";
        }
        order.total = self.model.cost(&lines).unwrap_or(-1);
        order.lines = lines;
        if waiting {
            give_back(&mut self.model.levels, &mut order);
            take(&mut self.model, &mut order, after, now);
        }
        self.model.orders.insert(order.id, order);
        "ok"
    }
}

/// The order's units leave the free stock, as the store says from where.
fn take(model: &mut Model, order: &mut Order, after: &State, now: i64) {
    order.units = units_taken(after, order.id, now);
    for (key, (units, deducted)) in &order.units {
        let level = model.levels.entry(*key).or_default();
        if *deducted {
            level.stock -= units;
        } else {
            level.reserved += units;
        }
    }
}

/// Held units are free again.
fn give_back(
    levels: &mut BTreeMap<(domain::ids::VariantId, domain::ids::LocationId), crate::model::Level>,
    order: &mut Order,
) {
    for (key, (units, deducted)) in std::mem::take(&mut order.units) {
        let level = levels.entry(key).or_default();
        if deducted {
            level.stock += units;
        } else {
            level.reserved -= units;
        }
    }
}

fn drop_pending(order: &mut Order, but: Option<PaymentId>) {
    let others = order
        .payments
        .iter_mut()
        .filter(|pay| pay.state == "pending" && Some(pay.id) != but);
    others.for_each(|pay| pay.state = "cancelled");
}
