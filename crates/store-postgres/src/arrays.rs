//! Rows on their way into a statement: an array for each column, spread again by `UNNEST`.

use std::borrow::Cow;
use std::error::Error;

use rows::{Cell, Kind, Table};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// The values of one column.
#[derive(Debug)]
pub(crate) enum Array<'a> {
    Ids(Vec<Option<Uuid>>),
    Texts(Vec<Option<Cow<'a, str>>>),
    Ints(Vec<Option<i64>>),
    Flags(Vec<Option<bool>>),
    Bytes(Vec<Option<Cow<'a, [u8]>>>),
}

impl<'a> Array<'a> {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Id => Self::Ids(Vec::new()),
            Kind::Text => Self::Texts(Vec::new()),
            Kind::Int => Self::Ints(Vec::new()),
            Kind::Flag => Self::Flags(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
        }
    }

    /// Adds a cell; one of another kind counts as nothing, which the column's constraint refuses.
    fn push(&mut self, cell: Cell<'a>) {
        match (self, cell) {
            (Self::Ids(all), Cell::Id(id)) => all.push(Some(id)),
            (Self::Texts(all), Cell::Text(text)) => all.push(Some(text)),
            (Self::Ints(all), Cell::Int(number)) => all.push(Some(number)),
            (Self::Flags(all), Cell::Flag(flag)) => all.push(Some(flag)),
            (Self::Bytes(all), Cell::Bytes(bytes)) => all.push(Some(bytes)),
            (Self::Ids(all), _) => all.push(None),
            (Self::Texts(all), _) => all.push(None),
            (Self::Ints(all), _) => all.push(None),
            (Self::Flags(all), _) => all.push(None),
            (Self::Bytes(all), _) => all.push(None),
        }
    }
}

impl ToSql for Array<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Ids(all) => all.to_sql(ty, out),
            Self::Texts(all) => all.to_sql(ty, out),
            Self::Ints(all) => all.to_sql(ty, out),
            Self::Flags(all) => all.to_sql(ty, out),
            Self::Bytes(all) => {
                let slices: Vec<Option<&[u8]>> = all.iter().map(Option::as_deref).collect();
                slices.to_sql(ty, out)
            }
        }
    }

    fn accepts(ty: &Type) -> bool {
        [
            Type::UUID_ARRAY,
            Type::TEXT_ARRAY,
            Type::INT8_ARRAY,
            Type::BOOL_ARRAY,
            Type::BYTEA_ARRAY,
        ]
        .contains(ty)
    }

    to_sql_checked!();
}

/// The type of an array of that kind, for the driver.
pub(crate) fn array_type(kind: Kind) -> Type {
    match kind {
        Kind::Id => Type::UUID_ARRAY,
        Kind::Text => Type::TEXT_ARRAY,
        Kind::Int => Type::INT8_ARRAY,
        Kind::Flag => Type::BOOL_ARRAY,
        Kind::Bytes => Type::BYTEA_ARRAY,
    }
}

/// A table's rows, column by column.
pub(crate) struct Arrays<'a> {
    arrays: Vec<(Kind, Array<'a>)>,
    pub(crate) len: usize,
}

impl<'a> Arrays<'a> {
    /// For the columns of a table.
    pub(crate) fn all(table: &Table) -> Self {
        let kinds = table.columns.iter().map(|column| column.kind);
        Self {
            arrays: kinds.map(|kind| (kind, Array::new(kind))).collect(),
            len: 0,
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, cells: Vec<Cell<'a>>) {
        self.len += 1;
        for ((_, array), cell) in self.arrays.iter_mut().zip(cells) {
            array.push(cell);
        }
    }

    /// The arrays with their types, as parameters.
    pub(crate) fn into_params(
        self,
    ) -> impl Iterator<Item = (Type, Box<dyn ToSql + Sync + Send + 'a>)> {
        self.arrays.into_iter().map(|(kind, array)| {
            let boxed: Box<dyn ToSql + Sync + Send + 'a> = Box::new(array);
            (array_type(kind), boxed)
        })
    }
}
