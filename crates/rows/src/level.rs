//! `stock_levels`.

use domain::stock::StockLevel;

use crate::cell::{Cell, id};
use crate::columns::Columns;
use crate::table::Kind::{Id, Int};
use crate::table::{Table, fixed, moves};

/// Stock of each variant at each location.
pub const LEVELS: Table = Table {
    name: "stock_levels",
    key: 2,
    columns: &[
        fixed("variant_id", Id),
        fixed("location_id", Id),
        moves("stock_quantity", Int),
        moves("reserved_stock", Int),
        moves("backorder_limit", Int),
        moves("low_stock_threshold", Int),
        moves("version", Int),
        moves("last_seq", Int),
    ],
};

/// Reads a level.
pub fn read<C: Columns>(c: &mut C) -> Result<StockLevel, C::Error> {
    Ok(StockLevel {
        variant_id: c.id()?,
        location_id: c.id()?,
        stock_quantity: c.int()?,
        reserved_stock: c.int()?,
        backorder_limit: c.int()?,
        low_stock_threshold: c.maybe_int()?,
        version: c.int()?,
        last_seq: c.int()?,
    })
}

/// The cells of a level.
#[must_use]
pub fn cells(level: &StockLevel) -> Vec<Cell<'_>> {
    vec![
        id(level.variant_id),
        id(level.location_id),
        level.stock_quantity.into(),
        level.reserved_stock.into(),
        level.backorder_limit.into(),
        level.low_stock_threshold.into(),
        level.version.into(),
        level.last_seq.into(),
    ]
}
