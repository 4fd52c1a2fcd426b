//! Answers reads, each from one snapshot of the database.

use std::collections::BTreeSet;

use deadpool_postgres::Object;
use domain::ids::{LocationId, OrderId, PaymentId, ProductId, TenantId, TypedId, Uuid, VariantId};
use domain::ledger::Transaction;
use domain::needs::Needs;
use domain::state::State;
use domain::stock::{Movement, StockLevel};
use domain::tenant::{ApiKey, Tenant};
use domain::time::Timestamp;
use domain::webhook::WebhookEvent;
use engine::reader::{
    AccountBalance, Due, Explanation, HoldFilter, Holds, LedgerFilter, Listed, OpenMoney,
    OrderFilter, OrderStats, Page, ProductFilter, RawEvent, Read, Reader, WebhookFilter,
};
use engine::request::platform;
use engine::store::StoreError;
use rows::{Columns as _, event, hold, level, payment, tenant, webhook};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::columns::{RowColumns, read_all};
use crate::connections::Connections;
use crate::error::{Error, sort};
use crate::gather::{Roots, select};
use crate::ledger;
use crate::lists;
use crate::loading::{Loading, Part, basics, lane_ask, read_tenant, tenants_sql};
use crate::pipeline::{Ask, ask, ask_long, name_tenant};
use crate::replica::Replica;
use crate::store::{TimeSource, bring};

/// How often a read that lost its connection is made again, on another one.
const TRIES: usize = 3;

/// Reads on connections of its own.
#[derive(Clone)]
pub struct PostgresReader {
    primary: Connections,
    replica: Option<Replica>,
    time: TimeSource,
}

/// A connection that is held for a transaction, mostly one that reads. Given up half-way, it takes its connection with it.
pub(crate) struct Frozen {
    client: Option<Object>,
    /// Whether what takes long is waited for.
    patient: bool,
}

impl Frozen {
    /// The statements that begin one for a tenant.
    fn begin<'a>(tenant: TenantId) -> [Ask<'a>; 2] {
        let begin = Ask::new("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        [begin, name_tenant(tenant)]
    }

    /// A connection on which nothing has begun.
    pub(crate) async fn idle(connections: &Connections) -> Result<Self, Error> {
        let client = Some(connections.get().await?);
        Ok(Self {
            client,
            patient: false,
        })
    }

    /// Waits for what takes long, here and on the server, from now on.
    pub(crate) async fn patiently(mut self) -> Result<Self, Error> {
        self.patient = true;
        let limits = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
        self.run(limits).await?;
        Ok(self)
    }

    pub(crate) async fn open(connections: &Connections, id: TenantId) -> Result<Self, Error> {
        Self::open_behind(connections, id, Vec::new()).await
    }

    /// The same; `first` comes before anything is seen.
    pub(crate) async fn open_behind(
        connections: &Connections,
        id: TenantId,
        first: Vec<Ask<'static>>,
    ) -> Result<Self, Error> {
        let frozen = Self::idle(connections).await?;
        let [begin, name] = Self::begin(id);
        let asks: Vec<Ask<'_>> = std::iter::once(begin).chain(first).chain([name]).collect();
        frozen.ask(&asks).await?;
        Ok(frozen)
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("it goes only at the end")
    }

    pub(crate) async fn ask(&self, asks: &[Ask<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        if self.patient {
            ask_long(self.client(), asks).await
        } else {
            ask(self.client(), asks).await
        }
    }

    /// The same for one statement.
    pub(crate) async fn one(&self, asked: Ask<'_>) -> Result<Vec<Row>, Error> {
        Ok(self.ask(&[asked]).await?.pop().unwrap_or_default())
    }

    /// Runs a statement without preparing it.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), Error> {
        Ok(self.client().batch_execute(sql).await?)
    }

    /// What hangs on the keys of `needs`.
    pub(crate) async fn load(&self, id: TenantId, needs: &Needs) -> Result<State, Error> {
        let roots = Roots::new(needs);
        let mut asks = vec![(Part::Lane, lane_ask(id, false))];
        asks.extend(basics(id, needs));
        asks.extend(roots.asks(id, false));
        let mut loading = Loading::new(id);
        bring(self.client(), &mut loading, asks).await?;
        Ok(loading.state)
    }

    /// Ends with a page: the ids that were found, and what hangs on them.
    async fn listed<I: TypedId>(
        self,
        id: TenantId,
        (rows, total): (Vec<Row>, Option<i64>),
        page: &Page,
        needs: impl FnOnce(BTreeSet<I>) -> Needs,
    ) -> Result<Listed<I>, Error> {
        let mut found = read_all(rows, lists::read_sorted)?;
        let next = lists::cut(&mut found, page.limit);
        let ids: Vec<I> = found.into_iter().map(|(id, _)| id).collect();
        let state = self.load(id, &needs(ids.iter().copied().collect())).await?;
        self.close().await?;
        Ok(Listed {
            ids,
            next,
            total,
            state,
        })
    }

    pub(crate) async fn close(mut self) -> Result<(), Error> {
        self.ask(&[Ask::new("COMMIT")]).await?;
        self.free();
        Ok(())
    }

    /// Gives the connection back: every answer has come.
    pub(crate) fn free(&mut self) {
        drop(self.client.take());
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

impl PostgresReader {
    /// Reads on these connections; lists on a replica, where there is one.
    #[must_use]
    pub fn new(primary: Connections, replica: Option<Replica>, time: TimeSource) -> Self {
        Self {
            primary,
            replica,
            time,
        }
    }

    /// Makes a list: on the replica while it is fit, else on the primary.
    async fn listed<T, F>(&self, work: impl Fn(Connections) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        if let Some(replica) = &self.replica
            && let Some(connections) = replica.fit()
        {
            match work(connections.clone()).await {
                Ok(done) => return Ok(done),
                Err(error @ (Error::Connect(_) | Error::Silent)) => {
                    replica.leave_out(&error.to_string());
                }
                Err(error) => match sort(error) {
                    StoreError::Lost(why) => replica.leave_out(&why),
                    // Its replay was in the way: this list comes from the primary.
                    StoreError::Conflict => {}
                    other => return Err(other),
                },
            }
        }
        self.again(|| work(self.primary.clone())).await
    }

    /// Makes a read; again on another connection when one is lost.
    async fn again<T, F>(&self, work: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            match work().await.map_err(sort) {
                Err(StoreError::Lost(_)) if tries < TRIES => {}
                other => return other,
            }
        }
    }

    /// One statement in a transaction of its own, in one round trip.
    async fn once(
        &self,
        id: TenantId,
        asked: impl Fn() -> Ask<'static>,
    ) -> Result<Vec<Row>, StoreError> {
        self.again(|| async {
            let mut frozen = Frozen::idle(&self.primary).await?;
            let [begin, name] = Frozen::begin(id);
            let asks = [begin, name, asked(), Ask::new("COMMIT")];
            let answers = frozen.ask(&asks).await?;
            frozen.free();
            Ok(answers.into_iter().nth(2).unwrap_or_default())
        })
        .await
    }

    async fn whole<T>(
        &self,
        id: TenantId,
        asked: impl Fn() -> Ask<'static>,
        read: impl Fn(&mut RowColumns) -> Result<T, Error>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.once(id, asked).await?;
        read_all(rows, read).map_err(sort)
    }

    /// What hangs on the keys of `needs`, in one round trip.
    async fn load_once(&self, id: TenantId, needs: &Needs) -> Result<State, Error> {
        let mut frozen = Frozen::idle(&self.primary).await?;
        let roots = Roots::new(needs);
        let mut asks: Vec<_> = Frozen::begin(id).map(|ask| (Part::Nothing, ask)).into();
        asks.push((Part::Lane, lane_ask(id, false)));
        asks.extend(basics(id, needs));
        asks.extend(roots.asks(id, false));
        asks.push((Part::Nothing, Ask::new("COMMIT")));
        let mut loading = Loading::new(id);
        bring(frozen.client(), &mut loading, asks).await?;
        frozen.free();
        Ok(loading.state)
    }

    async fn list_products(
        connections: Connections,
        id: TenantId,
        (filter, page): (&ProductFilter, &Page),
    ) -> Result<Listed<ProductId>, Error> {
        let frozen = Frozen::open(&connections, id).await?;
        let rows = frozen.one(lists::products(id, filter, page)).await?;
        let needs = |products| Needs {
            products,
            ..Needs::default()
        };
        frozen.listed(id, (rows, None), page, needs).await
    }

    async fn list_orders(
        connections: Connections,
        id: TenantId,
        (filter, page): (&OrderFilter, &Page),
    ) -> Result<Listed<OrderId>, Error> {
        let frozen = Frozen::open(&connections, id).await?;
        let mut asks = vec![lists::orders(id, filter, page)];
        if page.count {
            asks.push(lists::count_orders(id, filter));
        }
        let mut answers = frozen.ask(&asks).await?.into_iter();
        let rows = answers.next().unwrap_or_default();
        let counted = answers.next().unwrap_or_default();
        let total = read_all(counted, rows::Columns::int)?.pop();
        let needs = |orders| Needs {
            orders,
            ..Needs::default()
        };
        frozen.listed(id, (rows, total), page, needs).await
    }

    /// Walks each level's chain of movements back from its last one; no index is needed.
    async fn explained(
        &self,
        id: TenantId,
        variant: VariantId,
        movements_max: usize,
    ) -> Result<Explanation, Error> {
        let frozen = Frozen::open(&self.primary, id).await?;
        let levels = lists::levels(id, (Some(variant), None), (1_000, 0));
        let sql = select(
            &hold::HOLDS,
            "variant_id = $2 AND status = 'active'",
            " ORDER BY expires_at LIMIT 1000",
        );
        let holds = Ask::new(sql).tenant(id).with(Type::UUID, variant.uuid());
        let mut answers = frozen.ask(&[levels, holds]).await?.into_iter();
        let levels = read_all(answers.next().unwrap_or_default(), level::read)?;
        let holds = read_all(answers.next().unwrap_or_default(), hold::read)?;
        let mut heads: BTreeSet<(i64, LocationId)> = levels
            .iter()
            .map(|level| (level.last_seq, level.location_id))
            .collect();
        let mut movements: Vec<(RawEvent, Movement)> = Vec::new();
        while movements.len() < movements_max {
            let Some((seq, location)) = heads.pop_last().filter(|(seq, _)| *seq > 0) else {
                break;
            };
            let sql = select(&event::EVENTS, "seq = $2", "");
            let rows = frozen.one(Ask::new(sql).tenant(id).with(Type::INT8, seq));
            let Some(found) = read_all(rows.await?, event::read)?.pop() else {
                break;
            };
            let here = |m: &&Movement| m.variant_id == variant && m.location_id == location;
            let Some(movement) = found.movements.iter().find(here).cloned() else {
                break;
            };
            heads.insert((movement.previous_seq, location));
            movements.push((found, movement));
        }
        frozen.close().await?;
        Ok(Explanation {
            levels,
            holds,
            movements,
        })
    }
}

fn keys_sql(from: &str, tail: &str) -> String {
    let names = tenant::KEYS.names("");
    format!("SELECT tenant_id, {names} FROM {from}{tail}")
}

impl Reader for PostgresReader {
    fn load(&self, tenant: TenantId, needs: Needs) -> Read<'_, State> {
        Box::pin(async move { self.again(|| self.load_once(tenant, &needs)).await })
    }

    fn tenant(&self, id: TenantId) -> Read<'_, Option<Tenant>> {
        Box::pin(async move {
            let sql = tenants_sql("tenants", "tenant_timeouts", "WHERE t.tenant_id = $1");
            let asked = || Ask::new(sql.clone()).tenant(id);
            Ok(self.whole(id, asked, read_tenant).await?.pop())
        })
    }

    fn tenant_by_slug(&self, slug: String) -> Read<'_, Option<Tenant>> {
        Box::pin(async move {
            let found = "stockhold_tenants(stockhold_slugs(ARRAY[$1]))";
            let sql = tenants_sql(found, "stockhold_timeouts(ARRAY[t.tenant_id])", "");
            let asked = || Ask::new(sql.clone()).with(Type::TEXT, slug.clone());
            Ok(self.whole(platform(), asked, read_tenant).await?.pop())
        })
    }

    fn tenants(&self) -> Read<'_, Vec<Tenant>> {
        Box::pin(async move {
            let asked = || all_tenants("DESC");
            self.whole(platform(), asked, read_tenant).await
        })
    }

    fn key_by_hash(&self, hash: [u8; 32]) -> Read<'_, Option<ApiKey>> {
        Box::pin(async move {
            let sql = keys_sql("stockhold_key_by_hash($1)", "");
            let asked = || Ask::new(sql.clone()).with(Type::BYTEA, hash.to_vec());
            let found = self.whole(platform(), asked, tenant::read_key).await?;
            Ok(found.into_iter().next())
        })
    }

    fn keys(&self, id: TenantId) -> Read<'_, Vec<ApiKey>> {
        Box::pin(async move {
            let sql = keys_sql("api_keys", " WHERE tenant_id = $1 ORDER BY key_id DESC");
            let asked = || Ask::new(sql.clone()).tenant(id);
            self.whole(id, asked, tenant::read_key).await
        })
    }

    fn products(
        &self,
        tenant: TenantId,
        filter: ProductFilter,
        page: Page,
    ) -> Read<'_, Listed<ProductId>> {
        Box::pin(async move {
            self.listed(|on| Self::list_products(on, tenant, (&filter, &page)))
                .await
        })
    }

    fn orders(
        &self,
        tenant: TenantId,
        filter: OrderFilter,
        page: Page,
    ) -> Read<'_, Listed<OrderId>> {
        Box::pin(async move {
            self.listed(|on| Self::list_orders(on, tenant, (&filter, &page)))
                .await
        })
    }

    fn order_events(&self, id: TenantId, order: OrderId) -> Read<'_, Vec<RawEvent>> {
        Box::pin(async move {
            let sql = select(&event::EVENTS, "order_id = $2", " ORDER BY seq");
            let asked = || {
                let ask = Ask::new(sql.clone()).tenant(id);
                ask.with(Type::UUID, order.uuid())
            };
            self.whole(id, asked, event::read).await
        })
    }

    fn control_events(&self, id: TenantId, limit: usize) -> Read<'_, Vec<RawEvent>> {
        Box::pin(async move {
            let tail = format!(" ORDER BY seq DESC LIMIT {limit}");
            let sql = select(&event::EVENTS, "type = 'control.moved'", &tail);
            let asked = || Ask::new(sql.clone()).tenant(id);
            self.whole(id, asked, event::read).await
        })
    }

    fn order_stats(
        &self,
        id: TenantId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Read<'_, Vec<OrderStats>> {
        Box::pin(async move {
            self.listed(|on| async move {
                let frozen = Frozen::open(&on, id).await?;
                let rows = frozen.one(lists::order_stats(id, from, to)).await?;
                frozen.close().await?;
                read_all(rows, lists::read_stats)
            })
            .await
        })
    }

    fn levels(
        &self,
        id: TenantId,
        variant: Option<VariantId>,
        location: Option<LocationId>,
        page: Page,
    ) -> Read<'_, (Vec<StockLevel>, bool)> {
        Box::pin(async move {
            let Some(place) = lists::level_page(&page) else {
                return Ok((Vec::new(), false));
            };
            let asked = || lists::levels(id, (variant, location), place);
            let found = self.whole(id, asked, level::read).await?;
            Ok(lists::cut_levels(found, page.limit))
        })
    }

    fn explain(
        &self,
        tenant: TenantId,
        variant: VariantId,
        movements_max: usize,
    ) -> Read<'_, Explanation> {
        Box::pin(async move {
            self.again(|| self.explained(tenant, variant, movements_max))
                .await
        })
    }

    fn holds(&self, id: TenantId, filter: HoldFilter, page: Page) -> Read<'_, Holds> {
        Box::pin(async move {
            let asked = || lists::holds(id, &filter, &page);
            let mut holds = self.whole(id, asked, hold::read).await?;
            let more = holds.len() > page.limit;
            holds.truncate(page.limit);
            let last = holds.last().filter(|_| more);
            let next = last.map(|hold| (hold.reserved_at.millis(), hold.id));
            Ok(Holds { holds, next })
        })
    }

    fn ledger(
        &self,
        id: TenantId,
        filter: LedgerFilter,
        page: Page,
    ) -> Read<'_, (Vec<Transaction>, bool)> {
        Box::pin(async move {
            self.again(|| async {
                let frozen = Frozen::open(&self.primary, id).await?;
                let found = ledger::page(&frozen, id, (&filter, &page)).await?;
                frozen.close().await?;
                Ok(found)
            })
            .await
        })
    }

    fn webhook_events(
        &self,
        id: TenantId,
        filter: WebhookFilter,
        page: Page,
    ) -> Read<'_, (Vec<WebhookEvent>, bool)> {
        Box::pin(async move {
            let asked = || lists::webhook_events(id, filter, &page);
            let mut found = self.whole(id, asked, webhook::read).await?;
            let more = found.len() > page.limit;
            found.truncate(page.limit);
            Ok((found, more))
        })
    }

    fn balances(&self, id: TenantId) -> Read<'_, Vec<AccountBalance>> {
        Box::pin(async move {
            let asked = || ledger::balances(id);
            self.whole(id, asked, ledger::read_balance).await
        })
    }

    fn due_tenants(&self, now: Timestamp) -> Read<'_, Vec<Due>> {
        Box::pin(async move {
            // What decides is the clock that decides.
            let at = (self.time == TimeSource::Caller).then_some(now.millis());
            let sql = "SELECT tenant_id, oldest, paused FROM stockhold_due($1)";
            let asked = || Ask::new(sql).with(Type::INT8, at);
            let read = |c: &mut RowColumns| {
                Ok(Due {
                    tenant: c.id()?,
                    oldest: c.time()?,
                    paused: c.flag()?,
                })
            };
            self.whole(platform(), asked, read).await
        })
    }

    fn payment_named(&self, id: TenantId, name: String) -> Read<'_, Option<PaymentId>> {
        Box::pin(async move {
            let sql = "SELECT payment_id FROM payments WHERE tenant_id = $1 \
                 AND provider_payment_id = $2 AND provider NOT IN ('mock', 'manual')";
            let asked = || Ask::new(sql).tenant(id).with(Type::TEXT, name.clone());
            Ok(self
                .whole(id, asked, |c: &mut RowColumns| c.id())
                .await?
                .pop())
        })
    }

    fn open_money(&self, after: Uuid, limit: usize, now: Timestamp) -> Read<'_, Vec<OpenMoney>> {
        Box::pin(async move {
            let at = (self.time == TimeSource::Caller).then_some(now.millis());
            let sql = "SELECT tenant_id, payment_id, refund_id, begun, \
                 COALESCE($3, (EXTRACT(EPOCH FROM now()) * 1000)::bigint), ends_at \
                 FROM stockhold_open($1, $2)";
            let most = i64::try_from(limit).unwrap_or(i64::MAX);
            let asked = || {
                let ask = Ask::new(sql).with(Type::UUID, after);
                ask.with(Type::INT8, most).with(Type::INT8, at)
            };
            self.whole(platform(), asked, payment::open_money).await
        })
    }

    fn ping(&self) -> Read<'_, ()> {
        Box::pin(async move {
            self.once(platform(), || Ask::new("SELECT 1"))
                .await
                .map(|_| ())
        })
    }
}

/// All tenants in the order of their ids.
pub(crate) fn all_tenants(way: &str) -> Ask<'static> {
    let tail = format!("ORDER BY t.tenant_id {way}");
    let timeouts = "stockhold_timeouts(ARRAY[t.tenant_id])";
    Ask::new(tenants_sql("stockhold_tenants(NULL)", timeouts, &tail))
}
