//! Changes an order: everything while its totals are not frozen, texts and addresses later.

use super::{LineRequest, lines, supply};
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event, Row};
use crate::ids::OrderId;
use crate::money::Amount;
use crate::needs::Needs;
use crate::order::{Contact, FinancialStatus, Order, OrderStatus};
use crate::pricing::{self, Charges};
use crate::rejection::Rejection;
use crate::state::State;
use crate::stock::HoldStatus;

/// Changes of an order's contact; what is `None` stays, `Some(None)` is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactPatch {
    /// E-mail address.
    pub customer_email: Option<Option<String>>,
    /// Street and number.
    pub shipping_address: Option<Option<String>>,
    /// City.
    pub shipping_city: Option<Option<String>>,
    /// State or region.
    pub shipping_state: Option<Option<String>>,
    /// Postal code.
    pub shipping_pincode: Option<Option<String>>,
    /// Telephone number.
    pub shipping_phone: Option<Option<String>>,
}

impl ContactPatch {
    fn apply(&self, contact: &mut Contact) {
        let fields = [
            (&self.customer_email, &mut contact.customer_email),
            (&self.shipping_address, &mut contact.shipping_address),
            (&self.shipping_city, &mut contact.shipping_city),
            (&self.shipping_state, &mut contact.shipping_state),
            (&self.shipping_pincode, &mut contact.shipping_pincode),
            (&self.shipping_phone, &mut contact.shipping_phone),
        ];
        for (patch, field) in fields {
            if let Some(value) = patch {
                field.clone_from(value);
            }
        }
    }
}

/// A change of an order; what is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviseOrder {
    /// The order.
    pub order_id: OrderId,
    /// Its lines.
    pub lines: Option<Vec<LineRequest>>,
    /// Taken off the whole order.
    pub discount: Option<Amount>,
    /// Tax; `Some(None)` takes the tenant's rate again.
    pub tax: Option<Option<Amount>>,
    /// Shipping; `Some(None)` takes the tenant's fee again.
    pub shipping: Option<Option<Amount>>,
    /// The contact.
    pub contact: ContactPatch,
    /// The customer's notes.
    pub notes: Option<Option<String>>,
    /// The shop's notes.
    pub admin_notes: Option<Option<String>>,
    /// The version that the caller saw.
    pub version: Option<i64>,
}

impl ReviseOrder {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
        lines::needs(self.lines.as_deref().unwrap_or_default(), needs);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let order = state
            .orders
            .get(&self.order_id)
            .ok_or(Rejection::NotFound)?;
        let money = self.lines.is_some()
            || self.discount.is_some()
            || self.tax.is_some()
            || self.shipping.is_some();
        let before = state.contacts.get(&order.id).cloned().unwrap_or_default();
        let mut contact = before.clone();
        self.contact.apply(&mut contact);
        let moved = contact != before;
        let mut changes = Vec::new();
        if money {
            changes = self.revised(state, order, context)?;
        } else if moved || self.notes.is_some() || self.admin_notes.is_some() {
            // A new contact stands in no event, but the order's version tells that it changed.
            changes.push(self.annotated(order));
        }
        if self.version.is_some_and(|version| version != order.version) {
            return Err(Rejection::VersionConflict);
        }
        if moved {
            changes.push(Row::Contact(order.id, contact).into());
        }
        Ok(Decision::changed(
            changes,
            Reply::Order {
                id: order.id,
                to_maker: false,
            },
        ))
    }

    fn annotated(&self, order: &Order) -> Change {
        let (notes, admin_notes) = self.texts(order);
        Event::OrderAnnotated {
            order_id: order.id,
            notes,
            admin_notes,
        }
        .into()
    }

    fn texts(&self, order: &Order) -> (Option<String>, Option<String>) {
        (
            self.notes.clone().unwrap_or_else(|| order.notes.clone()),
            self.admin_notes
                .clone()
                .unwrap_or_else(|| order.admin_notes.clone()),
        )
    }

    /// New lines or money: prices are taken anew for new lines; a pending order changes its
    /// holds in the same decision, all or none.
    fn revised(
        &self,
        state: &State,
        order: &Order,
        context: &mut Context<'_>,
    ) -> Result<Vec<Change>, Rejection> {
        let settings = state.settings().ok_or(Rejection::NotFound)?;
        let (items, currency) = match &self.lines {
            Some(lines) => lines::price_lines(state, lines, context)?,
            None => (order.items.clone(), order.currency),
        };
        let charges = Charges {
            discount: self.discount.unwrap_or(order.totals.discount_amount),
            tax: self.tax.unwrap_or(order.given_tax),
            shipping: self.shipping.unwrap_or(order.given_shipping),
        };
        let totals = pricing::totals(&items, charges, settings)?;
        if order.financial_status != FinancialStatus::Draft {
            return Err(Rejection::OrderLocked);
        }
        if !order.is_unpaid() {
            return Err(Rejection::InvalidState {
                from: order.status,
                to: order.status.name(),
            });
        }
        let mut changes = Vec::new();
        let mut holds = None;
        if let (Some(_), OrderStatus::Pending) = (&self.lines, order.status) {
            let until = order.payment_expires_at;
            let credit = supply::credit_of(state, order.id);
            holds = Some(supply::take(
                state,
                (order.id, &items),
                until,
                &credit,
                context,
            )?);
            changes.extend(supply::released(state, order.id, HoldStatus::Cancelled));
        }
        let (notes, admin_notes) = self.texts(order);
        let revised = Order {
            currency,
            totals,
            given_tax: charges.tax,
            given_shipping: charges.shipping,
            items,
            notes,
            admin_notes,
            version: order.version.saturating_add(1),
            updated_at: context.now,
            ..order.clone()
        };
        changes.push(
            Event::OrderRevised {
                order: Box::new(revised),
            }
            .into(),
        );
        changes.extend(holds.map(|holds| supply::reserved(order.id, holds)));
        Ok(changes)
    }
}
