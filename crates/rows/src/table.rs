//! Names of tables and columns.

/// What kind of values a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ids.
    Id,
    /// Text.
    Text,
    /// Whole numbers of 64 bits.
    Int,
    /// True or false.
    Flag,
    /// Bytes.
    Bytes,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it keeps what a row began with.
    pub fixed: bool,
}

/// A column that keeps what a row began with.
pub(crate) const fn fixed(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        fixed: true,
    }
}

/// A column that changes.
pub(crate) const fn moves(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        fixed: false,
    }
}

/// A table. Its first column is `tenant_id`, which `columns` leaves out.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many of its first columns are its key, behind `tenant_id`.
    pub key: usize,
    /// Its columns, in the order in which cells come.
    pub columns: &'static [Column],
}

impl Table {
    /// The columns of the key, behind `tenant_id`.
    #[must_use]
    pub fn key(&self) -> &'static [Column] {
        self.columns.get(..self.key).unwrap_or_default()
    }

    /// The names of all columns, with commas; `prefix` stands before each, such as `t.`.
    #[must_use]
    pub fn names(&self, prefix: &str) -> String {
        let names = self
            .columns
            .iter()
            .map(|column| [prefix, column.name].concat());
        names.collect::<Vec<_>>().join(", ")
    }
}
