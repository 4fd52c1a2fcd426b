//! Takes in what the statements of a load bring.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{OrderId, TenantId, TypedId as _, Uuid};
use domain::limits::DUE_MAX;
use domain::needs::Needs;
use domain::state::State;
use domain::tenant::Tenant;
use domain::time::Timestamp;
use engine::request::{KeyDigest, StoredAnswer, platform};
use rows::{Columns as _, cart, catalogue, hold, level, order, payment, tenant, webhook};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::columns::{RowColumns, read_all};
use crate::error::Error;
use crate::gather::{Roots, rows_of, select};
use crate::pipeline::Ask;

/// What an answer's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Nothing,
    Lane,
    Tenants,
    Locations,
    Keys,
    WebhookEvents,
    Answers,
    Carts,
    CartItems,
    Orders,
    Items,
    Contacts,
    Holds,
    Payments,
    Refunds,
    Variants,
    Products,
    Levels,
    Due,
}

/// A working set that is being loaded.
#[derive(Default)]
pub(crate) struct Loading {
    pub(crate) state: State,
    pub(crate) answers: BTreeMap<KeyDigest, StoredAnswer>,
    /// The database's time, where the lane's row was asked for with it.
    pub(crate) now: Option<Timestamp>,
    /// Due orders with their deadlines.
    pub(crate) due: BTreeSet<(i64, OrderId)>,
    /// Orders whose deadline is not as the controls want it.
    pub(crate) untidy: BTreeSet<OrderId>,
}

/// The columns of a lane and the database's time in milliseconds.
pub(crate) fn lane_ask<'a>(id: TenantId, lock: bool) -> Ask<'a> {
    let (names, lock) = (
        tenant::LANES.names(""),
        if lock { " FOR UPDATE" } else { "" },
    );
    let sql = format!(
        "SELECT {names}, (EXTRACT(EPOCH FROM now()) * 1000)::bigint FROM lanes \
         WHERE tenant_id = $1{lock}"
    );
    Ask::new(sql).tenant(id)
}

/// Tenants with their timeouts: of one's own table, or of the function that sees all of them.
pub(crate) fn tenants_sql(from: &str, timeouts: &str, condition: &str) -> String {
    let names = tenant::TENANTS.names("t.");
    let of = |column: &str| {
        format!(
            "ARRAY(SELECT {column} FROM {timeouts} o WHERE o.tenant_id = t.tenant_id \
             ORDER BY o.kind, o.name)"
        )
    };
    format!(
        "SELECT t.tenant_id, {names}, {}, {}, {} FROM {from} t {condition}",
        of("o.kind"),
        of("o.name"),
        of("o.minutes")
    )
}

/// Reads a row of [`tenants_sql`].
pub(crate) fn read_tenant(c: &mut RowColumns) -> Result<Tenant, Error> {
    let mut found = tenant::read(c)?;
    let kinds: Vec<String> = c.list()?;
    let (names, minutes) = (c.list()?, c.list()?);
    for ((kind, name), minutes) in kinds.iter().zip(names).zip(minutes) {
        tenant::add_timeout(&mut found.settings, kind, name, minutes);
    }
    Ok(found)
}

/// The tenant, its locations; tenants and keys that are named.
pub(crate) fn basics<'a>(id: TenantId, needs: &'a Needs) -> Vec<(Part, Ask<'a>)> {
    let mut asks = Vec::new();
    if id == platform() {
        let ids: Vec<Uuid> = needs.tenants.iter().map(|id| id.uuid()).collect();
        let slugs: Vec<&'a str> = needs.slugs.iter().map(String::as_str).collect();
        if !(ids.is_empty() && slugs.is_empty()) {
            let found = "stockhold_tenants($1::uuid[] || stockhold_slugs($2))";
            let timeouts = "stockhold_timeouts(ARRAY[t.tenant_id])";
            let ask = Ask::new(tenants_sql(found, timeouts, ""))
                .with(Type::UUID_ARRAY, ids)
                .with(Type::TEXT_ARRAY, slugs);
            asks.push((Part::Tenants, ask));
        }
    } else {
        let sql = tenants_sql("tenants", "tenant_timeouts", "WHERE t.tenant_id = $1");
        asks.push((Part::Tenants, Ask::new(sql).tenant(id)));
        let sql = select(&catalogue::LOCATIONS, "true", "");
        asks.push((Part::Locations, Ask::new(sql).tenant(id)));
    }
    if !needs.webhook_events.is_empty() {
        let ids: Vec<Uuid> = needs.webhook_events.iter().map(|id| id.uuid()).collect();
        let keys = "SELECT unnest($2)";
        let sql = rows_of(&webhook::EVENTS, "webhook_event_id", keys, "");
        let ask = Ask::new(sql).tenant(id).with(Type::UUID_ARRAY, ids);
        asks.push((Part::WebhookEvents, ask));
    }
    if !needs.keys.is_empty() {
        let keys: Vec<Uuid> = needs.keys.iter().map(|id| id.uuid()).collect();
        let names = tenant::KEYS.names("");
        let sql = format!("SELECT tenant_id, {names} FROM stockhold_api_keys($1)");
        asks.push((Part::Keys, Ask::new(sql).with(Type::UUID_ARRAY, keys)));
    }
    asks
}

/// The answers that stand under claimed keys.
pub(crate) fn answers<'a>(id: TenantId, claims: &[KeyDigest]) -> Option<(Part, Ask<'a>)> {
    if claims.is_empty() {
        return None;
    }
    let sql = format!(
        "SELECT k.key, t.* FROM unnest($2) AS k (key) CROSS JOIN LATERAL (SELECT {} \
         FROM idempotency_keys WHERE tenant_id = $1 AND key = k.key OFFSET 0) AS t",
        rows::answer::COLUMNS
    );
    let keys: Vec<Uuid> = claims.iter().map(|key| Uuid::from_bytes(*key)).collect();
    let ask = Ask::new(sql).tenant(id).with(Type::UUID_ARRAY, keys);
    Some((Part::Answers, ask))
}

impl Loading {
    pub(crate) fn new(tenant: TenantId) -> Self {
        Self {
            state: State {
                tenant_id: Some(tenant),
                ..State::default()
            },
            ..Self::default()
        }
    }

    /// The keys of orders that are due or untidy, and not here yet.
    pub(crate) fn missing(&mut self) -> Option<Roots> {
        let due = std::mem::take(&mut self.due);
        self.state.more_due |= due.len() > DUE_MAX;
        let orders: BTreeSet<OrderId> = due
            .into_iter()
            .take(DUE_MAX)
            .map(|(_, order)| order)
            .chain(std::mem::take(&mut self.untidy))
            .filter(|order| !self.state.orders.contains(order))
            .collect();
        (!orders.is_empty()).then(|| Roots::of_orders(&orders))
    }

    pub(crate) fn take(&mut self, part: Part, rows: Vec<Row>) -> Result<(), Error> {
        let state = &mut self.state;
        match part {
            Part::Nothing => {}
            Part::Lane => {
                let read = |c: &mut RowColumns| Ok((tenant::read_lane(c)?, c.time()?));
                for (lane, now) in read_all(rows, read)? {
                    state.lane = lane;
                    self.now = Some(now);
                }
            }
            Part::Tenants => {
                for found in read_all(rows, read_tenant)? {
                    state.tenants.load(found.id, found);
                }
            }
            Part::Locations => {
                for location in read_all(rows, catalogue::read_location)? {
                    state.locations.load(location.id, location);
                }
            }
            Part::Keys => {
                for key in read_all(rows, tenant::read_key)? {
                    state.keys.load(key.id, key);
                }
            }
            Part::WebhookEvents => {
                for event in read_all(rows, webhook::read)? {
                    state.webhook_events.load(event.id, event);
                }
            }
            Part::Answers => {
                let read = |c: &mut RowColumns| {
                    let key = c.uuid()?.ok_or_else(|| c.unreadable("a key"))?;
                    Ok((key.into_bytes(), rows::answer::read(c)?))
                };
                self.answers.extend(read_all(rows, read)?);
            }
            Part::Due => {
                let read = |c: &mut RowColumns| Ok((c.maybe_int()?, c.id()?));
                let found = read_all(rows, read)?;
                let found = found
                    .into_iter()
                    .map(|(at, id)| (at.unwrap_or(i64::MIN), id));
                self.due.extend(found);
            }
            Part::Carts | Part::CartItems => take_carts(state, part, rows)?,
            Part::Variants | Part::Products | Part::Levels => take_catalogue(state, part, rows)?,
            _ => take_orders(state, part, rows)?,
        }
        Ok(())
    }
}

/// Rows by what they belong to.
fn grouped<K: Ord, V>(pairs: Vec<(K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut groups: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}

fn take_carts(state: &mut State, part: Part, rows: Vec<Row>) -> Result<(), Error> {
    if part == Part::Carts {
        for cart in read_all(rows, cart::read)? {
            state.carts.load(cart.id, cart);
        }
        return Ok(());
    }
    for (id, items) in grouped(read_all(rows, cart::read_item)?) {
        if let Some(mut cart) = state.carts.get(&id).cloned() {
            cart.items = items;
            state.carts.load(id, cart);
        }
    }
    Ok(())
}

fn take_catalogue(state: &mut State, part: Part, rows: Vec<Row>) -> Result<(), Error> {
    match part {
        Part::Variants => {
            for variant in read_all(rows, catalogue::read_variant)? {
                state.load_variant(variant);
            }
        }
        Part::Products => {
            for product in read_all(rows, catalogue::read_product)? {
                state.load_product(product);
            }
        }
        _ => {
            for level in read_all(rows, level::read)? {
                state.levels.load(level.key(), level);
            }
        }
    }
    Ok(())
}

/// Orders and what hangs on them.
fn take_orders(state: &mut State, part: Part, rows: Vec<Row>) -> Result<(), Error> {
    match part {
        Part::Orders => {
            for order in read_all(rows, order::read)? {
                state.orders.load(order.id, order);
            }
        }
        Part::Items => {
            for (id, items) in grouped(read_all(rows, order::read_item)?) {
                if let Some(mut order) = state.orders.get(&id).cloned() {
                    order.items = items;
                    state.orders.load(id, order);
                }
            }
        }
        Part::Contacts => {
            for (order, contact) in read_all(rows, order::read_contact)? {
                state.contacts.load(order, contact);
            }
        }
        Part::Holds => {
            for hold in read_all(rows, hold::read)? {
                state.holds.load((hold.order_id, hold.id), hold);
            }
        }
        Part::Payments => {
            for found in read_all(rows, payment::read)? {
                state.payments.load((found.order_id, found.id), found);
            }
        }
        Part::Refunds => {
            for refund in read_all(rows, payment::read_refund)? {
                state.refunds.load((refund.order_id, refund.id), refund);
            }
        }
        _ => {}
    }
    Ok(())
}
