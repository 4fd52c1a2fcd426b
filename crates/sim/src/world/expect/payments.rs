//! What commands on payments must answer.

use domain::decide::{ProviderOutcome, ProviderResult, RefundPayment};
use domain::ids::{OrderId, PaymentId};
use domain::state::State;

use crate::model::{Pay, Stand};
use crate::world::{Watched, World};

impl<S: Watched> World<'_, S> {
    fn order_of(&self, payment: PaymentId) -> Option<(OrderId, Pay)> {
        self.model.orders.values().find_map(|order| {
            order
                .payments
                .iter()
                .find(|p| p.id == payment)
                .map(|pay| (order.id, pay.clone()))
        })
    }

    fn change_pay(&mut self, (order, payment): (OrderId, PaymentId), edit: impl Fn(&mut Pay)) {
        let order = self.model.orders.get_mut(&order);
        let pays = order.into_iter().flat_map(|order| &mut order.payments);
        pays.filter(|pay| pay.id == payment).for_each(edit);
    }

    pub(super) fn provider(&mut self, result: &ProviderResult, after: &State) -> &'static str {
        let Some((id, pay)) = self.order_of(result.payment_id) else {
            return "not_found";
        };
        let key = (id, pay.id);
        let ProviderOutcome::Succeeded { amount, .. } = &result.outcome else {
            if pay.state == "pending" {
                self.change_pay(key, |pay| pay.state = "failed");
            }
            return "ok";
        };
        if pay.state == "taken" {
            return "ok";
        }
        if amount.minor() != pay.amount {
            return "amount_mismatch";
        }
        let Some(order) = self.model.orders.get(&id) else {
            return "not_found";
        };
        if self.model.pay_code(order, self.now) == "ok" {
            self.pay(id, pay.id, after);
        } else {
            // Nobody waits for it any more: it goes back, once.
            self.change_pay(key, |pay| {
                pay.state = "taken";
                pay.refunded = pay.amount;
            });
        }
        "ok"
    }

    pub(super) fn confirm(&mut self, payment: PaymentId, after: &State) -> &'static str {
        let Some((id, pay)) = self.order_of(payment) else {
            return "not_found";
        };
        let Some(order) = self.model.orders.get(&id) else {
            return "not_found";
        };
        let ended = matches!(
            order.stand_at(self.model.at(self.now)),
            Stand::Expired | Stand::Cancelled
        );
        match pay.state {
            "taken" => return "ok",
            "failed" => return "invalid_state",
            "cancelled" if !ended => return "invalid_state",
            _ => {}
        }
        let code = self.model.pay_code(order, self.now);
        if code == "ok" {
            self.pay(id, pay.id, after);
        }
        code
    }

    pub(super) fn refund(&mut self, refund: &RefundPayment) -> &'static str {
        let Some((id, pay)) = self.order_of(refund.payment_id) else {
            return "not_found";
        };
        if pay.state != "taken" {
            return "invalid_state";
        }
        let left = pay.amount - pay.refunded;
        let amount = refund.amount.map_or(left, domain::money::Amount::minor);
        if amount > left || amount < 1 {
            return "refund_exceeds_payment";
        }
        self.change_pay((id, pay.id), |pay| pay.refunded += amount);
        let Some(order) = self.model.orders.get_mut(&id) else {
            return "not_found";
        };
        if refund.restock && !order.restocked {
            order.restocked = true;
            for (key, (units, _)) in &order.units {
                self.model.levels.entry(*key).or_default().stock += units;
            }
        }
        if amount == left && matches!(order.stand, Stand::Paid(_)) {
            order.stand = Stand::Refunded;
            order.on_hold = false;
        }
        "ok"
    }
}
