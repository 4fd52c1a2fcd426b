//! Writes what a batch changed, table by table.

use engine::request::{KeyDigest, StoredAnswer};
use engine::store::{LaneWrite, StoreError};
use rusqlite::{Connection, params};

use crate::columns::text;
use crate::error::sort;
use crate::rows::{cart, catalogue, event, hold, level, order, payment, tenant};

/// Expired answers that are dropped for each new one, so that dropping keeps up with giving.
const FORGOTTEN_PER_ANSWER: usize = 2;
/// Expired answers that are dropped with every batch.
const FORGOTTEN_PER_BATCH: usize = 16;

/// Writes one lane's share. `Conflict` when the lane or a level does not stand as it was loaded.
pub(crate) fn write(conn: &Connection, lane: &LaneWrite) -> Result<(), StoreError> {
    let id = text(lane.tenant);
    if !tenant::write_lane(conn, &id, lane.before, lane.state.lane).map_err(sort)? {
        return Err(StoreError::Conflict);
    }
    for (before, row) in lane.state.levels.changed() {
        if !level::write(conn, &id, before, row).map_err(sort)? {
            return Err(StoreError::Conflict);
        }
    }
    rows(conn, &id, lane).map_err(sort)?;
    answers(conn, lane).map_err(sort)
}

fn rows(conn: &Connection, id: &str, lane: &LaneWrite) -> rusqlite::Result<()> {
    let state = &lane.state;
    for (before, row) in state.tenants.changed() {
        tenant::write(conn, before, row)?;
    }
    for (_, row) in state.keys.changed() {
        tenant::write_key(conn, row)?;
    }
    for (_, row) in state.locations.changed() {
        catalogue::write_location(conn, id, row)?;
    }
    for (_, row) in state.products.changed() {
        catalogue::write_product(conn, id, row)?;
    }
    // Changed variants first: a new one may take a code that one of them has given up.
    for wanted in [true, false] {
        for (_, row) in state
            .variants
            .changed()
            .filter(|(before, _)| before.is_some() == wanted)
        {
            catalogue::write_variant(conn, id, row)?;
        }
    }
    for (before, row) in state.orders.changed() {
        order::write(conn, id, before, row)?;
    }
    for (order_id, contact) in state.contacts.changed_with_keys() {
        order::write_contact(conn, id, *order_id, contact)?;
    }
    write_holds(conn, id, lane)?;
    for (before, row) in state.payments.changed() {
        payment::write(conn, id, before, row)?;
    }
    for (_, row) in state.refunds.changed() {
        payment::write_refund(conn, id, row)?;
    }
    for (before, row) in state.carts.changed() {
        cart::write(conn, id, before, row)?;
    }
    for journaled in &lane.events {
        event::write(conn, id, journaled)?;
    }
    Ok(())
}

/// Ended holds first: a new hold may stand where an old one of the same order stood active.
fn write_holds(conn: &Connection, id: &str, lane: &LaneWrite) -> rusqlite::Result<()> {
    let changed = || lane.state.holds.changed();
    for (before, row) in changed().filter(|(before, _)| before.is_some()) {
        hold::write(conn, id, before, row)?;
    }
    for (before, row) in changed().filter(|(before, _)| before.is_none()) {
        hold::write(conn, id, before, row)?;
    }
    Ok(())
}

fn answers(conn: &Connection, lane: &LaneWrite) -> rusqlite::Result<()> {
    let dropped = lane.answers.len() * FORGOTTEN_PER_ANSWER + FORGOTTEN_PER_BATCH;
    forget(conn, lane.forget_before.millis(), dropped)?;
    for (key, answer) in &lane.answers {
        write_answer(conn, key, answer)?;
    }
    Ok(())
}

fn write_answer(conn: &Connection, key: &KeyDigest, answer: &StoredAnswer) -> rusqlite::Result<()> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO idempotency_answers (key, fingerprint, status, body, seq, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute(params![
        key,
        answer.fingerprint,
        answer.status,
        &answer.body[..],
        answer.seq,
        answer.at.millis()
    ])?;
    let mut claim = conn.prepare_cached(
        "INSERT OR REPLACE INTO idempotency_keys (key, answer_id) VALUES (?1, ?2)",
    )?;
    claim.execute(params![key, conn.last_insert_rowid()])?;
    Ok(())
}

/// Drops up to `most` of the oldest answers given before `before`.
fn forget(conn: &Connection, before: i64, most: usize) -> rusqlite::Result<()> {
    let mut oldest = conn.prepare_cached(
        "SELECT answer_id, key, created_at FROM idempotency_answers ORDER BY answer_id LIMIT ?1",
    )?;
    let mut rows = oldest.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let (id, key, at): (i64, KeyDigest, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if at >= before {
            break;
        }
        let mut delete =
            conn.prepare_cached("DELETE FROM idempotency_keys WHERE key = ?1 AND answer_id = ?2")?;
        delete.execute(params![key, id])?;
        last = Some(id);
    }
    drop(rows);
    if let Some(last) = last {
        conn.execute(
            "DELETE FROM idempotency_answers WHERE answer_id <= ?1",
            [last],
        )?;
    }
    Ok(())
}
