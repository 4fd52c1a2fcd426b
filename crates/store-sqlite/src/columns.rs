//! Reads a row's columns one after another, and runs queries that are read so.

use rows::Columns;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension as _, Params, Result, Row};
use uuid::Uuid;

use crate::error::unreadable;

/// A row, and the column that comes next. Ids are lower-case text.
pub(crate) struct RowColumns<'a, 'r> {
    row: &'a Row<'r>,
    next: usize,
}

impl<'a, 'r> RowColumns<'a, 'r> {
    pub(crate) fn new(row: &'a Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    fn get<T: FromSql>(&mut self) -> Result<T> {
        let column = self.next;
        self.next += 1;
        self.row.get(column)
    }
}

impl Columns for RowColumns<'_, '_> {
    type Error = rusqlite::Error;

    fn uuid(&mut self) -> Result<Option<Uuid>> {
        let read = self.text_with(|text| text.map(str::parse))?;
        read.transpose().map_err(|_| self.unreadable("a UUID"))
    }

    fn text_with<T>(&mut self, read: impl FnOnce(Option<&str>) -> T) -> Result<T> {
        let column = self.next;
        self.next += 1;
        Ok(read(self.row.get_ref(column)?.as_str_or_null()?))
    }

    fn maybe_int(&mut self) -> Result<Option<i64>> {
        self.get()
    }

    fn maybe_flag(&mut self) -> Result<Option<bool>> {
        self.get()
    }

    fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>> {
        self.get()
    }

    fn unreadable(&self, wanted: &'static str) -> rusqlite::Error {
        unreadable(self.next, wanted)
    }
}

/// The first row of a query, read.
pub(crate) fn one<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut RowColumns<'_, '_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut select = conn.prepare_cached(sql)?;
    let row = select.query_row(params, |row| read(&mut RowColumns::new(row)));
    row.optional()
}

/// All rows of a query, read.
pub(crate) fn all<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut RowColumns<'_, '_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_map(params, |row| read(&mut RowColumns::new(row)))?;
    rows.collect()
}
