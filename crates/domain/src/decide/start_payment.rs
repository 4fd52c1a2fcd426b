//! Starts a payment: freezes the order, gives the provider a deadline within the hold.

use super::{PaymentRequest, settle, supply};
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event};
use crate::ids::{OrderId, PaymentId};
use crate::money::Amount;
use crate::needs::Needs;
use crate::order::{Order, OrderStatus};
use crate::payment::{PayPage, Payment, PaymentStatus, Provider, Stage, provider_key};
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::Settings;
use crate::time::Timestamp;

/// A payment to be started. While one is pending, that one is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPayment {
    /// The order.
    pub order_id: OrderId,
    /// Provider, method and return address.
    pub request: PaymentRequest,
}

impl StartPayment {
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
        match order.status {
            OrderStatus::Draft if order.on_hold.is_some() => {
                return Err(Rejection::OrderOnHold);
            }
            OrderStatus::Draft | OrderStatus::Pending => {}
            OrderStatus::Cancelled => return Err(Rejection::AlreadyCancelled),
            OrderStatus::Paid
            | OrderStatus::Processing
            | OrderStatus::Shipped
            | OrderStatus::Delivered
            | OrderStatus::Refunded => return Err(Rejection::AlreadyPaid),
        }
        if let Some(pending) = settle::pending_payment(state, order.id) {
            return Ok(Decision::repeated(Reply::Payment(pending.id)));
        }
        let (payment, changes) = start(state, order, &self.request, context)?;
        Ok(Decision::created(changes, Reply::Payment(payment)))
    }
}

/// The changes that start the next payment of an unpaid order with none pending.
pub(super) fn start(
    state: &State,
    order: &Order,
    request: &PaymentRequest,
    context: &mut Context<'_>,
) -> Result<(PaymentId, Vec<Change>), Rejection> {
    let settings = state.settings().ok_or(Rejection::NotFound)?;
    let provider = request.provider.unwrap_or(settings.default_provider);
    check_provider(state, order, provider)?;
    let (held_until, mut changes) = if order.status == OrderStatus::Pending {
        let (until, set) = supply::deadline(state, order, context);
        (until, Vec::from_iter(set))
    } else {
        supply::submit(state, order, context)?
    };
    let held_until = held_until.map(|held_until| {
        let until = extended(settings, order, provider, held_until, context);
        if until > held_until {
            changes.push(
                Event::HoldsExtended {
                    order_id: order.id,
                    expires_at: until,
                }
                .into(),
            );
        }
        until
    });
    changes.extend(settle::lock(order, context));
    let grace = settings.payment_grace_seconds.saturating_mul(1_000);
    let attempt = settle::next_attempt(state, order.id);
    let payment = Payment {
        id: context.ids.make(),
        order_id: order.id,
        attempt,
        provider,
        payment_method: request
            .payment_method
            .clone()
            .or_else(|| order.payment_method.clone()),
        status: PaymentStatus::Pending,
        stage: if provider.is_remote() {
            Stage::Intended
        } else {
            Stage::Closed
        },
        earned: false,
        amount: order.totals.total_amount,
        captured_amount: Amount::ZERO,
        refunded_amount: Amount::ZERO,
        fee_amount: Amount::ZERO,
        currency: order.currency,
        provider_reference: provider_key(order.id, attempt),
        provider_payment_id: None,
        return_url: return_url(request, provider),
        page: PayPage::default(),
        expires_at: held_until
            .map(|until| until.plus_millis(grace.saturating_neg()).max(context.now)),
        failure_code: None,
        created_at: context.now,
        updated_at: context.now,
    };
    let id = payment.id;
    changes.push(
        Event::PaymentStarted {
            payment: Box::new(payment),
        }
        .into(),
    );
    Ok((id, changes))
}

/// Where the payer is sent afterwards. It is part of what YooKassa is asked, and so of the payment:
/// the same payment asked for again is asked for in the same words.
fn return_url(request: &PaymentRequest, provider: Provider) -> Option<String> {
    let usual = request.usual_return.as_ref();
    let usual = usual.filter(|_| provider == Provider::Yookassa);
    let given = request.return_url.clone();
    given.or_else(|| usual.map(|base| format!("{base}/{}", provider.name())))
}

/// A provider that cannot take this money is a fault of the request, found before anything is held
/// for it.
fn check_provider(state: &State, order: &Order, provider: Provider) -> Result<(), Rejection> {
    let refuse = |message: &str| {
        let message = format!("{} {message}", provider.name());
        Err(Rejection::invalid("/provider", &message))
    };
    let has_account = || {
        let tenant = state.tenant();
        tenant.is_some_and(|tenant| tenant.accounts.contains_key(&provider))
    };
    if provider.is_remote() && !has_account() {
        refuse("has no account here: set one with PUT /payment-accounts")
    } else if !provider.takes(order.currency) {
        refuse("does not take the order's currency")
    } else if provider.is_remote() && !order.totals.total_amount.is_positive() {
        refuse("takes no payment of nothing")
    } else {
        Ok(())
    }
}

/// When a hold is to end that may be too short for the provider's minimum and the grace: later,
/// within the cap.
fn extended(
    settings: &Settings,
    order: &Order,
    provider: Provider,
    held_until: Timestamp,
    context: &Context<'_>,
) -> Timestamp {
    let grace = settings.payment_grace_seconds.saturating_mul(1_000);
    let wanted = context
        .now
        .plus_millis(provider.window_min_millis().saturating_add(grace));
    let cap = settings.hold_extension_max_minutes.saturating_mul(60_000);
    let left = cap.saturating_sub(order.hold_extended_millis).max(0);
    wanted.min(held_until.plus_millis(left)).max(held_until)
}
