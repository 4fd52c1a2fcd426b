//! A whole PostgreSQL as the source or the target of a copy.

use std::collections::BTreeMap;

use domain::ids::{TenantId, TypedId as _};
use engine::reader::Snapshot as _;
use engine::request::platform;
use engine::store::StoreError;
use rows::copy::{PAGE, Row, Source, Take, Target, read};
use rows::{Cell, Columns as _, Kind, Table, answer, cart, tenant};
use tokio_postgres::types::Type;

use crate::address::Address;
use crate::apart::Apart;
use crate::arrays::Arrays;
use crate::columns::{RowColumns, read_all};
use crate::connections::Connections;
use crate::error::{Error, sort};
use crate::pipeline::{Ask, name_tenant};
use crate::reader::Frozen;
use crate::snapshot::PostgresSnapshot;
use crate::write::{insert_sql, update_sql};

/// In which order a table's rows come: by key, texts by their bytes.
fn order(table: &Table) -> String {
    if table.name == cart::ITEMS.name {
        return "cart_id, inserted".to_owned();
    }
    if table.name == answer::ANSWERS.name {
        return "created_at, key".to_owned();
    }
    let keys = table.key().iter().map(|column| match column.kind {
        Kind::Text => format!("{} COLLATE \"C\"", column.name),
        _ => column.name.to_owned(),
    });
    let keys: Vec<String> = std::iter::once("tenant_id".to_owned())
        .chain(keys)
        .collect();
    keys.join(", ")
}

impl Source for PostgresSnapshot {
    fn lanes(&mut self) -> Result<Vec<TenantId>, StoreError> {
        let tenants = self.tenants()?.into_iter().map(|tenant| tenant.id);
        Ok(std::iter::once(platform()).chain(tenants).collect())
    }

    fn count(&mut self, table: &Table, tenant: TenantId) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {} WHERE tenant_id = $1", table.name);
        let rows = self.ask(tenant, Ask::new(sql).tenant(tenant))?;
        let counts = read_all(rows, |c: &mut RowColumns| c.int()).map_err(sort)?;
        Ok(counts.first().map_or(0, |count| count.unsigned_abs()))
    }

    fn rows(
        &mut self,
        table: &Table,
        tenant: TenantId,
        skip: u64,
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        let (names, name, order) = (table.names(""), table.name, order(table));
        let id = tenant.uuid();
        let open = format!(
            "DECLARE copied_{name} NO SCROLL CURSOR FOR SELECT {names} FROM {name} \
             WHERE tenant_id = '{id}' ORDER BY {order} OFFSET {skip}"
        );
        self.run(tenant, open)?;
        loop {
            // A name of its own: the prepared statement knows its columns.
            let fetch = Ask::new(format!("FETCH {PAGE} FROM copied_{name}"));
            let page = self.ask(tenant, fetch)?;
            let page = read_all(page, |c: &mut RowColumns| read(table, c)).map_err(sort)?;
            if page.is_empty() {
                return self.run(tenant, format!("CLOSE copied_{name}"));
            }
            take(page)?;
        }
    }
}

/// A PostgreSQL that is filled, by one copy at a time.
pub struct PostgresTarget {
    work: Frozen,
    source: String,
    runtime: Apart,
}

/// The advisory lock of whoever copies into the database: "stockhol" as a number, and one. It goes
/// with the session that writes.
const LOCK: &str = "SELECT pg_try_advisory_lock(8319106112064745325)";

impl PostgresTarget {
    /// Opens a migrated database.
    pub fn open(address: &Address) -> Result<Self, StoreError> {
        let runtime = Apart::new()?;
        let open = async {
            let connections = Connections::new(address, 1)?;
            let work = Frozen::idle(&connections).await?.patiently().await?;
            let locked = read_all(work.one(Ask::new(LOCK)).await?, RowColumns::flag)?;
            Ok::<_, Error>((work, locked == [true]))
        };
        let (work, locked) = runtime.wait(open).map_err(sort)?;
        if !locked {
            let why = "another copy into it is under way";
            return Err(StoreError::Unavailable(why.to_owned()));
        }
        Ok(Self {
            work,
            source: String::new(),
            runtime,
        })
    }

    /// Asks in a transaction of its own, for a tenant.
    fn transact(
        &self,
        tenant: TenantId,
        asks: Vec<Ask<'_>>,
    ) -> Result<Vec<Vec<tokio_postgres::Row>>, StoreError> {
        let mut all = vec![Ask::new("BEGIN"), name_tenant(tenant)];
        all.extend(asks);
        all.push(Ask::new("COMMIT"));
        let answers = self.runtime.wait(self.work.ask(&all)).map_err(sort)?;
        Ok(answers.into_iter().skip(2).collect())
    }

    fn note(&self, tenant: TenantId, part: &str, rows: usize) -> Ask<'static> {
        let sql = "INSERT INTO copy_progress (tenant_id, part, copied, source) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, part) \
             DO UPDATE SET copied = copy_progress.copied + excluded.copied";
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        Ask::new(sql)
            .tenant(tenant)
            .with(Type::TEXT, part.to_owned())
            .with(Type::INT8, rows)
            .with(Type::TEXT, self.source.clone())
    }
}

fn insert(sql: String, tenant: TenantId, table: &Table, rows: Vec<Row>) -> Ask<'static> {
    let mut arrays = Arrays::all(table);
    for row in rows {
        arrays.push(row);
    }
    let mut ask = Ask::new(sql).tenant(tenant);
    for (ty, array) in arrays.into_params() {
        ask.push(ty, array);
    }
    ask
}

/// What the platform's directories say of rows: who has which slug, and which key has which hash.
fn directory(table: &Table, tenant: TenantId, rows: &[Row]) -> Vec<Ask<'static>> {
    let named = |row: &Row, name: &str| {
        let place = table.columns.iter().position(|column| column.name == name);
        place.and_then(|place| row.get(place).cloned())
    };
    let one = |row: &Row| match table.name {
        name if name == tenant::TENANTS.name => {
            let Some(Cell::Text(slug)) = named(row, "slug") else {
                return None;
            };
            let sql =
                "INSERT INTO tenant_slugs (tenant_id, slug, of_tenant_id) VALUES ($1, $2, $3)";
            let ask = Ask::new(sql).tenant(platform()).with(Type::TEXT, slug);
            Some(ask.with(Type::UUID, tenant.uuid()))
        }
        name if name == tenant::KEYS.name => {
            let (Some(Cell::Bytes(hash)), Some(Cell::Id(key))) =
                (named(row, "hash"), named(row, "key_id"))
            else {
                return None;
            };
            let sql = "INSERT INTO api_key_hashes (tenant_id, hash, of_tenant_id, key_id) \
                 VALUES ($1, $2, $3, $4)";
            let ask = Ask::new(sql).tenant(platform());
            let ask = ask.with(Type::BYTEA, hash.into_owned());
            let ask = ask.with(Type::UUID, tenant.uuid());
            Some(ask.with(Type::UUID, key))
        }
        _ => None,
    };
    rows.iter().filter_map(one).collect()
}

impl Target for PostgresTarget {
    fn begun(&mut self) -> Result<Option<String>, StoreError> {
        let ask = Ask::new(BEGUN).tenant(platform());
        let found = self.transact(platform(), vec![ask])?;
        let rows = found.into_iter().next().unwrap_or_default();
        let found = read_all(rows, |c: &mut RowColumns| c.text()).map_err(sort)?;
        let source = found.into_iter().next();
        self.source = source.clone().unwrap_or_default();
        Ok(source)
    }

    fn begin(&mut self, source: &str) -> Result<(), StoreError> {
        source.clone_into(&mut self.source);
        let note = self.note(platform(), "begun", 0);
        self.transact(platform(), vec![note]).map(|_| ())
    }

    fn copied(&mut self, tenant: TenantId) -> Result<BTreeMap<String, u64>, StoreError> {
        let sql = "SELECT part, copied FROM copy_progress WHERE tenant_id = $1";
        let found = self.transact(tenant, vec![Ask::new(sql).tenant(tenant)])?;
        let rows = found.into_iter().next().unwrap_or_default();
        let read = |c: &mut RowColumns| Ok((c.text()?, c.int()?.unsigned_abs()));
        let parts = read_all(rows, read).map_err(sort)?;
        Ok(parts.into_iter().collect())
    }

    fn put(&mut self, table: &Table, tenant: TenantId, rows: Vec<Row>) -> Result<(), StoreError> {
        let count = rows.len();
        let directory = directory(table, tenant, &rows);
        // The platform's lane is there from the first.
        let sql = if table.name == tenant::LANES.name {
            update_sql(table)
        } else {
            insert_sql(table)
        };
        let mut asks = vec![insert(sql, tenant, table, rows), name_tenant(platform())];
        asks.extend(directory);
        asks.push(name_tenant(tenant));
        asks.push(self.note(tenant, table.name, count));
        self.transact(tenant, asks).map(|_| ())
    }

    fn finish(&mut self, lanes: &[TenantId]) -> Result<(), StoreError> {
        let sql = "DELETE FROM copy_progress WHERE tenant_id = $1";
        let forget = |tenant: &TenantId| [name_tenant(*tenant), Ask::new(sql).tenant(*tenant)];
        let asks = lanes.iter().flat_map(forget).collect();
        self.transact(platform(), asks).map(|_| ())
    }
}

/// The source of a copy that has begun.
const BEGUN: &str = "SELECT source FROM copy_progress WHERE tenant_id = $1 AND part = 'begun'";

/// Whether a copy into this database has begun and is not done.
pub async fn is_under_way(connections: &Connections) -> Result<bool, StoreError> {
    let frozen = Frozen::open(connections, platform()).await.map_err(sort)?;
    let begun = frozen.one(Ask::new(BEGUN).tenant(platform())).await;
    let begun = begun.map_err(sort)?;
    frozen.close().await.map_err(sort)?;
    Ok(!begun.is_empty())
}
