//! Sends money back: what is left, an amount, or some units of some lines.

use std::collections::BTreeMap;

use super::settle;
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event};
use crate::ids::{LocationId, OrderItemId, PaymentId, VariantId};
use crate::money::{Amount, allocate};
use crate::needs::Needs;
use crate::order::{Order, OrderItem};
use crate::rejection::{Fault, Rejection};
use crate::state::State;
use crate::stock::LevelKey;

/// A refund. Without amount and items it is all that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundPayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Option<Amount>,
    /// Which lines, and how many units of each.
    pub items: Vec<(OrderItemId, i64)>,
    /// Whether those units (or, without items, all that are left) go back on the shelf.
    pub restock: bool,
    /// Why.
    pub reason: Option<String>,
}

impl RefundPayment {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.payments.insert(self.payment_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let payment = state.payment(self.payment_id).ok_or(Rejection::NotFound)?;
        let order = state
            .orders
            .get(&payment.order_id)
            .ok_or(Rejection::NotFound)?;
        self.check_items(state, order)?;
        if !payment.status.is_captured() {
            return Err(Rejection::InvalidState {
                from: order.status,
                to: "refunded",
            });
        }
        let left = payment.refundable();
        let amount = match self.amount {
            Some(amount) => amount,
            None if self.items.is_empty() => left,
            None => self.value_of_items(state, order)?.min(left),
        };
        if amount > left || !amount.is_positive() {
            return Err(Rejection::RefundExceedsPayment);
        }
        if self.restock && self.items.is_empty() && amount != left {
            let message = "name the items that go back on the shelf";
            return Err(Rejection::invalid("/restock", message));
        }
        let (id, mut refund) = settle::refund(
            state,
            (order, payment),
            (amount, self.reason.clone()),
            context,
        );
        refund.restock = self.restock;
        refund.items = if self.items.is_empty() && self.restock {
            all_units_left(state, order)
        } else {
            self.items.clone()
        };
        let units = self.restocked(state, order, &refund.items);
        let put_back = units.iter().map(|((variant, _), units)| (*variant, *units));
        refund.put_back = Some(put_back.collect());
        let mut changes: Vec<Change> = vec![Event::PaymentRefunded { refund }.into()];
        if !units.is_empty() {
            let reason = "refund".to_owned();
            changes.push(
                Event::StockReturned {
                    order_id: order.id,
                    units,
                    reason,
                }
                .into(),
            );
        }
        if payment.earned {
            let in_full = amount == left;
            changes.push(
                Event::OrderRefunded {
                    order_id: order.id,
                    in_full,
                }
                .into(),
            );
        }
        Ok(Decision::created(changes, Reply::Refund(order.id, id)))
    }

    fn check_items(&self, state: &State, order: &Order) -> Result<(), Rejection> {
        let refunded = units_refunded(state, order);
        let mut wanted: BTreeMap<OrderItemId, i64> = BTreeMap::new();
        let mut faults = Vec::new();
        for (index, (id, quantity)) in self.items.iter().enumerate() {
            let sum = wanted.entry(*id).or_insert(0);
            *sum = sum.saturating_add(*quantity);
            let fault = |field: &str, message: String| Fault {
                pointer: format!("/items/{index}/{field}"),
                message,
            };
            match order.items.iter().find(|item| item.id == *id) {
                None => faults.push(fault(
                    "order_item_id",
                    "no such line in this order".to_owned(),
                )),
                Some(item) => {
                    let left = item
                        .quantity
                        .saturating_sub(refunded.get(id).copied().unwrap_or(0));
                    if *quantity < 1 || *sum > left {
                        faults.push(fault("quantity", format!("must be between 1 and {left}")));
                    }
                }
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Rejection::Invalid(faults))
        }
    }

    /// What the lines' units cost: the order's total shared out over its lines, so that
    /// discounts, tax and shipping go back in proportion. Units that went back before count, so
    /// that one by one they come to the same as all at once.
    fn value_of_items(&self, state: &State, order: &Order) -> Result<Amount, Rejection> {
        let weights: Vec<Amount> = order.items.iter().map(|item| item.total_price).collect();
        let shares = allocate(order.totals.total_amount, &weights);
        let refunded = units_refunded(state, order);
        let mut sum = Amount::ZERO;
        for (item, share) in order.items.iter().zip(shares) {
            let of_line = self.items.iter().filter(|(id, _)| *id == item.id);
            let units: i64 = of_line.fold(0, |sum, (_, units)| sum.saturating_add(*units));
            let before = refunded.get(&item.id).copied().unwrap_or(0);
            let value = |units: i64| share.ratio(units, item.quantity.max(1));
            sum = sum.plus(value(before.saturating_add(units))?.minus(value(before)?)?)?;
        }
        Ok(sum)
    }

    fn restocked(
        &self,
        state: &State,
        order: &Order,
        items: &[(OrderItemId, i64)],
    ) -> Vec<(LevelKey, i64)> {
        if !self.restock {
            return Vec::new();
        }
        let mut wanted: BTreeMap<VariantId, i64> = BTreeMap::new();
        for (variant, units) in settle::units_of(order, items) {
            let sum = wanted.entry(variant).or_insert(0);
            *sum = sum.saturating_add(units);
        }
        for (variant, returned) in settle::returned_units(state, order) {
            if let Some(wanted) = wanted.get_mut(&variant) {
                *wanted = wanted.saturating_sub(returned.unpaid).max(0);
            }
        }
        let mut units: BTreeMap<(VariantId, LocationId), i64> = BTreeMap::new();
        for (key, sold) in settle::unreturned_units(state, order.id) {
            let left = wanted.entry(key.0).or_insert(0);
            let back = sold.min(*left);
            *left = left.saturating_sub(back);
            if back > 0 {
                units.insert(key, back);
            }
        }
        units.into_iter().collect()
    }
}

fn units_refunded(state: &State, order: &Order) -> BTreeMap<OrderItemId, i64> {
    let mut refunded: BTreeMap<OrderItemId, i64> = BTreeMap::new();
    let kept = state.refunds_of(order.id).filter(|refund| refund.is_kept());
    for (id, quantity) in kept.flat_map(|refund| &refund.items) {
        let sum = refunded.entry(*id).or_insert(0);
        *sum = sum.saturating_add(*quantity);
    }
    refunded
}

fn all_units_left(state: &State, order: &Order) -> Vec<(OrderItemId, i64)> {
    let refunded = units_refunded(state, order);
    let left = |item: &OrderItem| {
        let gone = refunded.get(&item.id).copied().unwrap_or(0);
        (item.id, item.quantity.saturating_sub(gone))
    };
    order
        .items
        .iter()
        .map(left)
        .filter(|(_, quantity)| *quantity > 0)
        .collect()
}
