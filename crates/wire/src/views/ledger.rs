//! The ledger.

use domain::ledger::{Account, AccountKind, Entry, Transaction};
use engine::reader::AccountBalance;
use serde::Serialize;
use serde_json::Value;

use super::{At, Id};
use crate::schema;

const KINDS: [&str; 5] = ["asset", "liability", "revenue", "contra_revenue", "expense"];

const fn kind(account: Account) -> &'static str {
    match account.kind() {
        AccountKind::Asset => KINDS[0],
        AccountKind::Liability => KINDS[1],
        AccountKind::Revenue => KINDS[2],
        AccountKind::ContraRevenue => KINDS[3],
        AccountKind::Expense => KINDS[4],
    }
}

/// A transaction.
#[derive(Serialize)]
pub struct LedgerTransactionView<'a> {
    seq: i64,
    at: At,
    reference: &'a str,
    order_id: Id,
    payment_id: Id,
    currency: &'a str,
    entries: Vec<EntryView>,
}

#[derive(Serialize)]
struct EntryView {
    account: String,
    debit: i64,
    credit: i64,
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        Self {
            account: entry.account.name(),
            debit: entry.debit.minor(),
            credit: entry.credit.minor(),
        }
    }
}

impl<'a> LedgerTransactionView<'a> {
    /// A transaction with its entries.
    #[must_use]
    pub fn new(transaction: &'a Transaction) -> Self {
        Self {
            seq: transaction.seq,
            at: At(transaction.at),
            reference: &transaction.reference,
            order_id: Id::of(transaction.order_id),
            payment_id: Id::of(transaction.payment_id),
            currency: transaction.currency.code(),
            entries: transaction.entries.iter().map(EntryView::from).collect(),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let entry = schema::answer(&[
            ("account", schema::long_text()),
            ("debit", any()),
            ("credit", any()),
        ]);
        schema::answer(&[
            ("seq", any()),
            ("at", schema::time()),
            ("reference", schema::long_text()),
            ("order_id", schema::uuid()),
            ("payment_id", schema::uuid()),
            ("currency", schema::currency()),
            ("entries", schema::any_list(entry)),
        ])
    }
}

/// What an account comes to in one currency, in minor units.
#[derive(Serialize)]
pub struct LedgerAccountView {
    account: String,
    kind: &'static str,
    currency: String,
    debit: i64,
    credit: i64,
    balance: i64,
}

impl LedgerAccountView {
    /// An account: its balance is what its debits are above its credits.
    #[must_use]
    pub fn new(found: &AccountBalance) -> Self {
        Self {
            account: found.account.name(),
            kind: kind(found.account),
            currency: found.currency.code().to_owned(),
            debit: found.debit,
            credit: found.credit,
            balance: found.debit.saturating_sub(found.credit),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        schema::answer(&[
            ("account", schema::long_text()),
            ("kind", schema::one_of(&KINDS)),
            ("currency", schema::currency()),
            ("debit", any()),
            ("credit", any()),
            ("balance", any()),
        ])
    }
}

/// All accounts, and what they come to together.
#[derive(Serialize)]
pub struct TrialBalanceView {
    balanced: bool,
    totals: Vec<TotalView>,
    accounts: Vec<LedgerAccountView>,
}

#[derive(Serialize)]
struct TotalView {
    currency: String,
    debit: i64,
    credit: i64,
    difference: i64,
}

impl TrialBalanceView {
    /// Of accounts that are sorted by currency.
    #[must_use]
    pub fn new(accounts: &[AccountBalance]) -> Self {
        let of_one_currency = accounts.chunk_by(|one, other| one.currency == other.currency);
        let total = |accounts: &[AccountBalance]| {
            let sum = |side: fn(&AccountBalance) -> i64| {
                accounts.iter().map(side).fold(0, i64::saturating_add)
            };
            let (debit, credit) = (sum(|a| a.debit), sum(|a| a.credit));
            TotalView {
                currency: accounts[0].currency.code().to_owned(),
                debit,
                credit,
                difference: debit.saturating_sub(credit),
            }
        };
        let totals: Vec<TotalView> = of_one_currency.map(total).collect();
        Self {
            balanced: totals.iter().all(|total| total.difference == 0),
            totals,
            accounts: accounts.iter().map(LedgerAccountView::new).collect(),
        }
    }

    /// Its schema.
    #[must_use]
    pub fn schema() -> Value {
        let any = schema::any_integer;
        let total = schema::answer(&[
            ("currency", schema::currency()),
            ("debit", any()),
            ("credit", any()),
            ("difference", any()),
        ]);
        let accounts = schema::any_list(schema::component("LedgerAccount"));
        schema::answer(&[
            ("balanced", schema::flag()),
            ("totals", schema::any_list(total)),
            ("accounts", accounts),
        ])
    }
}
