//! Reads a row's columns one after another.

use rows::Columns;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::error::Error;

/// A row, and the column that comes next.
pub(crate) struct RowColumns {
    row: Row,
    next: usize,
}

impl RowColumns {
    fn get<'r, T: FromSql<'r>>(&'r mut self) -> Result<T, Error> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.try_get(column)?)
    }

    /// A list.
    pub(crate) fn list<T>(&mut self) -> Result<Vec<T>, Error>
    where
        Vec<T>: for<'r> FromSql<'r>,
    {
        self.get()
    }
}

impl Columns for RowColumns {
    type Error = Error;

    fn uuid(&mut self) -> Result<Option<Uuid>, Error> {
        self.get()
    }

    fn text_with<T>(&mut self, read: impl FnOnce(Option<&str>) -> T) -> Result<T, Error> {
        Ok(read(self.get()?))
    }

    fn maybe_int(&mut self) -> Result<Option<i64>, Error> {
        self.get()
    }

    fn maybe_flag(&mut self) -> Result<Option<bool>, Error> {
        self.get()
    }

    fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.get()
    }

    fn unreadable(&self, wanted: &'static str) -> Error {
        Error::Unreadable {
            column: self.next,
            wanted,
        }
    }
}

/// All rows, read.
pub(crate) fn read_all<T>(
    rows: Vec<Row>,
    read: impl Fn(&mut RowColumns) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    rows.into_iter()
        .map(|row| read(&mut RowColumns { row, next: 0 }))
        .collect()
}
