//! Takes one database over into another, table by table, and compares the two cell by cell.

use std::collections::BTreeMap;

use domain::ids::{TenantId, TypedId as _};
use engine::request::platform;
use engine::store::StoreError;
use sha2::{Digest as _, Sha256};

use crate::answer::ANSWERS;
use crate::cell::Cell;
use crate::columns::Columns;
use crate::table::{Kind, Table};
use crate::tenant::LANES;
use crate::{TABLES, level, order, payment};

/// A row's cells in the order of its table's columns.
pub type Row = Vec<Cell<'static>>;

/// Rows that are handed over together, in one transaction of the target.
pub const PAGE: usize = 1_000;

/// What whoever opens a database for work is told.
pub const HALF: &str = "a copy into this database is not done; run the same `stockhold copy` again";

/// Why a copy does not begin.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// The target holds what was not copied into it.
    #[error("is not empty; a copy goes into an empty database")]
    NotEmpty,
    /// The target holds a part of something else.
    #[error(
        "holds a part of another database, or of this one before it was written to again; empty \
         it and copy anew"
    )]
    OtherSource,
    /// One of them failed.
    #[error("could not be looked at: {0}")]
    Store(#[from] StoreError),
}

/// What takes a page of rows.
pub type Take<'a> = dyn FnMut(Vec<Row>) -> Result<(), StoreError> + 'a;

/// A frozen database whose rows can be gone through. Blocks.
pub trait Source {
    /// Every tenant in the order of their ids; the platform is the first.
    fn lanes(&mut self) -> Result<Vec<TenantId>, StoreError>;

    /// How many rows of a table are a tenant's.
    fn count(&mut self, table: &Table, tenant: TenantId) -> Result<u64, StoreError>;

    /// Hands over a tenant's rows behind the first `skip`, at most [`PAGE`] at a time, in the order
    /// of their keys: the same in every database. Items of a cart come as they were put into it,
    /// answers as they were given.
    fn rows(
        &mut self,
        table: &Table,
        tenant: TenantId,
        skip: u64,
        take: &mut Take<'_>,
    ) -> Result<(), StoreError>;
}

/// A database that is filled. Blocks.
pub trait Target {
    /// The source of the copy that has begun here and is not done.
    fn begun(&mut self) -> Result<Option<String>, StoreError>;

    /// Notes that a copy of `source` begins. No server works on this database until it is done.
    fn begin(&mut self, source: &str) -> Result<(), StoreError>;

    /// How many rows of each table are here for a tenant.
    fn copied(&mut self, tenant: TenantId) -> Result<BTreeMap<String, u64>, StoreError>;

    /// Writes rows, and how many there are now, in one transaction.
    fn put(&mut self, table: &Table, tenant: TenantId, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Notes that the copy is done.
    fn finish(&mut self, lanes: &[TenantId]) -> Result<(), StoreError>;
}

/// Every table that is taken over, each behind those that it refers to.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().copied().chain([&ANSWERS])
}

/// Reads any row.
pub fn read<C: Columns>(table: &Table, c: &mut C) -> Result<Row, C::Error> {
    let cell = |column: &crate::table::Column| {
        Ok(match column.kind {
            Kind::Id => c.uuid()?.map_or(Cell::Null, Cell::Id),
            Kind::Text => c.maybe_text()?.into(),
            Kind::Int => c.maybe_int()?.into(),
            Kind::Flag => c.maybe_flag()?.into(),
            Kind::Bytes => c
                .maybe_bytes()?
                .map_or(Cell::Null, |bytes| Cell::Bytes(bytes.into())),
        })
    };
    table.columns.iter().map(cell).collect()
}

/// What a source stands for: another one after any write, because every write moves a lane.
pub fn fingerprint(source: &mut dyn Source) -> Result<String, StoreError> {
    let mut sums = Sums::default();
    for tenant in source.lanes()? {
        sums.add(source, &LANES, tenant)?;
    }
    Ok(sums.hex())
}

/// Begins a copy of `source`, or goes on where it was left; `view` looks at the target. The copy is
/// noted before anything is looked at, so that no server begins to work there in between.
pub fn begin(
    source: &mut dyn Source,
    target: &mut dyn Target,
    view: &mut dyn FnMut() -> Result<Box<dyn Source>, StoreError>,
) -> Result<(), NotBegun> {
    let fingerprint = fingerprint(source)?;
    match target.begun()? {
        Some(begun) if begun != fingerprint => return Err(NotBegun::OtherSource),
        Some(_) => {}
        None => target.begin(&fingerprint)?,
    }
    if holds_only_copied(&mut *view()?, target)? {
        return Ok(());
    }
    for tenant in source.lanes()? {
        let copied = target.copied(tenant)?;
        if tables().any(|table| copied.contains_key(table.name)) {
            return Err(NotBegun::NotEmpty);
        }
    }
    // Nothing was copied: whoever works here may go on.
    target.finish(&[platform()])?;
    Err(NotBegun::NotEmpty)
}

/// Whether every row here was copied. A lane that has not begun is nothing.
fn holds_only_copied(view: &mut dyn Source, target: &mut dyn Target) -> Result<bool, StoreError> {
    for tenant in view.lanes()? {
        let copied = target.copied(tenant)?;
        for table in tables().filter(|table| table.name != LANES.name) {
            let noted = copied.get(table.name).copied().unwrap_or(0);
            if view.count(table, tenant)? != noted {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// How many rows there are in all.
pub fn size(source: &mut dyn Source) -> Result<u64, StoreError> {
    let mut rows = 0;
    for tenant in source.lanes()? {
        for table in tables() {
            rows += source.count(table, tenant)?;
        }
    }
    Ok(rows)
}

/// Takes over every row that is not there yet; `seen` learns how many rows more are.
pub fn copy(
    source: &mut dyn Source,
    target: &mut dyn Target,
    seen: &dyn Fn(u64),
) -> Result<(), StoreError> {
    for tenant in source.lanes()? {
        let copied = target.copied(tenant)?;
        for table in tables() {
            let skip = copied.get(table.name).copied().unwrap_or(0);
            seen(skip);
            source.rows(table, tenant, skip, &mut |rows| {
                let count = rows.len() as u64;
                target.put(table, tenant, rows)?;
                seen(count);
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// What is summed up of a table, by currency where its rows have one.
const BALANCES: &[(&Table, &str)] = &[
    (&level::LEVELS, "stock_quantity"),
    (&level::LEVELS, "reserved_stock"),
    (&order::ORDERS, "total_amount"),
    (&payment::PAYMENTS, "amount"),
    (&payment::PAYMENTS, "refunded_amount"),
    (&payment::REFUNDS, "amount"),
];

/// What some rows add up to.
#[derive(Clone, Default)]
pub struct Sums {
    /// How many they are.
    pub rows: u64,
    /// Balances, by column and currency.
    pub balances: BTreeMap<String, i128>,
    /// SHA-256 over every cell.
    digest: Sha256,
}

impl Sums {
    /// Adds a tenant's rows of a table.
    pub fn add(
        &mut self,
        source: &mut dyn Source,
        table: &Table,
        tenant: TenantId,
    ) -> Result<(), StoreError> {
        self.digest.update(tenant.uuid().as_bytes());
        source.rows(table, tenant, 0, &mut |rows| {
            for row in &rows {
                self.row(table, row);
            }
            Ok(())
        })
    }

    fn row(&mut self, table: &Table, row: &Row) {
        self.rows += 1;
        for cell in row {
            self.cell(cell);
        }
        let place = |name: &str| table.columns.iter().position(|column| column.name == name);
        let at = |name: &str| place(name).and_then(|place| row.get(place));
        for (_, name) in BALANCES.iter().filter(|(of, _)| of.name == table.name) {
            let Some(Cell::Int(number)) = at(name) else {
                continue;
            };
            let label = match at("currency") {
                Some(Cell::Text(currency)) => format!("{}.{name} {currency}", table.name),
                _ => format!("{}.{name}", table.name),
            };
            *self.balances.entry(label).or_default() += i128::from(*number);
        }
    }

    fn cell(&mut self, cell: &Cell<'_>) {
        let mut hash = |kind: u8, bytes: &[u8]| {
            self.digest.update([kind]);
            self.digest.update((bytes.len() as u64).to_be_bytes());
            self.digest.update(bytes);
        };
        match cell {
            Cell::Null => hash(0, &[]),
            Cell::Id(id) => hash(1, id.as_bytes()),
            Cell::Text(text) => hash(2, text.as_bytes()),
            Cell::Int(number) => hash(3, &number.to_be_bytes()),
            Cell::Flag(flag) => hash(4, &[u8::from(*flag)]),
            Cell::Bytes(bytes) => hash(5, bytes),
        }
    }

    /// The digest, as text.
    #[must_use]
    pub fn hex(&self) -> String {
        let digest = self.digest.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A table in both databases.
pub struct Compared {
    /// The table.
    pub table: &'static str,
    /// What the source's rows add up to.
    pub source: Sums,
    /// What the target's rows add up to.
    pub target: Sums,
}

impl Compared {
    /// Whether every cell of every row is the same.
    #[must_use]
    pub fn same(&self) -> bool {
        self.source.hex() == self.target.hex()
    }
}

/// Compares two databases, every cell of them; `seen` learns how many rows more were.
pub fn compare(
    source: &mut dyn Source,
    target: &mut dyn Source,
    seen: &dyn Fn(u64),
) -> Result<Vec<Compared>, StoreError> {
    let (ours, theirs) = (source.lanes()?, target.lanes()?);
    let mut all = Vec::new();
    for table in tables() {
        let (mut left, mut right) = (Sums::default(), Sums::default());
        for tenant in &ours {
            let before = left.rows;
            left.add(source, table, *tenant)?;
            seen(left.rows - before);
        }
        for tenant in &theirs {
            right.add(target, table, *tenant)?;
        }
        all.push(Compared {
            table: table.name,
            source: left,
            target: right,
        });
    }
    Ok(all)
}
