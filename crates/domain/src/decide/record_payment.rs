//! Records money that the shop's own staff saw: the holds become a sale.

use super::settle::{self, Receipt};
use crate::command::{Context, Decision, Reply};
use crate::event::Event;
use crate::ids::OrderId;
use crate::money::Amount;
use crate::needs::Needs;
use crate::order::{Order, OrderStatus};
use crate::payment::{PayPage, Payment, PaymentStatus, Provider, Stage};
use crate::rejection::Rejection;
use crate::state::State;

/// A payment that happened elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPayment {
    /// The order.
    pub order_id: OrderId,
    /// How it was paid.
    pub payment_method: String,
    /// Its reference; the same one again changes nothing.
    pub payment_reference: String,
    /// What was paid, if the caller says so; it must be the total.
    pub amount: Option<Amount>,
}

impl RecordPayment {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.orders.insert(self.order_id);
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
        if self
            .amount
            .is_some_and(|amount| amount != order.totals.total_amount)
        {
            return Err(Rejection::AmountMismatch);
        }
        let reply = Reply::Order {
            id: order.id,
            to_maker: false,
        };
        if order.paid_at.is_some() && order.status != OrderStatus::Cancelled {
            let same = order.payment_reference.as_ref() == Some(&self.payment_reference);
            let twice = crate::planted::is(crate::planted::Bug::PaymentAppliedTwice);
            if same && !twice {
                return Ok(Decision::repeated(reply));
            }
            if !same {
                return Err(Rejection::AlreadyPaid);
            }
        }
        let payment = self.payment(state, order, context);
        let receipt = Receipt {
            payment_id: payment.id,
            provider_payment_id: Some(self.payment_reference.clone()),
            payment_method: Some(self.payment_method.clone()),
            payment_reference: self.payment_reference.clone(),
        };
        let mut changes = vec![
            Event::PaymentStarted {
                payment: Box::new(payment),
            }
            .into(),
        ];
        if crate::planted::is(crate::planted::Bug::PaymentAppliedTwice) && order.paid_at.is_some() {
            changes.push(
                Event::PaymentSucceeded {
                    order_id: order.id,
                    payment_id: receipt.payment_id,
                    provider_payment_id: None,
                    captured_amount: None,
                }
                .into(),
            );
            return Ok(Decision::changed(changes, reply));
        }
        changes.extend(settle::pay(state, order, receipt, context)?);
        Ok(Decision::changed(changes, reply))
    }

    fn payment(&self, state: &State, order: &Order, context: &mut Context<'_>) -> Payment {
        Payment {
            id: context.ids.make(),
            order_id: order.id,
            attempt: settle::next_attempt(state, order.id),
            provider: Provider::Manual,
            payment_method: Some(self.payment_method.clone()),
            status: PaymentStatus::Pending,
            stage: Stage::Closed,
            earned: false,
            amount: order.totals.total_amount,
            captured_amount: Amount::ZERO,
            refunded_amount: Amount::ZERO,
            fee_amount: Amount::ZERO,
            currency: order.currency,
            provider_reference: self.payment_reference.clone(),
            provider_payment_id: None,
            return_url: None,
            page: PayPage::default(),
            expires_at: None,
            failure_code: None,
            created_at: context.now,
            updated_at: context.now,
        }
    }
}
