//! `events`: append-only.

use domain::ids::{LocationId, TypedId as _, Uuid, VariantId};
use domain::stock::Movement;
use engine::reader::RawEvent;
use engine::store::Journaled;

use crate::cell::{Cell, maybe_id};
use crate::columns::Columns;
use crate::table::Kind::{Id, Int, Text};
use crate::table::{Table, fixed};

/// Events.
pub const EVENTS: Table = Table {
    name: "events",
    key: 1,
    columns: &[
        fixed("seq", Int),
        fixed("at", Int),
        fixed("type", Text),
        fixed("order_id", Id),
        fixed("payload", Text),
        fixed("movements", Text),
    ],
};

/// A movement as it is stored, in a JSON array: variant, location, change of stock, change of
/// reserved, `seq` of the movement before.
type StoredMovement = (Uuid, Uuid, i64, i64, i64);

/// Reads an event.
pub fn read<C: Columns>(c: &mut C) -> Result<RawEvent, C::Error> {
    Ok(RawEvent {
        seq: c.int()?,
        at: c.time()?,
        kind: c.text()?,
        order_id: c.maybe_id()?,
        payload: c.text()?.into_bytes(),
        movements: read_movements(c)?,
    })
}

fn read_movements<C: Columns>(c: &mut C) -> Result<Vec<Movement>, C::Error> {
    let stored: Vec<StoredMovement> = c.json()?;
    let movement =
        |(variant, location, delta_stock, delta_reserved, previous_seq): StoredMovement| Movement {
            variant_id: VariantId::from_uuid(variant),
            location_id: LocationId::from_uuid(location),
            delta_stock,
            delta_reserved,
            previous_seq,
        };
    Ok(stored.into_iter().map(movement).collect())
}

/// The cells of an event.
#[must_use]
pub fn cells(event: &Journaled) -> Vec<Cell<'_>> {
    let recorded = &event.recorded;
    vec![
        recorded.seq.into(),
        recorded.at.into(),
        event.kind.into(),
        maybe_id(recorded.event.order_id()),
        // JSON is UTF-8; a codec that made anything else would be found by the first audit.
        Cell::Text(String::from_utf8_lossy(&event.payload)),
        movements(&recorded.movements).into(),
    ]
}

fn movements(movements: &[Movement]) -> String {
    if movements.is_empty() {
        return "[]".to_owned();
    }
    let stored = movements.iter().map(|m| {
        let (variant, location) = (m.variant_id.uuid(), m.location_id.uuid());
        let deltas = (m.delta_stock, m.delta_reserved);
        (variant, location, deltas.0, deltas.1, m.previous_seq)
    });
    serde_json::json!(stored.collect::<Vec<StoredMovement>>()).to_string()
}
