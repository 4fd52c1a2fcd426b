//! A frozen view of the whole database, for `audit` and `export`: one read transaction, beside any
//! servers.

use std::collections::BTreeSet;

use domain::ids::{OrderId, ProductId, TenantId, TypedId};
use domain::ledger::Transaction;
use domain::needs::Needs;
use domain::state::State;
use domain::tenant::Tenant;
use engine::reader::{Pages, RawEvent, Snapshot};
use engine::request::platform;
use engine::store::StoreError;
use rows::{Columns as _, catalogue, event, hold, level, order, payment};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::address::Address;
use crate::apart::Apart;
use crate::columns::{RowColumns, read_all};
use crate::connections::Connections;
use crate::error::{Error, sort};
use crate::gather::select;
use crate::ledger;
use crate::lists;
use crate::loading::{Loading, Part, read_tenant};
use crate::pipeline::{Ask, name_tenant};
use crate::reader::{Frozen, all_tenants};

/// A read transaction on a connection of its own. It works on a runtime of its own, so that it may
/// be used from anywhere; each call blocks until its answer is there.
pub struct PostgresSnapshot {
    frozen: Frozen,
    runtime: Apart,
}

impl PostgresSnapshot {
    /// Freezes the database as it is now.
    pub fn open(address: &Address) -> Result<Self, StoreError> {
        Self::begin(address, Vec::new())
    }

    /// Freezes it and lets nobody write to it as long as the view is open.
    pub fn open_alone(address: &Address) -> Result<Self, StoreError> {
        // Every write moves a lane.
        Self::begin(address, vec![Ask::new("LOCK TABLE lanes IN SHARE MODE")])
    }

    fn begin(address: &Address, first: Vec<Ask<'static>>) -> Result<Self, StoreError> {
        let runtime = Apart::new()?;
        let open = async {
            let connections = Connections::new(address, 1)?;
            let frozen = Frozen::open_behind(&connections, platform(), first).await?;
            frozen.patiently().await
        };
        let frozen = runtime.wait(open).map_err(sort)?;
        Ok(Self { frozen, runtime })
    }

    fn wait<T: Send>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, StoreError> {
        self.runtime.wait(work).map_err(sort)
    }

    /// Asks one thing for a tenant.
    pub(crate) fn ask(&self, tenant: TenantId, asked: Ask<'_>) -> Result<Vec<Row>, StoreError> {
        self.wait(async {
            self.turn_to(tenant).await?;
            self.frozen.one(asked).await
        })
    }

    /// Runs a statement that is not run again, for a tenant.
    pub(crate) fn run(&self, tenant: TenantId, sql: String) -> Result<(), StoreError> {
        self.wait(async {
            self.turn_to(tenant).await?;
            self.frozen.run(&sql).await
        })
    }

    /// Turns to a tenant.
    async fn turn_to(&self, tenant: TenantId) -> Result<(), Error> {
        self.frozen.one(name_tenant(tenant)).await.map(|_| ())
    }

    async fn whole(&self, tenant: TenantId) -> Result<State, Error> {
        self.turn_to(tenant).await?;
        let state = self.frozen.load(tenant, &Needs::default()).await?;
        let mut loading = Loading {
            state,
            ..Loading::default()
        };
        for (part, table, tail) in [
            (Part::Products, &catalogue::PRODUCTS, ""),
            (Part::Variants, &catalogue::VARIANTS, ""),
            (Part::Levels, &level::LEVELS, ""),
            (Part::Orders, &order::ORDERS, ""),
            (Part::Items, &order::ITEMS, " ORDER BY order_id, position"),
            (Part::Holds, &hold::HOLDS, ""),
            (Part::Payments, &payment::PAYMENTS, ""),
            (Part::Refunds, &payment::REFUNDS, ""),
        ] {
            let rows: Vec<Row> = self
                .frozen
                .one(Ask::new(select(table, "true", tail)).tenant(tenant))
                .await?;
            loading.take(part, rows)?;
        }
        for transaction in ledger::whole(&self.frozen, tenant).await? {
            let seq = transaction.seq;
            loading.state.ledger.load(seq, transaction);
        }
        loading.state.settle();
        Ok(loading.state)
    }

    /// What hangs on the ids of one page.
    async fn page<I: TypedId + Ord + Send + Sync>(
        &self,
        list: (&str, &str),
        tenant: TenantId,
        (after, limit): (Option<I>, usize),
        needs: impl FnOnce(BTreeSet<I>) -> Needs + Send,
    ) -> Result<State, Error> {
        self.turn_to(tenant).await?;
        let after = after.map(TypedId::uuid);
        let rows = self
            .frozen
            .one(lists::ids_behind(list, tenant, after, limit))
            .await?;
        let ids = read_all(rows, |c: &mut RowColumns| c.id::<I>())?;
        self.frozen
            .load(tenant, &needs(ids.into_iter().collect()))
            .await
    }
}

impl Snapshot for PostgresSnapshot {
    fn tenants(&mut self) -> Result<Vec<Tenant>, StoreError> {
        self.wait(async {
            let rows = self.frozen.one(all_tenants("ASC")).await?;
            read_all(rows, read_tenant)
        })
    }

    fn whole_state(&mut self, tenant: TenantId) -> Result<State, StoreError> {
        self.wait(self.whole(tenant))
    }

    fn events(
        &mut self,
        tenant: TenantId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<RawEvent>, StoreError> {
        self.wait(async {
            self.turn_to(tenant).await?;
            let tail = format!(" ORDER BY seq LIMIT {limit}");
            let sql = select(&event::EVENTS, "seq > $2", &tail);
            let ask = Ask::new(sql).tenant(tenant).with(Type::INT8, after);
            read_all(self.frozen.one(ask).await?, event::read)
        })
    }
}

impl Pages for PostgresSnapshot {
    fn ledger(
        &mut self,
        tenant: TenantId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Transaction>, StoreError> {
        self.wait(async {
            self.turn_to(tenant).await?;
            ledger::behind(&self.frozen, tenant, (after, limit)).await
        })
    }

    fn products(
        &mut self,
        tenant: TenantId,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<State, StoreError> {
        let list = ("products", "product_id");
        self.wait(self.page(list, tenant, (after, limit), |products| Needs {
            products,
            ..Needs::default()
        }))
    }

    fn orders(
        &mut self,
        tenant: TenantId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<State, StoreError> {
        let list = ("orders", "order_id");
        self.wait(self.page(list, tenant, (after, limit), |orders| Needs {
            orders,
            ..Needs::default()
        }))
    }
}
