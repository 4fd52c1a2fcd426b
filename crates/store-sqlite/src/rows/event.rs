//! `events`: append-only.

use domain::ids::TypedId as _;
use domain::stock::Movement;
use engine::reader::RawEvent;
use engine::store::Journaled;
use rusqlite::{Connection, Result, Row, params};

use crate::columns::{Columns, text};
use crate::error::unreadable;

pub(crate) const COLUMNS: &str = "seq, at, type, payload, order_id, movements";

/// A movement as it is stored, in a JSON array: variant, location, change of stock, change of
/// reserved, `seq` of the movement before.
type StoredMovement = (String, String, i64, i64, i64);

pub(crate) fn read(row: &Row<'_>) -> Result<RawEvent> {
    let mut c = Columns::new(row);
    Ok(RawEvent {
        seq: c.get()?,
        at: c.time()?,
        kind: c.get()?,
        payload: c.get::<String>()?.into_bytes(),
        order_id: c.maybe_id()?,
        movements: read_movements(&c.get::<String>()?)?,
    })
}

fn read_movements(json: &str) -> Result<Vec<Movement>> {
    let wrong = || unreadable(5, "a list of movements");
    let stored: Vec<StoredMovement> = serde_json::from_str(json).map_err(|_| wrong())?;
    let movement =
        |(variant, location, delta_stock, delta_reserved, previous_seq): StoredMovement| {
            Ok(Movement {
                variant_id: variant.parse().map_err(|_| wrong())?,
                location_id: location.parse().map_err(|_| wrong())?,
                delta_stock,
                delta_reserved,
                previous_seq,
            })
        };
    stored.into_iter().map(movement).collect()
}

pub(crate) fn write(conn: &Connection, tenant: &str, event: &Journaled) -> Result<()> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO events (tenant_id, seq, at, type, order_id, payload, movements) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let payload = std::str::from_utf8(&event.payload).map_err(|_| unreadable(5, "UTF-8"))?;
    insert.execute(params![
        tenant,
        event.recorded.seq,
        event.recorded.at.millis(),
        event.kind,
        event.recorded.event.order_id().map(text),
        payload,
        movements(&event.recorded.movements)
    ])?;
    Ok(())
}

fn movements(movements: &[Movement]) -> String {
    let stored: Vec<StoredMovement> = movements
        .iter()
        .map(|m| {
            let (variant, location) = (m.variant_id.uuid(), m.location_id.uuid());
            let ids = (variant.to_string(), location.to_string());
            (
                ids.0,
                ids.1,
                m.delta_stock,
                m.delta_reserved,
                m.previous_seq,
            )
        })
        .collect();
    serde_json::json!(stored).to_string()
}
