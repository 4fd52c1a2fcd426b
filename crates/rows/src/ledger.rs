//! `ledger_transactions` and `ledger_entries`: append-only.

use domain::ids::{OrderId, PaymentId, TypedId as _, Uuid};
use domain::ledger::{Account, Entry, Transaction};
use domain::money::Currency;
use domain::time::Timestamp;

use crate::cell::{Cell, id};
use crate::columns::Columns;
use crate::table::Kind::{Id, Int, Text};
use crate::table::{Table, fixed};

/// Transactions, by the events that they book.
pub const TRANSACTIONS: Table = Table {
    name: "ledger_transactions",
    key: 1,
    columns: &[
        fixed("seq", Int),
        fixed("at", Int),
        fixed("reference", Text),
        fixed("order_id", Id),
        fixed("payment_id", Id),
        fixed("currency", Text),
    ],
};

/// Their entries, one an account, in the order of the accounts.
pub const ENTRIES: Table = Table {
    name: "ledger_entries",
    key: 2,
    columns: &[
        fixed("seq", Int),
        fixed("position", Int),
        fixed("account", Text),
        fixed("currency", Text),
        fixed("debit", Int),
        fixed("credit", Int),
    ],
};

/// Reads a transaction without its entries.
pub fn read<C: Columns>(c: &mut C) -> Result<Transaction, C::Error> {
    Ok(Transaction {
        seq: c.int()?,
        at: c.time()?,
        reference: c.text()?,
        order_id: c.id()?,
        payment_id: c.id()?,
        currency: c.currency()?,
        entries: Vec::new(),
    })
}

/// The cells of a transaction.
#[must_use]
pub fn cells(transaction: &Transaction) -> Vec<Cell<'_>> {
    vec![
        transaction.seq.into(),
        transaction.at.into(),
        (&transaction.reference).into(),
        id(transaction.order_id),
        id(transaction.payment_id),
        transaction.currency.into(),
    ]
}

/// Reads an entry, with its transaction's number and its currency.
pub fn read_entry<C: Columns>(c: &mut C) -> Result<(i64, Currency, Entry), C::Error> {
    let (seq, _position) = (c.int()?, c.int()?);
    let account = c.name(Account::parse)?;
    let currency = c.currency()?;
    let entry = Entry {
        account,
        debit: c.amount()?,
        credit: c.amount()?,
    };
    Ok((seq, currency, entry))
}

/// The cells of a transaction's entries.
pub fn entry_cells(transaction: &Transaction) -> impl Iterator<Item = Vec<Cell<'_>>> {
    let entries = (0i64..).zip(&transaction.entries);
    entries.map(|(position, entry)| {
        vec![
            transaction.seq.into(),
            position.into(),
            entry.account.name().into(),
            transaction.currency.into(),
            entry.debit.into(),
            entry.credit.into(),
        ]
    })
}

/// Entries of no transaction, as one that no event gives: `audit` finds it.
#[must_use]
pub fn orphan(seq: i64, currency: Currency) -> Transaction {
    Transaction {
        seq,
        at: Timestamp::EPOCH,
        reference: "entries without a transaction".to_owned(),
        order_id: OrderId::from_uuid(Uuid::nil()),
        payment_id: PaymentId::from_uuid(Uuid::nil()),
        currency,
        entries: Vec::new(),
    }
}
