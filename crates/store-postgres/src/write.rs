//! Writes what a batch changed: an array a column, a statement a table.

use std::collections::BTreeSet;

use domain::ids::{TenantId, TypedId as _, Uuid};
use domain::state::Lane;
use domain::tenant::{ApiKey, Tenant};
use domain::time::Timestamp;
use engine::request::{KeyDigest, platform};
use engine::store::LaneWrite;
use rows::{
    Cell, Kind, Table, answer, cart, catalogue, event, hold, ledger, level, order, payment, tenant,
    webhook,
};
use tokio_postgres::types::Type;

use crate::arrays::Arrays;
use crate::pipeline::{Ask, name_tenant};

/// Expired answers, and notes of batches, that are dropped at most at once: more than can be added
/// from one time to the next, so that dropping keeps up with giving.
const FORGOTTEN_MAX: i64 = 16_384;
/// Every how many batches, on average, what is expired is dropped.
const FORGETS_EVERY: u128 = 16;
/// For how many milliseconds it is remembered that a batch was committed: far longer than anybody
/// waits to find out.
const BATCHES_KEPT_MILLIS: i64 = 3_600_000;

/// All that one lane's share of a batch writes, in order. Answers stood under `stood` keys before,
/// too old to count.
pub(crate) fn asks<'a>(lane: &'a LaneWrite, stood: &BTreeSet<KeyDigest>) -> Vec<Ask<'a>> {
    let mut writing = Writing {
        tenant: lane.tenant,
        asks: Vec::new(),
    };
    writing.lane(lane);
    writing.platform(lane);
    writing.catalogue(lane);
    writing.orders(lane);
    writing.carts(lane);
    writing.insert(&event::EVENTS, lane.events.iter().map(event::cells));
    writing.answers(lane, stood);
    // The end of a batch's id is random: each tenant's turn comes.
    if lane.batch.uuid().as_u128().is_multiple_of(FORGETS_EVERY) {
        writing.forget(lane);
    }
    writing.asks
}

struct Writing<'a> {
    tenant: TenantId,
    asks: Vec<Ask<'a>>,
}

/// The changed rows of a table, each with what stood there before.
type Changed<'a, T> = Vec<(Option<&'a T>, &'a T)>;

impl<'a> Writing<'a> {
    /// Inserts rows.
    fn insert(&mut self, table: &Table, rows: impl Iterator<Item = Vec<Cell<'a>>>) {
        let mut arrays = Arrays::all(table);
        rows.for_each(|row| arrays.push(row));
        if arrays.len > 0 {
            self.spread(insert_sql(table), arrays);
        }
    }

    /// Writes over rows that stand there.
    fn update(&mut self, table: &Table, rows: impl Iterator<Item = Vec<Cell<'a>>>) {
        let mut arrays = Arrays::all(table);
        rows.for_each(|row| arrays.push(row));
        if arrays.len > 0 {
            self.spread(update_sql(table), arrays);
        }
    }

    /// Updates first: a new row may take what an old one has given up.
    fn write<T>(
        &mut self,
        table: &Table,
        changed: &Changed<'a, T>,
        cells: impl Fn(&'a T) -> Vec<Cell<'a>>,
    ) {
        let old = changed.iter().filter(|(before, _)| before.is_some());
        self.update(table, old.map(|(_, row)| cells(row)));
        let new = changed.iter().filter(|(before, _)| before.is_none());
        self.insert(table, new.map(|(_, row)| cells(row)));
    }

    /// A statement over arrays, behind the tenant.
    fn spread(&mut self, sql: String, arrays: Arrays<'a>) {
        let mut ask = Ask::new(sql).tenant(self.tenant);
        for (ty, array) in arrays.into_params() {
            ask.push(ty, array);
        }
        self.asks.push(ask);
    }

    /// The lane's row, the note that the batch was committed, and for the platform's lane the news of
    /// it for other servers.
    fn lane(&mut self, write: &LaneWrite) {
        let (before, lane) = (write.before, write.state.lane);
        let columns = tenant::LANES.columns.iter().enumerate();
        let sets = columns.map(|(place, column)| format!("{} = ${}", column.name, place + 2));
        let sets = sets.collect::<Vec<_>>().join(", ");
        let sql = format!(
            "WITH done AS (UPDATE lanes SET {sets} WHERE tenant_id = $1 AND seq = $9 \
             AND last_at = $10 RETURNING 1), noted AS (INSERT INTO batches \
             (tenant_id, batch_id, at) VALUES ($1, $11, $3)) \
             SELECT stockhold_expect((SELECT count(*) FROM done), 1)"
        );
        let mut ask = Ask::new(sql).tenant(self.tenant);
        for cell in tenant::lane_cells(&lane) {
            let number = match cell {
                Cell::Int(number) => Some(number),
                _ => None,
            };
            ask = ask.with(Type::INT8, number);
        }
        let ask = ask.with(Type::INT8, before.seq);
        let ask = ask.with(Type::INT8, before.last_at.millis());
        self.asks.push(ask.with(Type::UUID, write.batch.uuid()));
        // A notification takes a lock of the whole cluster until the commit is done, so shops, of
        // whom no server remembers anything, send none.
        if self.tenant == platform() {
            self.asks.push(Ask::new("NOTIFY stockhold"));
        }
    }

    /// Tenants and keys, whose rows stand under their own tenants.
    fn platform(&mut self, lane: &'a LaneWrite) {
        let own = self.tenant;
        for (before, row) in lane.state.tenants.changed() {
            self.tenant = row.id;
            self.tenant(own, before, row);
        }
        for (before, row) in lane.state.keys.changed() {
            self.tenant = row.tenant_id;
            self.key(own, before, row);
        }
        self.tenant = own;
    }

    fn tenant(&mut self, own: TenantId, before: Option<&'a Tenant>, row: &'a Tenant) {
        self.asks.push(name_tenant(row.id));
        self.write(&tenant::TENANTS, &vec![(before, row)], tenant::cells);
        if before.is_none() {
            let lane = Lane::default();
            let cells = tenant::lane_cells(&lane).into_iter();
            let cells = cells.map(Cell::into_owned).collect();
            self.insert(&tenant::LANES, std::iter::once(cells));
            let location = tenant::default_location(row);
            let cells = catalogue::location_cells(&location).into_iter();
            let cells = cells.map(Cell::into_owned).collect();
            self.insert(&catalogue::LOCATIONS, std::iter::once(cells));
        }
        let forget = Ask::new("DELETE FROM tenant_timeouts WHERE tenant_id = $1");
        self.asks.push(forget.tenant(row.id));
        self.insert(&tenant::TIMEOUTS, tenant::timeouts(&row.settings));
        if before.is_none() {
            self.asks.push(name_tenant(platform()));
            let sql =
                "INSERT INTO tenant_slugs (tenant_id, slug, of_tenant_id) VALUES ($1, $2, $3)";
            let ask = Ask::new(sql).tenant(platform());
            let ask = ask.with(Type::TEXT, row.slug.as_str());
            self.asks.push(ask.with(Type::UUID, row.id.uuid()));
        }
        self.asks.push(name_tenant(own));
    }

    fn key(&mut self, own: TenantId, before: Option<&'a ApiKey>, row: &'a ApiKey) {
        self.asks.push(name_tenant(row.tenant_id));
        self.write(&tenant::KEYS, &vec![(before, row)], tenant::key_cells);
        if before.is_none() {
            self.asks.push(name_tenant(platform()));
            let sql = "INSERT INTO api_key_hashes (tenant_id, hash, of_tenant_id, key_id) \
                 VALUES ($1, $2, $3, $4)";
            let ask = Ask::new(sql).tenant(platform());
            let ask = ask.with(Type::BYTEA, row.hash.as_slice());
            let ask = ask.with(Type::UUID, row.tenant_id.uuid());
            self.asks.push(ask.with(Type::UUID, row.id.uuid()));
        }
        self.asks.push(name_tenant(own));
    }

    fn catalogue(&mut self, lane: &'a LaneWrite) {
        let state = &lane.state;
        let locations = state.locations.changed().map(|(_, row)| row);
        self.insert(
            &catalogue::LOCATIONS,
            locations.map(catalogue::location_cells),
        );
        let changed: Changed<'_, _> = state.products.changed().collect();
        self.write(&catalogue::PRODUCTS, &changed, catalogue::product_cells);
        let changed: Changed<'_, _> = state.variants.changed().collect();
        self.write(&catalogue::VARIANTS, &changed, catalogue::variant_cells);
        self.levels(state.levels.changed().collect());
    }

    /// Levels are changed only if each stands at the version that was loaded. They are locked since
    /// then, so what is compared is what is written over.
    fn levels(&mut self, changed: Changed<'a, domain::stock::StockLevel>) {
        let old = || changed.iter().filter_map(|(before, _)| *before);
        let variants: Vec<Uuid> = old().map(|level| level.variant_id.uuid()).collect();
        if !variants.is_empty() {
            let sql = "SELECT stockhold_expect(count(*), $5) FROM unnest($2, $3, $4) \
                 AS u (variant_id, location_id, version) CROSS JOIN LATERAL (SELECT 1 \
                 FROM stock_levels t WHERE t.tenant_id = $1 AND t.variant_id = u.variant_id \
                 AND t.location_id = u.location_id AND t.version = u.version OFFSET 0) AS stood";
            let wanted = count(variants.len());
            let locations: Vec<Uuid> = old().map(|level| level.location_id.uuid()).collect();
            let versions: Vec<i64> = old().map(|level| level.version).collect();
            let ask = Ask::new(sql)
                .tenant(self.tenant)
                .with(Type::UUID_ARRAY, variants)
                .with(Type::UUID_ARRAY, locations)
                .with(Type::INT8_ARRAY, versions)
                .with(Type::INT8, wanted);
            self.asks.push(ask);
        }
        self.write(&level::LEVELS, &changed, level::cells);
    }

    fn orders(&mut self, lane: &'a LaneWrite) {
        let state = &lane.state;
        let changed: Changed<'_, _> = state.orders.changed().collect();
        self.write(&order::ORDERS, &changed, order::cells);
        let revised = changed
            .iter()
            .filter(|(before, row)| before.is_some_and(|before| before.items != row.items));
        for (_, row) in revised {
            let sql = "DELETE FROM order_items WHERE tenant_id = $1 AND order_id = $2";
            let ask = Ask::new(sql).tenant(self.tenant);
            self.asks.push(ask.with(Type::UUID, row.id.uuid()));
        }
        let items = changed
            .iter()
            .filter(|(before, row)| before.is_none_or(|before| before.items != row.items))
            .flat_map(|(_, row)| order::item_cells(row));
        self.insert(&order::ITEMS, items);
        let contacts = || state.contacts.changed_with_keys();
        let stood = |id| state.contacts.as_loaded(id).is_some();
        let old = contacts().filter(|(id, _)| stood(id));
        let new = contacts().filter(|(id, _)| !stood(id));
        self.update(
            &order::CONTACTS,
            old.map(|(id, contact)| order::contact_cells(*id, contact)),
        );
        self.insert(
            &order::CONTACTS,
            new.map(|(id, contact)| order::contact_cells(*id, contact)),
        );
        // Ended holds first: a new one may stand where an old one of the same order stood active.
        let changed: Changed<'_, _> = state.holds.changed().collect();
        self.write(&hold::HOLDS, &changed, hold::cells);
        let changed: Changed<'_, _> = state.payments.changed().collect();
        self.write(&payment::PAYMENTS, &changed, payment::cells);
        let changed: Changed<'_, _> = state.webhook_events.changed().collect();
        self.write(&webhook::EVENTS, &changed, webhook::cells);
        if !changed.is_empty() {
            self.forget_webhooks(state.lane.last_at);
        }
        let changed: Changed<'_, _> = state.refunds.changed().collect();
        self.write(&payment::REFUNDS, &changed, payment::refund_cells);
        let booked = || state.ledger.changed().map(|(_, row)| row);
        self.insert(&ledger::ENTRIES, booked().flat_map(ledger::entry_cells));
        self.insert(&ledger::TRANSACTIONS, booked().map(ledger::cells));
    }

    /// Drops old messages of providers that are no dead letters.
    fn forget_webhooks(&mut self, now: Timestamp) {
        let sql = "DELETE FROM webhook_events WHERE tenant_id = $1 AND status <> 'dead' \
             AND received_at < LEAST($2, (SELECT received_at FROM webhook_events \
             WHERE tenant_id = $1 AND status <> 'dead' AND received_at < $2 \
             ORDER BY received_at OFFSET $3 LIMIT 1))";
        let before = now.plus_millis(-webhook::KEPT_MILLIS).millis();
        let ask = Ask::new(sql).tenant(self.tenant).with(Type::INT8, before);
        self.asks.push(ask.with(Type::INT8, webhook::FORGOTTEN_MAX));
    }

    fn carts(&mut self, lane: &'a LaneWrite) {
        let changed: Changed<'_, domain::cart::Cart> = lane.state.carts.changed().collect();
        self.write(&cart::CARTS, &changed, cart::cells);
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (before, row) in &changed {
            let stood = before.map_or(&[][..], |before| &before.items);
            let gone =
                |item: &&domain::cart::CartItem| row.items.iter().all(|kept| kept.id != item.id);
            for item in stood.iter().filter(gone) {
                let sql = "DELETE FROM cart_items \
                     WHERE tenant_id = $1 AND cart_id = $2 AND item_id = $3";
                let ask = Ask::new(sql).tenant(self.tenant);
                let ask = ask.with(Type::UUID, row.id.uuid());
                self.asks.push(ask.with(Type::UUID, item.id.uuid()));
            }
            for item in row.items.iter().filter(|item| !stood.contains(item)) {
                let known = stood.iter().any(|before| before.id == item.id);
                let cells = cart::item_cells(row.id, item);
                if known { &mut old } else { &mut new }.push(cells);
            }
        }
        self.update(&cart::ITEMS, old.into_iter());
        self.insert(&cart::ITEMS, new.into_iter());
    }

    fn answers(&mut self, lane: &'a LaneWrite, stood: &BTreeSet<KeyDigest>) {
        let over: Vec<Uuid> = lane
            .answers
            .iter()
            .filter(|(key, _)| stood.contains(key))
            .map(|(key, _)| Uuid::from_bytes(*key))
            .collect();
        for key in over {
            let sql = "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND key = $2";
            let ask = Ask::new(sql).tenant(self.tenant);
            self.asks.push(ask.with(Type::UUID, key));
        }
        let answers = lane.answers.iter();
        self.insert(
            &answer::ANSWERS,
            answers.map(|(key, given)| answer::cells(key, given)),
        );
    }

    fn forget(&mut self, lane: &LaneWrite) {
        let sql = "DELETE FROM idempotency_keys WHERE tenant_id = $1 AND created_at < LEAST($2, \
             (SELECT created_at FROM idempotency_keys WHERE tenant_id = $1 \
             AND created_at < $2 ORDER BY created_at OFFSET $3 LIMIT 1))";
        let forget = Ask::new(sql).tenant(self.tenant);
        let forget = forget.with(Type::INT8, lane.forget_before.millis());
        self.asks.push(forget.with(Type::INT8, FORGOTTEN_MAX));
        let sql = "DELETE FROM batches WHERE tenant_id = $1 AND batch_id < LEAST($2, \
             (SELECT batch_id FROM batches WHERE tenant_id = $1 AND batch_id < $2 \
             ORDER BY batch_id OFFSET $3 LIMIT 1))";
        let old = lane.state.lane.last_at.plus_millis(-BATCHES_KEPT_MILLIS);
        let forget = Ask::new(sql).tenant(self.tenant);
        let forget = forget.with(Type::UUID, first_id_at(old));
        self.asks.push(forget.with(Type::INT8, FORGOTTEN_MAX));
    }
}

/// The first id that could be made at that time: ids begin with it (RFC 9562 §5.7).
fn first_id_at(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.millis()).unwrap_or(0);
    Uuid::from_u64_pair(millis << 16, 0)
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(crate) fn insert_sql(table: &Table) -> String {
    let (name, names) = (table.name, table.names(""));
    let params = table.columns.iter().enumerate().map(|(place, column)| {
        let ty = match column.kind {
            Kind::Id => "uuid",
            Kind::Text => "text",
            Kind::Int => "bigint",
            Kind::Flag => "boolean",
            Kind::Bytes => "bytea",
        };
        format!("${}::{ty}[]", place + 2)
    });
    let params = params.collect::<Vec<_>>().join(", ");
    format!("INSERT INTO {name} (tenant_id, {names}) SELECT $1, u.* FROM unnest({params}) AS u")
}

/// An update by way of the key's index: a plain `UPDATE … FROM unnest(…)` leaves the planner free
/// to read all of a tenant's rows instead.
pub(crate) fn update_sql(table: &Table) -> String {
    let keys = table.key().iter().map(|column| column.name);
    let keys: Vec<&str> = std::iter::once("tenant_id").chain(keys).collect();
    let sets = table.columns.iter().filter(|column| !column.fixed);
    let sets = sets.map(|column| format!("{0} = excluded.{0}", column.name));
    let (insert, keys) = (insert_sql(table), keys.join(", "));
    let sets = sets.collect::<Vec<_>>().join(", ");
    format!("{insert} ON CONFLICT ({keys}) DO UPDATE SET {sets}")
}
