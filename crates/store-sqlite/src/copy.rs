//! A whole SQLite file as the source or the target of a copy.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use domain::ids::TenantId;
use domain::time::Timestamp;
use engine::reader::Snapshot as _;
use engine::request::platform;
use engine::store::StoreError;
use rows::copy::{PAGE, Row, Source, Take, Target, read};
use rows::{Columns as _, Table, answer, cart, tenant};
use rusqlite::{Connection, params};

use crate::answers;
use crate::cells::{insert, text, update};
use crate::columns::{RowColumns, all, one};
use crate::database::{OpenError, open_for_migration};
use crate::error::sort;
use crate::snapshot::SqliteSnapshot;

/// A file that nobody else writes to.
pub struct SqliteSource {
    snapshot: SqliteSnapshot,
    _lock: File,
}

/// Why a file cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// Answers that still count are older than the step that notes whose they are.
    #[error(
        "{0} answers under idempotency keys were given before step 4 of the schema and do not say \
         whose they are; copy when their time under the keys is over"
    )]
    OldAnswers(i64),
}

impl SqliteSource {
    /// Opens a migrated file. A server that uses it keeps us out, and we it. Answers given before
    /// `expired` count no more.
    pub fn open(path: &Path, expired: Timestamp) -> Result<Self, SourceError> {
        let (conn, lock) = open_for_migration(path)?;
        crate::migrate::require_current(&conn).map_err(OpenError::from)?;
        if begun(&conn).map_err(sort)?.is_some() {
            return Err(OpenError::HalfCopied.into());
        }
        let sql = "SELECT count(*) FROM idempotency_answers \
             WHERE tenant_id IS NULL AND created_at >= ?1";
        let old = one(&conn, sql, [expired.millis()], |c| c.int());
        let old = old.map_err(sort)?.unwrap_or(0);
        if old > 0 {
            return Err(SourceError::OldAnswers(old));
        }
        Ok(Self {
            snapshot: SqliteSnapshot::open(path)?,
            _lock: lock,
        })
    }
}

impl Source for SqliteSource {
    fn lanes(&mut self) -> Result<Vec<TenantId>, StoreError> {
        self.snapshot.lanes()
    }

    fn count(&mut self, table: &Table, tenant: TenantId) -> Result<u64, StoreError> {
        self.snapshot.count(table, tenant)
    }

    fn rows(
        &mut self,
        table: &Table,
        tenant: TenantId,
        skip: u64,
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        self.snapshot.rows(table, tenant, skip, take)
    }
}

/// How a table's rows are read: its name here, its columns, and their order.
fn reading(conn: &Connection, table: &Table) -> rusqlite::Result<(&'static str, String, String)> {
    if table.name == answer::ANSWERS.name {
        answers::sort_by_tenant(conn)?;
        let order = "created_at, key".to_owned();
        return Ok((answers::BY_TENANT, answers::ROW.to_owned(), order));
    }
    let order = if table.name == cart::ITEMS.name {
        "cart_id, rowid".to_owned()
    } else {
        let keys = table.key().iter().map(|column| column.name);
        let keys: Vec<&str> = std::iter::once("tenant_id").chain(keys).collect();
        keys.join(", ")
    };
    Ok((table.name, table.names(""), order))
}

impl Source for SqliteSnapshot {
    fn lanes(&mut self) -> Result<Vec<TenantId>, StoreError> {
        let tenants = self.tenants()?.into_iter().map(|tenant| tenant.id);
        Ok(std::iter::once(platform()).chain(tenants).collect())
    }

    fn count(&mut self, table: &Table, tenant: TenantId) -> Result<u64, StoreError> {
        let (name, _, _) = reading(self.connection(), table).map_err(sort)?;
        let sql = format!("SELECT count(*) FROM {name} WHERE tenant_id = ?1");
        let count = one(self.connection(), &sql, [text(tenant)], |c| c.int()).map_err(sort)?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    fn rows(
        &mut self,
        table: &Table,
        tenant: TenantId,
        skip: u64,
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        let (name, columns, order) = reading(self.connection(), table).map_err(sort)?;
        let sql = format!(
            "SELECT {columns} FROM {name} WHERE tenant_id = ?1 ORDER BY {order} LIMIT -1 OFFSET ?2"
        );
        let mut select = self.connection().prepare(&sql).map_err(sort)?;
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        let mut found = select.query(params![text(tenant), skip]).map_err(sort)?;
        let mut page = Vec::new();
        while let Some(row) = found.next().map_err(sort)? {
            let row = if table.name == answer::ANSWERS.name {
                answers::read_row(row)
            } else {
                read(table, &mut RowColumns::new(row))
            };
            page.push(row.map_err(sort)?);
            if page.len() == PAGE {
                take(std::mem::take(&mut page))?;
            }
        }
        if page.is_empty() { Ok(()) } else { take(page) }
    }
}

/// A file that is filled.
pub struct SqliteTarget {
    conn: Connection,
    source: String,
    _lock: File,
}

impl SqliteTarget {
    /// Opens a migrated file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (conn, lock) = open_for_migration(path)?;
        crate::migrate::require_current(&conn)?;
        // No checkpoint thread runs beside a copy.
        let checkpoints = conn.pragma_update(None, "wal_autocheckpoint", 1_000);
        checkpoints.map_err(|source| OpenError::Sqlite {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            conn,
            source: String::new(),
            _lock: lock,
        })
    }

    fn note(
        conn: &Connection,
        (tenant, part): (&str, &str),
        (rows, source): (usize, &str),
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO copy_progress (tenant_id, part, copied, source) \
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tenant_id, part) \
             DO UPDATE SET copied = copied + excluded.copied";
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        conn.prepare_cached(sql)?
            .execute(params![tenant, part, rows, source])
            .map(|_| ())
    }
}

fn put(conn: &Connection, table: &Table, tenant: &str, row: &Row) -> rusqlite::Result<()> {
    if table.name == answer::ANSWERS.name {
        return answers::keep(conn, tenant, row);
    }
    // The platform's lane is there from the first.
    if table.name == tenant::LANES.name && update(conn, table, tenant, (row, None))? {
        return Ok(());
    }
    insert(conn, table, tenant, row)
}

impl Target for SqliteTarget {
    fn begun(&mut self) -> Result<Option<String>, StoreError> {
        let found = begun(&self.conn).map_err(sort)?;
        self.source = found.clone().unwrap_or_default();
        Ok(found)
    }

    fn begin(&mut self, source: &str) -> Result<(), StoreError> {
        source.clone_into(&mut self.source);
        let begun = (&*text(platform()), "begun");
        Self::note(&self.conn, begun, (0, source)).map_err(sort)
    }

    fn copied(&mut self, tenant: TenantId) -> Result<BTreeMap<String, u64>, StoreError> {
        let sql = "SELECT part, copied FROM copy_progress WHERE tenant_id = ?1";
        let read = |c: &mut RowColumns<'_, '_>| Ok((c.text()?, c.int()?.unsigned_abs()));
        let parts = all(&self.conn, sql, [text(tenant)], read).map_err(sort)?;
        Ok(parts.into_iter().collect())
    }

    fn put(&mut self, table: &Table, tenant: TenantId, rows: Vec<Row>) -> Result<(), StoreError> {
        let (id, source) = (text(tenant), &self.source);
        let write = |conn: &mut Connection| {
            let tx = conn.transaction()?;
            for row in &rows {
                put(&tx, table, &id, row)?;
            }
            Self::note(&tx, (&id, table.name), (rows.len(), source))?;
            tx.commit()
        };
        write(&mut self.conn).map_err(sort)
    }

    fn finish(&mut self, _: &[TenantId]) -> Result<(), StoreError> {
        let done = self.conn.execute("DELETE FROM copy_progress", []);
        done.map(|_| ()).map_err(sort)
    }
}

/// The source of the copy that has begun here and is not done.
pub(crate) fn begun(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT source FROM copy_progress WHERE tenant_id = ?1 AND part = 'begun'";
    one(conn, sql, [text(platform())], |c| c.text())
}
