//! Reads the ledger.

use std::collections::BTreeMap;

use domain::ids::{OrderId, TenantId, TypedId as _};
use domain::ledger::{Account, Entry, Transaction};
use domain::money::Currency;
use engine::reader::{AccountBalance, LedgerFilter, Page};
use rows::{Columns as _, ledger};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::columns::{RowColumns, read_all};
use crate::error::Error;
use crate::gather::select;
use crate::lists::Where;
use crate::pipeline::Ask;
use crate::reader::Frozen;

/// One page of transactions, newest first, and whether there are more.
pub(crate) async fn page(
    frozen: &Frozen,
    tenant: TenantId,
    (filter, page): (&LedgerFilter, &Page),
) -> Result<(Vec<Transaction>, bool), Error> {
    let mut conditions = Where::tenant(tenant);
    conditions.and_maybe("reference = ?", Type::TEXT, filter.reference.clone());
    let order = filter.order_id.map(OrderId::uuid);
    conditions.and_maybe("order_id = ?", Type::UUID, order);
    let touches = "EXISTS (SELECT FROM ledger_entries e WHERE \
         e.tenant_id = ledger_transactions.tenant_id AND e.seq = ledger_transactions.seq \
         AND e.account = ?)";
    let account = filter.account.map(Account::name);
    conditions.and_maybe(touches, Type::TEXT, account);
    conditions.page(page, (Some("seq"), "order_id"), false);
    let names = ledger::TRANSACTIONS.names("");
    let asked = conditions.ask(&format!("SELECT {names} FROM ledger_transactions"), "");
    let rows = frozen.one(asked).await?;
    let mut found = with_entries(frozen, tenant, rows).await?;
    let more = found.len() > page.limit;
    found.truncate(page.limit);
    Ok((found, more))
}

/// Transactions behind `after`, oldest first.
pub(crate) async fn behind(
    frozen: &Frozen,
    tenant: TenantId,
    (after, limit): (i64, usize),
) -> Result<Vec<Transaction>, Error> {
    let tail = format!(" ORDER BY seq LIMIT {limit}");
    let sql = select(&ledger::TRANSACTIONS, "seq > $2", &tail);
    let asked = Ask::new(sql).tenant(tenant).with(Type::INT8, after);
    let rows = frozen.one(asked).await?;
    with_entries(frozen, tenant, rows).await
}

async fn with_entries(
    frozen: &Frozen,
    tenant: TenantId,
    rows: Vec<Row>,
) -> Result<Vec<Transaction>, Error> {
    let mut found = read_all(rows, ledger::read)?;
    let names = ledger::ENTRIES.names("");
    let sql = format!(
        "SELECT t.* FROM unnest($2) AS u (seq) CROSS JOIN LATERAL (SELECT {names} \
         FROM ledger_entries WHERE tenant_id = $1 AND seq = u.seq OFFSET 0) AS t \
         ORDER BY seq, position"
    );
    let seqs: Vec<i64> = found.iter().map(|transaction| transaction.seq).collect();
    let asked = Ask::new(sql).tenant(tenant).with(Type::INT8_ARRAY, seqs);
    let mut entries: BTreeMap<i64, Vec<(Currency, Entry)>> = BTreeMap::new();
    for (seq, currency, entry) in read_all(frozen.one(asked).await?, ledger::read_entry)? {
        entries.entry(seq).or_default().push((currency, entry));
    }
    for transaction in &mut found {
        for (currency, entry) in entries.remove(&transaction.seq).unwrap_or_default() {
            if currency != transaction.currency {
                let (column, wanted) = (4, "the currency of the entry's transaction");
                return Err(Error::Unreadable { column, wanted });
            }
            transaction.entries.push(entry);
        }
    }
    Ok(found)
}

/// The whole ledger.
pub(crate) async fn whole(frozen: &Frozen, tenant: TenantId) -> Result<Vec<Transaction>, Error> {
    let mut found = behind(frozen, tenant, (0, usize::MAX >> 1)).await?;
    let alone = "NOT EXISTS (SELECT FROM ledger_transactions t \
         WHERE t.tenant_id = ledger_entries.tenant_id AND t.seq = ledger_entries.seq)";
    let asked = Ask::new(select(&ledger::ENTRIES, alone, "")).tenant(tenant);
    for (seq, currency, _) in read_all(frozen.one(asked).await?, ledger::read_entry)? {
        found.push(ledger::orphan(seq, currency));
    }
    Ok(found)
}

/// Asks what every account comes to.
pub(crate) fn balances(tenant: TenantId) -> Ask<'static> {
    let sql = "SELECT account, currency, SUM(debit)::bigint, SUM(credit)::bigint \
         FROM ledger_entries WHERE tenant_id = $1 GROUP BY currency, account \
         ORDER BY currency COLLATE \"C\", account COLLATE \"C\"";
    Ask::new(sql).tenant(tenant)
}

/// Reads an answer of [`balances`].
pub(crate) fn read_balance(c: &mut RowColumns) -> Result<AccountBalance, Error> {
    Ok(AccountBalance {
        account: c.name(Account::parse)?,
        currency: c.currency()?,
        debit: c.int()?,
        credit: c.int()?,
    })
}
