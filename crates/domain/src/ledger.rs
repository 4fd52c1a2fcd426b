//! The ledger: double entry, append-only. What money did follows from the journal, so `apply` books
//! it: nothing that moves money can forget to.
//!
//! Money that pays an order is revenue, shipping and tax; money that came for nothing is the
//! customer's credit until it is back.

use crate::ids::{OrderId, PaymentId};
use crate::money::{Amount, Currency};
use crate::order::Order;
use crate::payment::{Payment, Provider, Refund};
use crate::state::State;
use crate::time::Timestamp;

/// What an account is for whoever reads a balance sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountKind {
    /// What is owned or owed to the shop; debits raise it.
    Asset,
    /// What the shop owes; credits raise it.
    Liability,
    /// What was earned; credits raise it.
    Revenue,
    /// What lessens what was earned; debits raise it.
    ContraRevenue,
    /// What was spent; debits raise it.
    Expense,
}

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// Money that lies with a provider, or in the till for payments confirmed by hand.
    Cash(Provider),
    /// What customers still owe of orders that are sold.
    Receivable,
    /// Goods sold, before discounts on the whole order.
    Revenue,
    /// Shipping that customers pay.
    ShippingRevenue,
    /// Tax that is owed to the state.
    TaxPayable,
    /// Taken off whole orders.
    Discounts,
    /// Went back, without its tax.
    Refunds,
    /// Money that came and paid nothing: late, twice, or after a cancellation.
    CustomerCredit,
    /// What providers keep.
    ProviderFees,
}

impl Account {
    /// What it is.
    #[must_use]
    pub const fn kind(self) -> AccountKind {
        match self {
            Self::Cash(_) | Self::Receivable => AccountKind::Asset,
            Self::Revenue | Self::ShippingRevenue => AccountKind::Revenue,
            Self::TaxPayable | Self::CustomerCredit => AccountKind::Liability,
            Self::Discounts | Self::Refunds => AccountKind::ContraRevenue,
            Self::ProviderFees => AccountKind::Expense,
        }
    }

    /// Its name without the provider.
    const fn stem(self) -> &'static str {
        match self {
            Self::Cash(_) => "cash",
            Self::Receivable => "receivable",
            Self::Revenue => "revenue",
            Self::ShippingRevenue => "shipping_revenue",
            Self::TaxPayable => "tax_payable",
            Self::Discounts => "discounts",
            Self::Refunds => "refunds",
            Self::CustomerCredit => "customer_credit",
            Self::ProviderFees => "provider_fees",
        }
    }

    /// Its name on the wire and in the database: `cash:{provider}` for cash.
    #[must_use]
    pub fn name(self) -> String {
        if let Self::Cash(provider) = self {
            format!("{}:{}", self.stem(), provider.name())
        } else {
            self.stem().to_owned()
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(provider) = name.strip_prefix("cash:") {
            return Provider::parse(provider).map(Self::Cash);
        }
        let plain = [
            Self::Receivable,
            Self::Revenue,
            Self::ShippingRevenue,
            Self::TaxPayable,
            Self::Discounts,
            Self::Refunds,
            Self::CustomerCredit,
            Self::ProviderFees,
        ];
        plain.into_iter().find(|account| account.stem() == name)
    }
}

/// One side of a transaction. Exactly one of its two amounts is above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The account.
    pub account: Account,
    /// What is debited.
    pub debit: Amount,
    /// What is credited.
    pub credit: Amount,
}

/// A transaction: its debits are its credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The event that it books.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// `payment_confirmed:{payment_id}`, `provider_fee:{payment_id}`, `refund:{refund_id}` or
    /// `refund_failed:{refund_id}`: there is one of each.
    pub reference: String,
    /// The order.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The currency of its amounts.
    pub currency: Currency,
    /// Its entries, one an account.
    pub entries: Vec<Entry>,
}

impl Transaction {
    /// Whether its debits are its credits.
    #[must_use]
    pub fn balances(&self) -> bool {
        let sum = |side: fn(&Entry) -> Amount| {
            self.entries
                .iter()
                .fold(0i64, |sum, entry| sum.saturating_add(side(entry).minor()))
        };
        sum(|entry| entry.debit) == sum(|entry| entry.credit)
    }
}

/// Where a transaction stands in the journal.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) seq: i64,
    pub(crate) at: Timestamp,
}

impl Place {
    /// The place of the event that is being applied.
    pub(crate) fn of(state: &State, at: Timestamp) -> Self {
        let seq = state.lane.seq;
        Self { seq, at }
    }
}

/// The money of a payment came in and paid its order.
pub(crate) fn earned(order: &Order, payment: &Payment, place: Place) -> Option<Transaction> {
    let totals = order.totals;
    let [total, tax, shipping, discount] = [
        totals.total_amount,
        totals.tax_amount,
        totals.shipping_fee,
        totals.discount_amount,
    ]
    .map(Amount::minor);
    let goods = total
        .saturating_sub(tax)
        .saturating_sub(shipping)
        .saturating_add(discount);
    transaction(
        (payment, place),
        format!("payment_confirmed:{}", payment.id),
        &[
            (Account::Cash(payment.provider), payment.amount.minor()),
            (
                Account::Receivable,
                total.saturating_sub(payment.amount.minor()),
            ),
            (Account::Revenue, goods.saturating_neg()),
            (Account::ShippingRevenue, shipping.saturating_neg()),
            (Account::TaxPayable, tax.saturating_neg()),
            (Account::Discounts, discount),
        ],
    )
}

/// The money of a payment came in and paid nothing.
pub(crate) fn unearned(payment: &Payment, place: Place) -> Option<Transaction> {
    let amount = payment.captured_amount.minor();
    transaction(
        (payment, place),
        format!("payment_confirmed:{}", payment.id),
        &[
            (Account::Cash(payment.provider), amount),
            (Account::CustomerCredit, amount.saturating_neg()),
        ],
    )
}

/// What the provider keeps of the money that came in.
pub(crate) fn fee(payment: &Payment, place: Place) -> Option<Transaction> {
    let fee = payment.fee_amount.minor();
    transaction(
        (payment, place),
        format!("provider_fee:{}", payment.id),
        &[
            (Account::ProviderFees, fee),
            (Account::Cash(payment.provider), fee.saturating_neg()),
        ],
    )
}

/// Money went back: what was earned with its share of the tax, or the customer's credit.
pub(crate) fn returned(payment: &Payment, refund: &Refund, place: Place) -> Option<Transaction> {
    let sums = back(payment, refund);
    transaction((payment, place), format!("refund:{}", refund.id), &sums)
}

/// Money that had gone back came again: the payer's bank did not take it.
pub(crate) fn bounced(payment: &Payment, refund: &Refund, place: Place) -> Option<Transaction> {
    let sums = back(payment, refund).map(|(account, sum)| (account, sum.saturating_neg()));
    transaction(
        (payment, place),
        format!("refund_failed:{}", refund.id),
        &sums,
    )
}

fn back(payment: &Payment, refund: &Refund) -> [(Account, i64); 4] {
    let (amount, tax) = (refund.amount.minor(), refund.tax_amount.minor());
    let (goods, tax, credit) = if payment.earned {
        (amount.saturating_sub(tax), tax, 0)
    } else {
        (0, 0, amount)
    };
    [
        (Account::Cash(payment.provider), amount.saturating_neg()),
        (Account::TaxPayable, tax),
        (Account::Refunds, goods),
        (Account::CustomerCredit, credit),
    ]
}

/// Debits are above zero and credits below. What is nothing is left out; a transaction of nothing
/// is none.
fn transaction(
    (payment, place): (&Payment, Place),
    reference: String,
    sums: &[(Account, i64)],
) -> Option<Transaction> {
    let side = |sum: i64| Amount::new(sum.max(0)).unwrap_or_default();
    let entry = |(account, sum): &(Account, i64)| Entry {
        account: *account,
        debit: side(*sum),
        credit: side(sum.saturating_neg()),
    };
    let entries = sums.iter().filter(|(_, sum)| *sum != 0).map(entry);
    let entries: Vec<Entry> = entries.collect();
    (!entries.is_empty()).then_some(Transaction {
        seq: place.seq,
        at: place.at,
        reference,
        order_id: payment.order_id,
        payment_id: payment.id,
        currency: payment.currency,
        entries,
    })
}
