//! Where providers, payments and the ledger differ.

use std::collections::{BTreeMap, BTreeSet};

use domain::decide::RefundOutcome;
use domain::ids::{OrderId, PaymentId, RefundId, TypedId as _};
use domain::ledger::{Account, Transaction};
use domain::payment::{Payment, PaymentStatus, Provider, Refund, RefundStatus, Stage};
use domain::state::State;
use domain::tenant::Tenant;

use crate::provider::{Providers, Standing};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The order.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The refund, where it is about one.
    pub refund_id: Option<RefundId>,
    /// Who takes the money.
    pub provider: Provider,
    /// What is the matter, in words.
    pub what: String,
}

/// Debits less credits of cash, by the transaction's reference.
pub type Cash = BTreeMap<String, i64>;

/// Compares the payments of some loaded orders with the ledger, and with what their providers say.
pub async fn differences(
    ledger: &Cash,
    providers: &dyn Providers,
    tenant: &Tenant,
    state: &State,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for payment in state.payments.values() {
        let difference = |refund_id, what| Difference {
            order_id: payment.order_id,
            payment_id: payment.id,
            refund_id,
            provider: payment.provider,
            what,
        };
        let booked = booked(ledger, payment, state).into_iter();
        found.extend(booked.map(|(id, what)| difference(id, what)));
        // What was never begun has no name to ask for; VNPAY knows ours.
        let named = payment.provider_payment_id.is_some() || payment.provider == Provider::Vnpay;
        if !payment.provider.is_remote() || payment.stage == Stage::Intended || !named {
            continue;
        }
        let there = there(providers, tenant, payment).await;
        found.extend(there.map(|what| difference(None, what)));
        for refund in refunds_of(state, payment) {
            let there = refund_there(providers, tenant, (payment, refund)).await;
            found.extend(there.map(|what| difference(Some(refund.id), what)));
        }
    }
    found
}

/// How a payment stands otherwise with its provider.
async fn there(providers: &dyn Providers, tenant: &Tenant, payment: &Payment) -> Option<String> {
    let ours = payment.status.name();
    let captured = payment.status.is_captured();
    match providers.standing(tenant, payment).await {
        Err(fault) => Some(format!("the provider does not say: {fault}")),
        Ok(Standing::Captured {
            amount, currency, ..
        }) => {
            let same = amount == payment.captured_amount && currency == payment.currency;
            // VNPAY tells of the last thing that happened to it, which may be a refund.
            let moved =
                payment.provider == Provider::Vnpay && payment.refunded_amount.is_positive();
            (!captured || !same && !moved)
                .then(|| format!("the provider has taken {amount} {currency}, here it is {ours}"))
        }
        Ok(Standing::Suspicious) => Some("the provider suspects a fraud".to_owned()),
        Ok(Standing::Authorised) => {
            Some("the provider keeps money that is not captured".to_owned())
        }
        Ok(Standing::Open) => {
            let lapsed = payment.provider == Provider::Vnpay;
            let waits = payment.stage == Stage::Begun;
            (!waits && !lapsed).then(|| format!("it can still be paid, here it is {ours}"))
        }
        Ok(Standing::Failed { code }) => {
            let differs = captured || payment.status == PaymentStatus::Pending;
            let gone = payment.provider == Provider::Vnpay && payment.refunded_amount.is_positive();
            (differs && !gone)
                .then(|| format!("the provider says that it failed ({code}), here it is {ours}"))
        }
    }
}

/// How a refund stands otherwise with its provider. VNPAY has no names for refunds.
async fn refund_there(
    providers: &dyn Providers,
    tenant: &Tenant,
    (payment, refund): (&Payment, &Refund),
) -> Option<String> {
    if refund.status == RefundStatus::Requested {
        return Some("the refund has not been asked for yet".to_owned());
    }
    let named = refund.provider_refund_id.is_some() && payment.provider != Provider::Vnpay;
    let dispute = refund.reason.as_deref() == Some("dispute lost");
    if !named || dispute {
        return None;
    }
    let ours = refund.status;
    let said = match providers
        .refunded(tenant, payment, refund, &BTreeSet::new())
        .await
    {
        Err(fault) => return Some(format!("the provider does not say: {fault}")),
        Ok(RefundOutcome::Pending { .. }) => RefundStatus::Pending,
        Ok(RefundOutcome::Succeeded { .. }) => RefundStatus::Succeeded,
        Ok(RefundOutcome::Failed { .. }) => RefundStatus::Failed,
    };
    (said != ours).then(|| {
        let (theirs, ours) = (said.name(), ours.name());
        format!("the provider says that the refund is {theirs}, here it is {ours}")
    })
}

/// What the ledger has booked otherwise.
fn booked(ledger: &Cash, payment: &Payment, state: &State) -> Vec<(Option<RefundId>, String)> {
    let (captured, fee) = (payment.captured_amount.minor(), payment.fee_amount.minor());
    let mut expected = vec![
        (None, format!("payment_confirmed:{}", payment.id), captured),
        (
            None,
            format!("provider_fee:{}", payment.id),
            fee.saturating_neg(),
        ),
    ];
    for refund in refunds_of(state, payment) {
        let gone = refund.status == RefundStatus::Succeeded;
        let amount = if gone { refund.amount.minor() } else { 0 };
        // What had gone and came again is booked on both sides.
        let again = ledger.get(&format!("refund_failed:{}", refund.id));
        let again = again.copied().unwrap_or_default();
        let reference = format!("refund:{}", refund.id);
        let moved = amount.saturating_add(again).saturating_neg();
        expected.push((Some(refund.id), reference, moved));
    }
    let differs = |(refund, reference, amount): (Option<RefundId>, String, i64)| {
        let cash = ledger.get(&reference).copied().unwrap_or_default();
        let what = || format!("the ledger has moved {cash} under {reference}, not {amount}");
        (cash != amount).then(|| (refund, what()))
    };
    expected.into_iter().filter_map(differs).collect()
}

fn refunds_of<'a>(state: &'a State, payment: &'a Payment) -> impl Iterator<Item = &'a Refund> {
    let refunds = state.refunds_of(payment.order_id);
    refunds.filter(|refund| refund.payment_id == payment.id)
}

/// What transactions did to cash, by their references.
pub fn add_cash(ledger: &mut Cash, transactions: &[Transaction]) {
    for transaction in transactions {
        let entries = transaction.entries.iter();
        let cash = entries.filter(|entry| matches!(entry.account, Account::Cash(_)));
        let moved = cash.fold(0, |sum: i64, entry| {
            sum.saturating_add(entry.debit.minor())
                .saturating_sub(entry.credit.minor())
        });
        ledger.insert(transaction.reference.clone(), moved);
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (order, payment) = (self.order_id, self.payment_id);
        write!(f, "order {order}, payment {payment}")?;
        if let Some(refund) = self.refund_id {
            write!(f, ", refund {}", refund.uuid())?;
        }
        write!(f, ": {}", self.what)
    }
}
