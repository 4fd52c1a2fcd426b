//! The ledger: double entry, an entry a row, transaction by transaction in their order.

use anyhow::Result;
use domain::ids::TypedId as _;
use domain::ledger::Transaction;

use super::sink::Sink;
use super::{Frozen, PAGE};

pub(super) fn ledger(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    sink.columns(&[
        "at",
        "reference",
        "order_id",
        "payment_id",
        "account",
        "currency",
        "debit",
        "credit",
    ])?;
    let tenant = frozen.tenant.id;
    let mut after = 0;
    loop {
        let page = frozen.snapshot.ledger(tenant, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.seq;
        for transaction in &page {
            write(sink, transaction)?;
        }
    }
}

fn write(sink: &mut Sink, transaction: &Transaction) -> Result<()> {
    for entry in &transaction.entries {
        sink.row(&[
            wire::time::format(transaction.at).into(),
            transaction.reference.clone().into(),
            transaction.order_id.uuid().to_string().into(),
            transaction.payment_id.uuid().to_string().into(),
            entry.account.name().into(),
            transaction.currency.code().to_owned().into(),
            entry.debit.minor().into(),
            entry.credit.minor().into(),
        ])?;
    }
    Ok(())
}
