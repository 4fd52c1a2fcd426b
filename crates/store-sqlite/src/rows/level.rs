//! `stock_levels`.

use domain::stock::StockLevel;
use rusqlite::{Connection, Result, Row, params};

use crate::columns::{Columns, text};

pub(crate) const COLUMNS: &str = "variant_id, location_id, stock_quantity, reserved_stock, \
     backorder_limit, low_stock_threshold, version, last_seq";

pub(crate) fn read(row: &Row<'_>) -> Result<StockLevel> {
    let mut c = Columns::new(row);
    Ok(StockLevel {
        variant_id: c.id()?,
        location_id: c.id()?,
        stock_quantity: c.get()?,
        reserved_stock: c.get()?,
        backorder_limit: c.get()?,
        low_stock_threshold: c.get()?,
        version: c.get()?,
        last_seq: c.get()?,
    })
}

/// Writes a level; returns whether it stood there as it was loaded.
pub(crate) fn write(
    conn: &Connection,
    tenant: &str,
    before: Option<&StockLevel>,
    level: &StockLevel,
) -> Result<bool> {
    let variant = text(level.variant_id);
    let location = text(level.location_id);
    let Some(before) = before else {
        let mut insert = conn.prepare_cached(
            "INSERT INTO stock_levels (tenant_id, variant_id, location_id, stock_quantity, \
             reserved_stock, backorder_limit, low_stock_threshold, version, last_seq) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        insert.execute(params![
            tenant,
            variant,
            location,
            level.stock_quantity,
            level.reserved_stock,
            level.backorder_limit,
            level.low_stock_threshold,
            level.version,
            level.last_seq
        ])?;
        return Ok(true);
    };
    let mut update = conn.prepare_cached(
        "UPDATE stock_levels SET stock_quantity = ?4, reserved_stock = ?5, backorder_limit = ?6, \
         low_stock_threshold = ?7, version = ?8, last_seq = ?9 \
         WHERE tenant_id = ?1 AND variant_id = ?2 AND location_id = ?3 AND version = ?10",
    )?;
    let rows = update.execute(params![
        tenant,
        variant,
        location,
        level.stock_quantity,
        level.reserved_stock,
        level.backorder_limit,
        level.low_stock_threshold,
        level.version,
        level.last_seq,
        before.version
    ])?;
    Ok(rows == 1)
}
