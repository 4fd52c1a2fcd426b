//! What commands on payments must answer.

use domain::command::Command;
use domain::decide::{ProviderOutcome, ProviderResult, RefundOutcome, RefundPayment, RefundResult};
use domain::ids::{OrderId, PaymentId};
use domain::state::State;

use crate::model::{Back, Pay, Stand};
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
        let amount = match &result.outcome {
            ProviderOutcome::Succeeded { amount, .. } => amount.minor(),
            ProviderOutcome::CapturedInPart { .. } if pay.state == "taken" => return "ok",
            ProviderOutcome::CapturedInPart { amount, .. } => {
                let part = amount.minor();
                self.change_pay(key, |pay| {
                    pay.state = "taken";
                    (pay.amount, pay.refunded) = (part, part);
                });
                return "ok";
            }
            ProviderOutcome::Disputed { .. } | ProviderOutcome::Suspected => return "ok",
            ProviderOutcome::Failed { .. } => {
                if pay.state == "pending" {
                    self.change_pay(key, |pay| pay.state = "failed");
                }
                return "ok";
            }
        };
        if amount != pay.amount {
            return "amount_mismatch";
        }
        if pay.state == "taken" {
            return "ok";
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
            _ if pay.remote => return "invalid_state",
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
        if refund.restock && !order.restocked && order.stand != Stand::Cancelled {
            order.restocked = true;
            for (key, (units, _)) in &order.units {
                self.model.levels.entry(*key).or_default().stock += units;
            }
        }
        if amount == left && pay.earned && matches!(order.stand, Stand::Paid(_)) {
            order.stand = Stand::Refunded;
            order.on_hold = false;
        }
        "ok"
    }

    /// A provider has begun a payment.
    pub(super) fn begun(&mut self, payment: PaymentId) -> &'static str {
        let Some((id, _)) = self.order_of(payment) else {
            return "not_found";
        };
        self.change_pay((id, payment), |pay| {
            pay.begun |= matches!(pay.state, "pending" | "cancelled");
        });
        "ok"
    }

    /// Whether an answer to a start names a payment that ended before its provider had begun it.
    pub(super) fn is_void(&self, command: &Command, answer: &[u8]) -> bool {
        let starts = matches!(command, Command::StartPayment(_) | Command::ConvertCart(_));
        let words = String::from_utf8_lossy(answer).into_owned();
        let ids = words.split(' ').filter_map(|word| word.parse().ok());
        let mut pays = ids.filter_map(|id| self.order_of(id));
        starts && pays.any(|(_, pay)| pay.remote && pay.state == "failed" && !pay.begun)
    }

    pub(super) fn refund_result(&mut self, result: &RefundResult) -> &'static str {
        let Some((id, pay)) = self.order_of(result.payment_id) else {
            return "not_found";
        };
        let Some(order) = self.model.orders.get_mut(&id) else {
            return "not_found";
        };
        let order_stand = order.stand;
        let mut refunds_all = false;
        let mut backs = order.refunds.iter_mut();
        let Some(back) = backs.find(|back| back.id == result.refund_id) else {
            return "not_found";
        };
        let (amount, left) = (back.amount, pay.amount - pay.refunded);
        let change = match (&result.outcome, back.state) {
            (RefundOutcome::Pending { .. }, _) | (RefundOutcome::Failed { .. }, "failed") => 0,
            (RefundOutcome::Succeeded { .. }, "failed") => {
                if back.settled || amount > left {
                    return "refund_exceeds_payment";
                }
                (back.state, back.settled) = ("done", true);
                if pay.earned && amount == left && matches!(order_stand, Stand::Paid(_)) {
                    refunds_all = true;
                }
                amount
            }
            (RefundOutcome::Succeeded { .. }, _) => {
                back.settled = true;
                back.state = "done";
                0
            }
            (RefundOutcome::Failed { .. }, _) => {
                back.state = "failed";
                -amount
            }
        };
        if refunds_all {
            order.stand = Stand::Refunded;
            order.on_hold = false;
        }
        self.change_pay((id, pay.id), |pay| pay.refunded += change);
        "ok"
    }

    /// Refunds get their ids from the store.
    pub(in crate::world) fn learn_refunds(&mut self, after: &State) {
        for order in self.model.orders.values_mut() {
            for refund in after.refunds_of(order.id) {
                if order.refunds.iter().all(|known| known.id != refund.id) {
                    order.refunds.push(Back {
                        id: refund.id,
                        payment: refund.payment_id,
                        amount: refund.amount.minor(),
                        state: ["done", "open"][usize::from(refund.is_open())],
                        settled: !refund.is_open(),
                    });
                }
            }
        }
    }
}
