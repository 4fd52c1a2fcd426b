//! Answers reads from a small pool of connections, each on a blocking thread.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::{LocationId, OrderId, PaymentId, ProductId, TenantId, Uuid, VariantId};
use domain::ledger::Transaction;
use domain::needs::Needs;
use domain::state::State;
use domain::stock::StockLevel;
use domain::tenant::{ApiKey, Tenant};
use domain::time::Timestamp;
use domain::webhook::WebhookEvent;
use engine::reader::{
    AccountBalance, Due, Explanation, HoldFilter, Holds, LedgerFilter, Listed, OpenMoney,
    OrderFilter, OrderStats, Page, ProductFilter, RawEvent, Read, Reader, WebhookFilter,
};
use engine::store::StoreError;
use rows::payment::open_money;
use rows::{Columns as _, event, tenant};
use rusqlite::{Connection, Result};
use tokio::sync::Semaphore;

use crate::cells::text;
use crate::columns::{all, one};
use crate::database::open_connection;
use crate::error::sort;
use crate::ledger;
use crate::lists;
use crate::load::{load, select};
use crate::tenants::tenants;

/// Connections that read at the same time.
const CONNECTIONS: usize = 4;

/// A pool of reading connections.
#[derive(Clone)]
pub struct SqliteReader {
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
    path: Arc<Path>,
}

impl SqliteReader {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let idle = (0..CONNECTIONS)
            .map(|_| connect(path))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            idle: Arc::new(Mutex::new(idle)),
            turns: Arc::new(Semaphore::new(CONNECTIONS)),
            path: path.into(),
        })
    }

    /// Runs `read` in one read transaction, so that all of its queries see the same state.
    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Read<'_, T> {
        Box::pin(async move {
            let gone = |what: &str| StoreError::Unavailable(what.to_owned());
            let turns = Arc::clone(&self.turns);
            let turn = turns
                .acquire_owned()
                .await
                .map_err(|_| gone("the reader is closed"))?;
            let idle = Arc::clone(&self.idle);
            let path = Arc::clone(&self.path);
            let work = move || {
                let _turn = turn;
                let lock = || idle.lock().unwrap_or_else(PoisonError::into_inner);
                let idle = lock().pop();
                // A read that panicked took its connection along.
                let conn = idle.map_or_else(|| connect(&path), Ok).map_err(sort)?;
                let result = in_transaction(&conn, read);
                if conn.is_autocommit() {
                    lock().push(conn);
                }
                result.map_err(sort)
            };
            tokio::task::spawn_blocking(work)
                .await
                .unwrap_or_else(|_| Err(gone("a read failed")))
        })
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let conn = open_connection(path)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn in_transaction<T>(conn: &Connection, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    conn.execute_batch("BEGIN")?;
    let result = read(conn);
    conn.execute_batch("COMMIT")?;
    result
}

/// Keys that fulfil a condition, which may also order them.
fn keys_sql(condition: &str) -> String {
    let names = tenant::KEYS.names("");
    format!("SELECT tenant_id, {names} FROM api_keys {condition}")
}

impl Reader for SqliteReader {
    fn load(&self, tenant: TenantId, needs: Needs) -> Read<'_, State> {
        self.read(move |conn| load(conn, tenant, &needs, None))
    }

    fn tenant(&self, id: TenantId) -> Read<'_, Option<Tenant>> {
        self.read(move |conn| Ok(tenants(conn, "WHERE tenant_id = ?1", &[text(id)])?.pop()))
    }

    fn tenant_by_slug(&self, slug: String) -> Read<'_, Option<Tenant>> {
        self.read(move |conn| Ok(tenants(conn, "WHERE slug = ?1", &[slug])?.pop()))
    }

    fn tenants(&self) -> Read<'_, Vec<Tenant>> {
        self.read(move |conn| tenants(conn, "ORDER BY tenant_id DESC", &[]))
    }

    fn key_by_hash(&self, hash: [u8; 32]) -> Read<'_, Option<ApiKey>> {
        self.read(move |conn| {
            one(conn, &keys_sql("WHERE hash = ?1"), [hash], |c| {
                tenant::read_key(c)
            })
        })
    }

    fn keys(&self, id: TenantId) -> Read<'_, Vec<ApiKey>> {
        self.read(move |conn| {
            let sql = keys_sql("WHERE tenant_id = ?1 ORDER BY key_id DESC");
            all(conn, &sql, [text(id)], |c| tenant::read_key(c))
        })
    }

    fn products(
        &self,
        tenant: TenantId,
        filter: ProductFilter,
        page: Page,
    ) -> Read<'_, Listed<ProductId>> {
        self.read(move |conn| lists::products(conn, tenant, &filter, &page))
    }

    fn orders(
        &self,
        tenant: TenantId,
        filter: OrderFilter,
        page: Page,
    ) -> Read<'_, Listed<OrderId>> {
        self.read(move |conn| lists::orders(conn, tenant, &filter, &page))
    }

    fn order_events(&self, tenant: TenantId, order: OrderId) -> Read<'_, Vec<RawEvent>> {
        self.read(move |conn| {
            let sql = select(&event::EVENTS, " AND order_id = ?2 ORDER BY seq");
            all(conn, &sql, (text(tenant), text(order)), |c| event::read(c))
        })
    }

    fn control_events(&self, tenant: TenantId, limit: usize) -> Read<'_, Vec<RawEvent>> {
        self.read(move |conn| {
            let sql = format!(
                "SELECT {} FROM events INDEXED BY idx_events_control \
                 WHERE tenant_id = ?1 AND type = 'control.moved' ORDER BY seq DESC LIMIT ?2",
                event::EVENTS.names("")
            );
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            all(conn, &sql, (text(tenant), limit), |c| event::read(c))
        })
    }

    fn order_stats(
        &self,
        tenant: TenantId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Read<'_, Vec<OrderStats>> {
        self.read(move |conn| lists::order_stats(conn, tenant, from, to))
    }

    fn levels(
        &self,
        tenant: TenantId,
        variant: Option<VariantId>,
        location: Option<LocationId>,
        page: Page,
    ) -> Read<'_, (Vec<StockLevel>, bool)> {
        self.read(move |conn| lists::levels(conn, tenant, (variant, location), &page))
    }

    fn explain(
        &self,
        tenant: TenantId,
        variant: VariantId,
        movements_max: usize,
    ) -> Read<'_, Explanation> {
        self.read(move |conn| lists::explain(conn, tenant, variant, movements_max))
    }

    fn holds(&self, tenant: TenantId, filter: HoldFilter, page: Page) -> Read<'_, Holds> {
        self.read(move |conn| lists::holds(conn, tenant, &filter, &page))
    }

    fn ledger(
        &self,
        tenant: TenantId,
        filter: LedgerFilter,
        page: Page,
    ) -> Read<'_, (Vec<Transaction>, bool)> {
        self.read(move |conn| ledger::page(conn, tenant, filter, &page))
    }

    fn webhook_events(
        &self,
        tenant: TenantId,
        filter: WebhookFilter,
        page: Page,
    ) -> Read<'_, (Vec<WebhookEvent>, bool)> {
        self.read(move |conn| lists::webhook_events(conn, tenant, filter, &page))
    }

    fn balances(&self, tenant: TenantId) -> Read<'_, Vec<AccountBalance>> {
        self.read(move |conn| ledger::balances(conn, tenant))
    }

    fn due_tenants(&self, now: Timestamp) -> Read<'_, Vec<Due>> {
        self.read(move |conn| {
            // The oldest counting deadline of each lane stands first in its part of the index.
            let sql = "SELECT tenant_id, oldest, paused FROM (SELECT l.tenant_id, \
                 l.cleanup_paused_at IS NOT NULL AS paused, (SELECT MIN(r.expires_at) \
                 FROM stock_reservations r INDEXED BY idx_reservations_expires_at \
                 WHERE r.status = 'active' AND r.tenant_id = l.tenant_id \
                 AND r.expires_at > COALESCE(l.expiry_resumed_at, -1)) AS oldest FROM lanes l \
                 WHERE l.expiry_suspended_at IS NULL AND l.read_only_since IS NULL) \
                 WHERE oldest <= ?1";
            all(conn, sql, [now.millis()], |c| {
                Ok(Due {
                    tenant: c.id()?,
                    oldest: c.time()?,
                    paused: c.flag()?,
                })
            })
        })
    }

    fn payment_named(&self, tenant: TenantId, name: String) -> Read<'_, Option<PaymentId>> {
        self.read(move |conn| {
            let sql = "SELECT payment_id FROM payments WHERE tenant_id = ?1 \
                 AND provider_payment_id = ?2 AND provider NOT IN ('mock', 'manual')";
            one(conn, sql, (text(tenant), name), |c| c.id())
        })
    }

    fn open_money(&self, after: Uuid, limit: usize, now: Timestamp) -> Read<'_, Vec<OpenMoney>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |conn| {
            let sql = "SELECT * FROM (SELECT tenant_id, payment_id, NULL AS refund_id, \
                 stage = 'begun' AS begun, ?3 AS now, \
                 CASE WHEN status = 'pending' THEN expires_at ELSE 0 END AS ends_at \
                 FROM payments WHERE stage <> 'closed' AND payment_id > ?1 \
                 ORDER BY payment_id LIMIT ?2) \
                 UNION ALL SELECT * FROM (SELECT tenant_id, payment_id, refund_id, \
                 status = 'pending', ?3, NULL FROM refunds \
                 WHERE status IN ('requested', 'pending') AND refund_id > ?1 \
                 ORDER BY refund_id LIMIT ?2)";
            all(conn, sql, (after.to_string(), limit, now.millis()), |c| {
                open_money(c)
            })
        })
    }

    fn ping(&self) -> Read<'_, ()> {
        self.read(move |conn| one(conn, "SELECT 1 FROM lanes LIMIT 1", [], |_| Ok(())).map(|_| ()))
    }
}
