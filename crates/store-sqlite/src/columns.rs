//! Between columns and domain values.

use domain::ids::TypedId;
use domain::money::{Amount, Currency};
use domain::time::Timestamp;
use rusqlite::{Result, Row};

use crate::error::unreadable;

/// An id as it is stored: lower-case text.
pub(crate) fn text(id: impl TypedId) -> String {
    id.uuid().to_string()
}

/// A list of pairs as it is stored: JSON.
pub(crate) fn pairs(pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        "[]".to_owned()
    } else {
        serde_json::json!(pairs).to_string()
    }
}

/// Reads columns one after another, so that a row's reading has the order of its columns.
pub(crate) struct Columns<'a, 'r> {
    row: &'a Row<'r>,
    next: usize,
}

impl<'a, 'r> Columns<'a, 'r> {
    pub(crate) fn new(row: &'a Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    fn step(&mut self) -> usize {
        let column = self.next;
        self.next += 1;
        column
    }

    pub(crate) fn get<T: rusqlite::types::FromSql>(&mut self) -> Result<T> {
        self.row.get(self.step())
    }

    pub(crate) fn id<I: TypedId>(&mut self) -> Result<I> {
        self.maybe_id()?
            .ok_or_else(|| unreadable(self.next, "a UUID"))
    }

    pub(crate) fn maybe_id<I: TypedId>(&mut self) -> Result<Option<I>> {
        let column = self.step();
        let Some(text) = self.row.get_ref(column)?.as_str_or_null()? else {
            return Ok(None);
        };
        let uuid = text.parse().map_err(|_| unreadable(column, "a UUID"))?;
        Ok(Some(I::from_uuid(uuid)))
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp::from_millis(self.get()?))
    }

    pub(crate) fn maybe_time(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp::from_millis))
    }

    pub(crate) fn amount(&mut self) -> Result<Amount> {
        self.maybe_amount()?
            .ok_or_else(|| unreadable(self.next, "an amount"))
    }

    pub(crate) fn maybe_amount(&mut self) -> Result<Option<Amount>> {
        let column = self.step();
        let Some(minor) = self.row.get::<_, Option<i64>>(column)? else {
            return Ok(None);
        };
        Amount::new(minor)
            .map(Some)
            .ok_or_else(|| unreadable(column, "an amount within bounds"))
    }

    pub(crate) fn currency(&mut self) -> Result<Currency> {
        self.name(Currency::parse)
    }

    pub(crate) fn maybe_currency(&mut self) -> Result<Option<Currency>> {
        let column = self.step();
        let Some(code) = self.row.get_ref(column)?.as_str_or_null()? else {
            return Ok(None);
        };
        Currency::parse(code)
            .map(Some)
            .ok_or_else(|| unreadable(column, "a currency"))
    }

    /// A state by its name.
    pub(crate) fn name<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        let column = self.step();
        let name = self.row.get_ref(column)?.as_str()?;
        parse(name).ok_or_else(|| unreadable(column, "a known name"))
    }

    /// A list of pairs, stored as JSON.
    pub(crate) fn pairs(&mut self) -> Result<Vec<(String, String)>> {
        let column = self.step();
        let text = self.row.get_ref(column)?.as_str()?;
        serde_json::from_str(text).map_err(|_| unreadable(column, "a list of pairs"))
    }
}
