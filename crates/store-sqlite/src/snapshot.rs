//! A frozen view of the whole database, for `audit` and `export`: one read transaction, beside any server.

use std::collections::BTreeSet;
use std::path::Path;

use domain::ids::{OrderId, ProductId, TenantId, TypedId};
use domain::ledger::Transaction;
use domain::needs::Needs;
use domain::state::State;
use domain::tenant::Tenant;
use engine::reader::{Pages, RawEvent, Snapshot};
use engine::store::StoreError;
use rows::{Columns as _, catalogue, event, hold, level, order, payment};
use rusqlite::{Connection, OpenFlags, Result};

use crate::cells::text;
use crate::columns::{all, one};
use crate::error::sort;
use crate::ledger;
use crate::load::{load, select};
use crate::tenants::tenants;

/// A read transaction on a connection of its own.
pub struct SqliteSnapshot(Connection);

impl SqliteSnapshot {
    /// Freezes the database as it is now. The file must exist.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            let conn = Connection::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?;
            conn.busy_timeout(std::time::Duration::from_secs(5))?;
            conn.pragma_update(None, "query_only", true)?;
            conn.execute_batch("BEGIN")?;
            one(&conn, "SELECT 1 FROM sqlite_master LIMIT 1", [], |_| Ok(()))?;
            Ok(conn)
        };
        open().map(Self).map_err(sort)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.0
    }

    fn whole(&self, id: TenantId) -> Result<State> {
        let (conn, tenant) = (&self.0, text(id));
        let mut state = load(conn, id, &Needs::default(), None)?;
        let sql = select(&catalogue::PRODUCTS, "");
        for product in all(conn, &sql, [&tenant], |c| catalogue::read_product(c))? {
            state.load_product(product);
        }
        let sql = select(&catalogue::VARIANTS, "");
        for variant in all(conn, &sql, [&tenant], |c| catalogue::read_variant(c))? {
            state.load_variant(variant);
        }
        let sql = select(&level::LEVELS, "");
        for level in all(conn, &sql, [&tenant], |c| level::read(c))? {
            state.levels.load(level.key(), level);
        }
        let sql = select(&order::ORDERS, "");
        for order in all(conn, &sql, [&tenant], |c| order::read(c))? {
            state.orders.load(order.id, order);
        }
        let sql = select(&order::ITEMS, " ORDER BY order_id, position");
        for (order_id, item) in all(conn, &sql, [&tenant], |c| order::read_item(c))? {
            let push = |order: &mut domain::order::Order| order.items.push(item);
            state.orders.change(&order_id, push);
        }
        let sql = select(&hold::HOLDS, "");
        for hold in all(conn, &sql, [&tenant], |c| hold::read(c))? {
            state.holds.load((hold.order_id, hold.id), hold);
        }
        let sql = select(&payment::PAYMENTS, "");
        for payment in all(conn, &sql, [&tenant], |c| payment::read(c))? {
            state.payments.load((payment.order_id, payment.id), payment);
        }
        let sql = select(&payment::REFUNDS, "");
        for refund in all(conn, &sql, [&tenant], |c| payment::read_refund(c))? {
            state.refunds.load((refund.order_id, refund.id), refund);
        }
        for transaction in ledger::whole(conn, id)? {
            state.ledger.load(transaction.seq, transaction);
        }
        state.settle();
        Ok(state)
    }
}

impl Snapshot for SqliteSnapshot {
    fn tenants(&mut self) -> Result<Vec<Tenant>, StoreError> {
        tenants(&self.0, "ORDER BY tenant_id", &[]).map_err(sort)
    }

    fn whole_state(&mut self, tenant: TenantId) -> Result<State, StoreError> {
        self.whole(tenant).map_err(sort)
    }

    fn events(
        &mut self,
        tenant: TenantId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<RawEvent>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = select(&event::EVENTS, " AND seq > ?2 ORDER BY seq LIMIT ?3");
        all(&self.0, &sql, (text(tenant), after, limit), |c| {
            event::read(c)
        })
        .map_err(sort)
    }
}

impl Pages for SqliteSnapshot {
    fn ledger(
        &mut self,
        tenant: TenantId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Transaction>, StoreError> {
        ledger::behind(&self.0, tenant, after, limit).map_err(sort)
    }

    fn products(
        &mut self,
        tenant: TenantId,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<State, StoreError> {
        let sql = "SELECT product_id FROM products WHERE tenant_id = ?1 AND product_id > ?2 \
             ORDER BY product_id LIMIT ?3";
        self.page((tenant, sql), after.map(text), limit, |products| Needs {
            products,
            ..Needs::default()
        })
    }

    fn orders(
        &mut self,
        tenant: TenantId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<State, StoreError> {
        let sql = "SELECT order_id FROM orders WHERE tenant_id = ?1 AND order_id > ?2 \
             ORDER BY order_id LIMIT ?3";
        self.page((tenant, sql), after.map(text), limit, |orders| Needs {
            orders,
            ..Needs::default()
        })
    }
}

impl SqliteSnapshot {
    /// What hangs on the ids of one page.
    fn page<I: TypedId + Ord>(
        &self,
        (tenant, sql): (TenantId, &str),
        after: Option<String>,
        limit: usize,
        needs: impl FnOnce(BTreeSet<I>) -> Needs,
    ) -> Result<State, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let key = (text(tenant), after.unwrap_or_default(), limit);
        let ids = all(&self.0, sql, key, |c| c.id()).map_err(sort)?;
        let needs = needs(ids.into_iter().collect());
        load(&self.0, tenant, &needs, None).map_err(sort)
    }
}
