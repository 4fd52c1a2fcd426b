//! Reads the ledger.

use domain::ids::TenantId;
use domain::ledger::{Account, Transaction};
use engine::reader::{AccountBalance, LedgerFilter, Page};
use rows::{Columns as _, ledger};
use rusqlite::{Connection, Params, Result, params_from_iter};

use crate::cells::text;
use crate::columns::{RowColumns, all};
use crate::error::unreadable;
use crate::lists::Where;
use crate::load::select;

/// One page of transactions, newest first, and whether there are more.
pub(crate) fn page(
    conn: &Connection,
    tenant: TenantId,
    filter: LedgerFilter,
    page: &Page,
) -> Result<(Vec<Transaction>, bool)> {
    let mut conditions = Where::tenant(tenant);
    conditions.and_maybe("reference = ?", filter.reference);
    conditions.and_maybe("order_id = ?", filter.order_id.map(text));
    let touches = "EXISTS (SELECT 1 FROM ledger_entries e WHERE \
         e.tenant_id = ledger_transactions.tenant_id AND e.seq = ledger_transactions.seq \
         AND e.account = ?)";
    conditions.and_maybe(touches, filter.account.map(Account::name));
    let tail = conditions.page(page, (Some("seq"), "order_id"), false);
    let names = ledger::TRANSACTIONS.names("");
    let sql = format!("SELECT {names} FROM ledger_transactions {tail}");
    let mut found = transactions(conn, tenant, &sql, params_from_iter(&conditions.values))?;
    let more = found.len() > page.limit;
    found.truncate(page.limit);
    Ok((found, more))
}

/// Transactions behind `after`, oldest first.
pub(crate) fn behind(
    conn: &Connection,
    tenant: TenantId,
    after: i64,
    limit: usize,
) -> Result<Vec<Transaction>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = select(&ledger::TRANSACTIONS, " AND seq > ?2 ORDER BY seq LIMIT ?3");
    transactions(conn, tenant, &sql, (text(tenant), after, limit))
}

fn transactions(
    conn: &Connection,
    tenant: TenantId,
    sql: &str,
    params: impl Params,
) -> Result<Vec<Transaction>> {
    let mut found = all(conn, sql, params, |c| ledger::read(c))?;
    let sql = select(&ledger::ENTRIES, " AND seq = ?2 ORDER BY position");
    for transaction in &mut found {
        let entries = all(conn, &sql, (text(tenant), transaction.seq), |c| {
            ledger::read_entry(c)
        })?;
        for (_, currency, entry) in entries {
            if currency != transaction.currency {
                return Err(unreadable(3, "the currency of the entry's transaction"));
            }
            transaction.entries.push(entry);
        }
    }
    Ok(found)
}

/// The whole ledger.
pub(crate) fn whole(conn: &Connection, tenant: TenantId) -> Result<Vec<Transaction>> {
    let mut found = behind(conn, tenant, 0, usize::MAX)?;
    let alone = " AND NOT EXISTS (SELECT 1 FROM ledger_transactions t \
         WHERE t.tenant_id = ledger_entries.tenant_id AND t.seq = ledger_entries.seq)";
    let sql = select(&ledger::ENTRIES, alone);
    for (seq, currency, _) in all(conn, &sql, [text(tenant)], |c| ledger::read_entry(c))? {
        found.push(ledger::orphan(seq, currency));
    }
    Ok(found)
}

/// What every account comes to.
pub(crate) fn balances(conn: &Connection, tenant: TenantId) -> Result<Vec<AccountBalance>> {
    let sql = "SELECT account, currency, SUM(debit), SUM(credit) FROM ledger_entries \
         WHERE tenant_id = ?1 GROUP BY currency, account ORDER BY currency, account";
    let read = |c: &mut RowColumns<'_, '_>| {
        Ok(AccountBalance {
            account: c.name(Account::parse)?,
            currency: c.currency()?,
            debit: c.int()?,
            credit: c.int()?,
        })
    };
    all(conn, sql, [text(tenant)], read)
}
