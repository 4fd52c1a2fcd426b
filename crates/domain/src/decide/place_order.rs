//! Makes an order: prices from the catalogue, all of its stock or none.

use std::collections::BTreeMap;

use super::{LineRequest, lines, supply};
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event, Row};
use crate::ids::{CartId, OrderId};
use crate::needs::Needs;
use crate::order::{Contact, FinancialStatus, Order, OrderStatus, PaymentState};
use crate::pricing::{self, Charges};
use crate::rejection::Rejection;
use crate::state::State;

/// What an order is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Its lines.
    pub lines: Vec<LineRequest>,
    /// The caller's own id of the customer.
    pub customer_id: Option<String>,
    /// The customer's tier.
    pub customer_tier: Option<String>,
    /// Who buys, and where it goes.
    pub contact: Contact,
    /// Discount, tax and shipping that the caller gives.
    pub charges: Charges,
    /// How it will be paid.
    pub payment_method: Option<String>,
    /// The customer's notes.
    pub notes: Option<String>,
    /// True for an editable quote that holds no stock.
    pub draft: bool,
    /// The cart that it is made from.
    pub cart_id: Option<CartId>,
    /// The key that the caller sent, kept for people who look for it.
    pub idempotency_key: Option<String>,
}

impl PlaceOrder {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        lines::needs(&self.lines, needs);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let (id, changes) = self.place(state, context)?;
        Ok(Decision::created(
            changes,
            Reply::Order { id, to_maker: true },
        ))
    }

    /// The changes that make the order, and its id.
    pub(super) fn place(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<(OrderId, Vec<Change>), Rejection> {
        let mut order = self.order(state, context)?;
        let id = order.id;
        let mut changes = Vec::new();
        if self.draft {
            changes.push(
                Event::OrderPlaced {
                    order: Box::new(order),
                }
                .into(),
            );
        } else {
            let expires_at = supply::expiry(state, &order, context);
            let none = BTreeMap::new();
            let holds = supply::take(state, (id, &order.items), expires_at, &none, context)?;
            order.payment_expires_at = expires_at;
            changes.push(
                Event::OrderPlaced {
                    order: Box::new(order),
                }
                .into(),
            );
            changes.push(supply::reserved(id, holds));
        }
        if !self.contact.is_empty() {
            changes.push(Row::Contact(id, self.contact.clone()).into());
        }
        Ok((id, changes))
    }

    fn order(&self, state: &State, context: &mut Context<'_>) -> Result<Order, Rejection> {
        let settings = state.settings().ok_or(Rejection::NotFound)?;
        let id = context.ids.make();
        let (items, currency) = lines::price_lines(state, &self.lines, context)?;
        let totals = pricing::totals(&items, self.charges, settings)?;
        Ok(Order {
            id,
            number: state.lane.next_order_number,
            status: if self.draft {
                OrderStatus::Draft
            } else {
                OrderStatus::Pending
            },
            payment_status: PaymentState::Pending,
            financial_status: FinancialStatus::Draft,
            currency,
            totals,
            given_tax: self.charges.tax,
            given_shipping: self.charges.shipping,
            items,
            customer_id: self.customer_id.clone(),
            customer_tier: self.customer_tier.clone(),
            payment_method: self.payment_method.clone(),
            payment_reference: None,
            payment_expires_at: None,
            hold_extended_millis: 0,
            locked_at: None,
            snapshot_hash: None,
            paid_at: None,
            shipped_at: None,
            delivered_at: None,
            on_hold: None,
            cancelled_at: None,
            tracking_number: None,
            carrier: None,
            notes: self.notes.clone(),
            admin_notes: None,
            cart_id: self.cart_id,
            idempotency_key: self.idempotency_key.clone(),
            version: 1,
            created_at: context.now,
            updated_at: context.now,
        })
    }
}
