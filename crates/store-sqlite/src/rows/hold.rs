//! `stock_reservations`.

use domain::stock::{Hold, HoldStatus};
use domain::time::Timestamp;
use rusqlite::{Connection, Result, Row, params};

use crate::columns::{Columns, text};

pub(crate) const COLUMNS: &str = "reservation_id, order_id, product_id, variant_id, location_id, \
     quantity, deducted, reserved_at, expires_at, status, updated_at";

pub(crate) fn read(row: &Row<'_>) -> Result<Hold> {
    let mut c = Columns::new(row);
    Ok(Hold {
        id: c.id()?,
        order_id: c.id()?,
        product_id: c.id()?,
        variant_id: c.id()?,
        location_id: c.id()?,
        quantity: c.get()?,
        deducted: c.get()?,
        reserved_at: c.time()?,
        expires_at: c.maybe_time()?,
        status: c.name(HoldStatus::parse)?,
        updated_at: c.time()?,
    })
}

pub(crate) fn write(
    conn: &Connection,
    tenant: &str,
    before: Option<&Hold>,
    hold: &Hold,
) -> Result<()> {
    if before.is_some() {
        let mut update = conn.prepare_cached(
            "UPDATE stock_reservations SET status = ?4, expires_at = ?5, updated_at = ?6 \
             WHERE tenant_id = ?1 AND order_id = ?2 AND reservation_id = ?3",
        )?;
        update.execute(params![
            tenant,
            text(hold.order_id),
            text(hold.id),
            hold.status.name(),
            hold.expires_at.map(Timestamp::millis),
            hold.updated_at.millis()
        ])?;
        return Ok(());
    }
    let mut insert = conn.prepare_cached(
        "INSERT INTO stock_reservations (tenant_id, reservation_id, order_id, product_id, \
         variant_id, location_id, quantity, deducted, reserved_at, expires_at, status, \
         created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?9, ?12)",
    )?;
    insert.execute(params![
        tenant,
        text(hold.id),
        text(hold.order_id),
        text(hold.product_id),
        text(hold.variant_id),
        text(hold.location_id),
        hold.quantity,
        hold.deducted,
        hold.reserved_at.millis(),
        hold.expires_at.map(Timestamp::millis),
        hold.status.name(),
        hold.updated_at.millis()
    ])?;
    Ok(())
}
