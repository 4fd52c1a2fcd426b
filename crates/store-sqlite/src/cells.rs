//! Writes rows: one prepared statement a table for inserting, one for changing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::ids::TypedId;
use rows::{Cell, TABLES, Table};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Result};

/// An id as it is stored: lower-case text.
pub(crate) fn text(id: impl TypedId) -> String {
    id.uuid().to_string()
}

/// A cell on its way into a statement.
pub(crate) struct Bound<'a>(pub(crate) &'a Cell<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Cell::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Cell::Id(id) => ToSqlOutput::from(id.to_string()),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Int(number) => ToSqlOutput::from(*number),
            Cell::Flag(flag) => ToSqlOutput::from(*flag),
            Cell::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// The statements of a table; `?1` is the tenant, then its columns in their order.
struct Statements {
    insert: String,
    update: String,
    /// The update where the row stands at a version: the parameter behind the columns.
    update_at: String,
}

static STATEMENTS: LazyLock<BTreeMap<&str, Statements>> = LazyLock::new(|| {
    TABLES
        .iter()
        .map(|table| (table.name, statements(table)))
        .collect()
});

fn statements(table: &Table) -> Statements {
    let (name, names) = (table.name, table.names(""));
    let params = (0..table.columns.len()).map(|place| format!("?{}", place + 2));
    let params = params.collect::<Vec<_>>().join(", ");
    let moving = table.columns.iter().enumerate();
    let sets = moving
        .filter(|(_, column)| !column.fixed)
        .map(|(place, column)| format!("{} = ?{}", column.name, place + 2))
        .collect::<Vec<_>>();
    let keys = table.key().iter().enumerate();
    let keys: String = keys
        .map(|(place, column)| format!(" AND {} = ?{}", column.name, place + 2))
        .collect();
    let sets = sets.join(", ");
    let update = format!("UPDATE {name} SET {sets} WHERE tenant_id = ?1{keys}");
    Statements {
        insert: format!("INSERT INTO {name} (tenant_id, {names}) VALUES (?1, {params})"),
        update_at: format!("{update} AND version = ?{}", table.columns.len() + 2),
        update,
    }
}

fn of(table: &Table) -> Result<&'static Statements> {
    let found = STATEMENTS.get(table.name);
    found.ok_or_else(|| rusqlite::Error::InvalidParameterName(table.name.to_owned()))
}

/// Inserts a row.
pub(crate) fn insert(
    conn: &Connection,
    table: &Table,
    tenant: &str,
    cells: &[Cell<'_>],
) -> Result<()> {
    let mut insert = conn.prepare_cached(&of(table)?.insert)?;
    insert.raw_bind_parameter(1, tenant)?;
    for (place, cell) in cells.iter().enumerate() {
        insert.raw_bind_parameter(place + 2, Bound(cell))?;
    }
    insert.raw_execute().map(|_| ())
}

/// Changes a row, if it stands at `version` where one is given; whether it did.
pub(crate) fn update(
    conn: &Connection,
    table: &Table,
    tenant: &str,
    (cells, version): (&[Cell<'_>], Option<i64>),
) -> Result<bool> {
    let statements = of(table)?;
    let sql = match version {
        Some(_) => &statements.update_at,
        None => &statements.update,
    };
    let mut update = conn.prepare_cached(sql)?;
    update.raw_bind_parameter(1, tenant)?;
    for (place, (cell, column)) in cells.iter().zip(table.columns).enumerate() {
        if place < table.key || !column.fixed {
            update.raw_bind_parameter(place + 2, Bound(cell))?;
        }
    }
    if let Some(version) = version {
        update.raw_bind_parameter(table.columns.len() + 2, version)?;
    }
    Ok(update.raw_execute()? == 1)
}

/// Inserts a new row, or changes one that stands there.
pub(crate) fn write<T>(
    conn: &Connection,
    table: &Table,
    tenant: &str,
    (before, cells): (Option<&T>, &[Cell<'_>]),
) -> Result<()> {
    if before.is_none() {
        insert(conn, table, tenant, cells)
    } else {
        update(conn, table, tenant, (cells, None)).map(|_| ())
    }
}
