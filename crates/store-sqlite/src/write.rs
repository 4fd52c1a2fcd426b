//! Writes what a batch changed, table by table.

use domain::cart::Cart;
use domain::state::Lane;
use domain::tenant::Tenant;
use domain::time::Timestamp;
use engine::store::{LaneWrite, StoreError};
use rows::{
    Cell, Table, answer, cart, catalogue, event, hold, ledger, level, order, payment, tenant,
    webhook,
};
use rusqlite::{Connection, params};

use crate::answers;
use crate::cells::{self, insert, text, update};
use crate::error::sort;

/// Expired answers that are dropped for each new one, so that dropping keeps up with giving.
const FORGOTTEN_PER_ANSWER: usize = 2;
/// Expired answers that are dropped with every batch.
const FORGOTTEN_PER_BATCH: usize = 16;

/// Writes one lane's share. `Conflict` when the lane or a level does not stand as it was loaded.
pub(crate) fn write(conn: &Connection, lane: &LaneWrite) -> Result<(), StoreError> {
    let id = text(lane.tenant);
    if !write_lane(conn, &id, lane.before, lane.state.lane).map_err(sort)? {
        return Err(StoreError::Conflict);
    }
    for (before, row) in lane.state.levels.changed() {
        let cells = level::cells(row);
        let Some(before) = before else {
            insert(conn, &level::LEVELS, &id, &cells).map_err(sort)?;
            continue;
        };
        let stood = (&cells[..], Some(before.version));
        if !update(conn, &level::LEVELS, &id, stood).map_err(sort)? {
            return Err(StoreError::Conflict);
        }
    }
    changed_rows(conn, &id, lane).map_err(sort)?;
    keep_answers(conn, &id, lane).map_err(sort)
}

fn changed_rows(conn: &Connection, id: &str, lane: &LaneWrite) -> rusqlite::Result<()> {
    let state = &lane.state;
    for (before, row) in state.tenants.changed() {
        write_tenant(conn, before, row)?;
    }
    for (before, row) in state.keys.changed() {
        let cells = tenant::key_cells(row);
        cells::write(conn, &tenant::KEYS, &text(row.tenant_id), (before, &cells))?;
    }
    for (_, row) in state.locations.changed() {
        let cells = catalogue::location_cells(row);
        insert(conn, &catalogue::LOCATIONS, id, &cells)?;
    }
    let write = Writing { conn, tenant: id };
    write.all(
        &catalogue::PRODUCTS,
        state.products.changed(),
        catalogue::product_cells,
    )?;
    write.all(
        &catalogue::VARIANTS,
        state.variants.changed(),
        catalogue::variant_cells,
    )?;
    write_orders(conn, id, lane)?;
    write.all(&hold::HOLDS, state.holds.changed(), hold::cells)?;
    write.all(&payment::PAYMENTS, state.payments.changed(), payment::cells)?;
    write.all(
        &payment::REFUNDS,
        state.refunds.changed(),
        payment::refund_cells,
    )?;
    for (_, row) in state.ledger.changed() {
        for cells in ledger::entry_cells(row) {
            insert(conn, &ledger::ENTRIES, id, &cells)?;
        }
        insert(conn, &ledger::TRANSACTIONS, id, &ledger::cells(row))?;
    }
    write.all(
        &webhook::EVENTS,
        state.webhook_events.changed(),
        webhook::cells,
    )?;
    if state.webhook_events.is_changed() {
        forget_webhooks(conn, id, state.lane.last_at)?;
    }
    for (before, row) in state.carts.changed() {
        write_cart(conn, id, before, row)?;
    }
    for journaled in &lane.events {
        insert(conn, &event::EVENTS, id, &event::cells(journaled))?;
    }
    Ok(())
}

/// Drops old messages of providers that are no dead letters.
fn forget_webhooks(conn: &Connection, id: &str, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "DELETE FROM webhook_events WHERE tenant_id = ?1 AND webhook_event_id IN \
         (SELECT webhook_event_id FROM webhook_events WHERE tenant_id = ?1 \
         AND received_at < ?2 AND status <> 'dead' ORDER BY received_at LIMIT ?3)";
    let before = now.plus_millis(-webhook::KEPT_MILLIS).millis();
    conn.prepare_cached(sql)?
        .execute(params![id, before, webhook::FORGOTTEN_MAX])
        .map(|_| ())
}

/// Writes tables of one tenant.
struct Writing<'a> {
    conn: &'a Connection,
    tenant: &'a str,
}

impl Writing<'_> {
    /// Changed rows first: a new one may take what an old one has given up, such as a code, or the
    /// place of a hold.
    fn all<'r, T: 'r>(
        &self,
        table: &Table,
        changed: impl Iterator<Item = (Option<&'r T>, &'r T)> + Clone,
        cells: impl Fn(&'r T) -> Vec<Cell<'r>>,
    ) -> rusqlite::Result<()> {
        for old in [true, false] {
            let rows = changed.clone();
            for (before, row) in rows.filter(|(before, _)| before.is_some() == old) {
                cells::write(self.conn, table, self.tenant, (before, &cells(row)))?;
            }
        }
        Ok(())
    }
}

fn write_lane(conn: &Connection, id: &str, before: Lane, lane: Lane) -> rusqlite::Result<bool> {
    let mut stands = conn
        .prepare_cached("SELECT 1 FROM lanes WHERE tenant_id = ?1 AND seq = ?2 AND last_at = ?3")?;
    Ok(
        stands.exists(params![id, before.seq, before.last_at.millis()])?
            && update(conn, &tenant::LANES, id, (&tenant::lane_cells(&lane), None))?,
    )
}

fn write_tenant(conn: &Connection, before: Option<&Tenant>, row: &Tenant) -> rusqlite::Result<()> {
    let id = text(row.id);
    cells::write(conn, &tenant::TENANTS, &id, (before, &tenant::cells(row)))?;
    if before.is_none() {
        let lane = Lane::default();
        insert(conn, &tenant::LANES, &id, &tenant::lane_cells(&lane))?;
        let location = tenant::default_location(row);
        let cells = catalogue::location_cells(&location);
        insert(conn, &catalogue::LOCATIONS, &id, &cells)?;
    }
    conn.execute("DELETE FROM tenant_timeouts WHERE tenant_id = ?1", [&id])?;
    for cells in tenant::timeouts(&row.settings) {
        insert(conn, &tenant::TIMEOUTS, &id, &cells)?;
    }
    Ok(())
}

fn write_orders(conn: &Connection, id: &str, lane: &LaneWrite) -> rusqlite::Result<()> {
    let state = &lane.state;
    for (before, row) in state.orders.changed() {
        cells::write(conn, &order::ORDERS, id, (before, &order::cells(row)))?;
        if before.is_some_and(|before| before.items == row.items) {
            continue;
        }
        if before.is_some() {
            let sql = "DELETE FROM order_items WHERE tenant_id = ?1 AND order_id = ?2";
            conn.prepare_cached(sql)?
                .execute(params![id, text(row.id)])?;
        }
        for cells in order::item_cells(row) {
            insert(conn, &order::ITEMS, id, &cells)?;
        }
    }
    for (order_id, contact) in state.contacts.changed_with_keys() {
        let before = state.contacts.as_loaded(order_id);
        let cells = order::contact_cells(*order_id, contact);
        cells::write(conn, &order::CONTACTS, id, (before, &cells))?;
    }
    Ok(())
}

fn write_cart(
    conn: &Connection,
    id: &str,
    before: Option<&Cart>,
    row: &Cart,
) -> rusqlite::Result<()> {
    cells::write(conn, &cart::CARTS, id, (before, &cart::cells(row)))?;
    let stood = before.map_or(&[][..], |cart| &cart.items);
    for gone in stood
        .iter()
        .filter(|item| row.items.iter().all(|kept| kept.id != item.id))
    {
        let sql = "DELETE FROM cart_items WHERE tenant_id = ?1 AND cart_id = ?2 AND item_id = ?3";
        let mut delete = conn.prepare_cached(sql)?;
        delete.execute(params![id, text(row.id), text(gone.id)])?;
    }
    for item in row.items.iter().filter(|item| !stood.contains(item)) {
        let before = stood.iter().find(|before| before.id == item.id);
        let cells = cart::item_cells(row.id, item);
        cells::write(conn, &cart::ITEMS, id, (before, &cells))?;
    }
    Ok(())
}

fn keep_answers(conn: &Connection, id: &str, lane: &LaneWrite) -> rusqlite::Result<()> {
    let dropped = lane.answers.len() * FORGOTTEN_PER_ANSWER + FORGOTTEN_PER_BATCH;
    answers::forget(conn, lane.forget_before.millis(), dropped)?;
    for (key, given) in &lane.answers {
        answers::keep(conn, id, &answer::cells(key, given))?;
    }
    Ok(())
}
