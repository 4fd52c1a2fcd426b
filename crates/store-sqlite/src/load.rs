//! Loads a working set: follows every key of [`Needs`] to all that hangs on it.

use std::collections::BTreeSet;

use domain::ids::{OrderId, ProductId, TenantId, VariantId};
use domain::limits::DUE_MAX;
use domain::needs::Needs;
use domain::state::State;
use domain::time::Timestamp;
use rows::{Columns as _, Table, cart, catalogue, hold, level, order, payment, tenant, webhook};
use rusqlite::{Connection, Result};

use crate::cells::text;
use crate::columns::{RowColumns, all, one};
use crate::tenants::{read_lane, tenants};

/// What a tenant's lane needs. With `due_at`, what is due on its variants then comes along.
pub(crate) fn load(
    conn: &Connection,
    tenant_id: TenantId,
    needs: &Needs,
    due_at: Option<Timestamp>,
) -> Result<State> {
    let mut loading = Loading {
        conn,
        tenant: text(tenant_id),
        state: State::default(),
        orders: needs.orders.clone(),
        variants: needs.variants.clone(),
    };
    loading.lane(tenant_id, needs)?;
    loading.carts(needs)?;
    loading.find(needs)?;
    for id in loading.orders.clone() {
        loading.order(id)?;
    }
    let writes = loading.state.lane.controls.read_only_since.is_none();
    if let Some(now) = due_at.filter(|_| writes) {
        loading.due(needs.due, now.max(loading.state.lane.last_at))?;
        loading.untidy(needs.due)?;
    }
    for id in std::mem::take(&mut loading.variants) {
        loading.variant(id)?;
    }
    Ok(loading.state)
}

/// A deadline and its order.
fn read_deadline(c: &mut RowColumns<'_, '_>) -> Result<(Option<i64>, OrderId)> {
    Ok((c.maybe_int()?, c.id()?))
}

/// All columns of a tenant's rows, and which of them.
pub(crate) fn select(table: &Table, and: &str) -> String {
    let (names, name) = (table.names(""), table.name);
    format!("SELECT {names} FROM {name} WHERE tenant_id = ?1{and}")
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

struct Loading<'a> {
    conn: &'a Connection,
    tenant: String,
    state: State,
    orders: BTreeSet<OrderId>,
    variants: BTreeSet<VariantId>,
}

impl Loading<'_> {
    /// The lane's row, the tenant, its locations; tenants and keys that are named.
    fn lane(&mut self, tenant_id: TenantId, needs: &Needs) -> Result<()> {
        self.state.tenant_id = Some(tenant_id);
        self.state.lane = read_lane(self.conn, &self.tenant)?.unwrap_or_default();
        let ids = needs.tenants.iter().copied().chain([tenant_id]);
        let ids = ids.map(|id| ("WHERE tenant_id = ?1", text(id)));
        let slugs = needs.slugs.iter();
        let slugs = slugs.map(|slug| ("WHERE slug = ?1", slug.clone()));
        for (condition, key) in ids.chain(slugs) {
            for found in tenants(self.conn, condition, &[key])? {
                self.state.tenants.load(found.id, found);
            }
        }
        let sql = select(&catalogue::LOCATIONS, "");
        for location in all(self.conn, &sql, [&self.tenant], |c| {
            catalogue::read_location(c)
        })? {
            self.state.locations.load(location.id, location);
        }
        let sql = select(&webhook::EVENTS, " AND webhook_event_id = ?2");
        for id in &needs.webhook_events {
            let key = (&self.tenant, text(*id));
            if let Some(event) = one(self.conn, &sql, key, |c| webhook::read(c))? {
                self.state.webhook_events.load(*id, event);
            }
        }
        let names = tenant::KEYS.names("");
        let sql = format!("SELECT tenant_id, {names} FROM api_keys WHERE key_id = ?1");
        for id in &needs.keys {
            if let Some(key) = one(self.conn, &sql, [text(*id)], |c| tenant::read_key(c))? {
                self.state.keys.load(key.id, key);
            }
        }
        Ok(())
    }

    fn carts(&mut self, needs: &Needs) -> Result<()> {
        let sql = select(&cart::CARTS, " AND cart_id = ?2");
        let items = select(&cart::ITEMS, " AND cart_id = ?2 ORDER BY rowid");
        for id in &needs.carts {
            let key = (&self.tenant, text(*id));
            let Some(mut found) = one(self.conn, &sql, (key.0, &key.1), |c| cart::read(c))? else {
                continue;
            };
            let items = all(self.conn, &items, (key.0, &key.1), |c| cart::read_item(c))?;
            found.items = items.into_iter().map(|(_, item)| item).collect();
            self.variants
                .extend(found.items.iter().map(|item| item.variant_id));
            self.orders.extend(found.order_id);
            self.state.carts.load(*id, found);
        }
        Ok(())
    }

    /// Variants of codes and products, orders of payments.
    fn find(&mut self, needs: &Needs) -> Result<()> {
        for sku in &needs.skus {
            let sql = "SELECT variant_id FROM product_variants WHERE tenant_id = ?1 AND sku = ?2";
            self.variants
                .extend(one(self.conn, sql, (&self.tenant, sku), |c| {
                    c.id::<VariantId>()
                })?);
        }
        for id in &self.products(needs)? {
            let sql =
                "SELECT variant_id FROM product_variants WHERE tenant_id = ?1 AND product_id = ?2";
            let found = all(self.conn, sql, (&self.tenant, text(*id)), |c| {
                c.id::<VariantId>()
            })?;
            self.variants.extend(found);
            self.product(*id)?;
        }
        for id in &needs.payments {
            let sql = "SELECT order_id FROM payments WHERE tenant_id = ?1 AND payment_id = ?2";
            self.orders
                .extend(one(self.conn, sql, (&self.tenant, text(*id)), |c| {
                    c.id::<OrderId>()
                })?);
        }
        Ok(())
    }

    /// Products by id, by handle and by the code of a variant.
    fn products(&self, needs: &Needs) -> Result<BTreeSet<ProductId>> {
        let mut products = needs.products.clone();
        let by_handle = "SELECT product_id FROM products WHERE tenant_id = ?1 AND handle = ?2";
        let by_sku = "SELECT product_id FROM product_variants WHERE tenant_id = ?1 AND sku = ?2";
        let handles = needs.handles.iter().map(|handle| (by_handle, handle));
        let skus = needs.product_skus.iter().map(|sku| (by_sku, sku));
        for (sql, key) in handles.chain(skus) {
            products.extend(one(self.conn, sql, (&self.tenant, key), |c| {
                c.id::<ProductId>()
            })?);
        }
        Ok(products)
    }

    /// An order with its items, contact, holds, payments and refunds.
    fn order(&mut self, id: OrderId) -> Result<()> {
        let of_order = |table: &Table| select(table, " AND order_id = ?2");
        let (conn, key) = (self.conn, (self.tenant.clone(), text(id)));
        let key = || (&key.0, &key.1);
        let Some(mut found) = one(conn, &of_order(&order::ORDERS), key(), |c| order::read(c))?
        else {
            return Ok(());
        };
        let sql = of_order(&order::ITEMS) + " ORDER BY position";
        let items = all(conn, &sql, key(), |c| order::read_item(c))?;
        found.items = items.into_iter().map(|(_, item)| item).collect();
        self.variants
            .extend(found.items.iter().map(|item| item.variant_id));
        self.state.orders.load(id, found);
        let sql = of_order(&order::CONTACTS);
        if let Some((_, contact)) = one(conn, &sql, key(), |c| order::read_contact(c))? {
            self.state.contacts.load(id, contact);
        }
        for hold in all(conn, &of_order(&hold::HOLDS), key(), |c| hold::read(c))? {
            self.variants.insert(hold.variant_id);
            self.state.holds.load((id, hold.id), hold);
        }
        for found in all(conn, &of_order(&payment::PAYMENTS), key(), |c| {
            payment::read(c)
        })? {
            self.state.payments.load((id, found.id), found);
        }
        for refund in all(conn, &of_order(&payment::REFUNDS), key(), |c| {
            payment::read_refund(c)
        })? {
            self.state.refunds.load((id, refund.id), refund);
        }
        Ok(())
    }

    /// Orders with due holds on the variants so far, and the first `any` of all due ones.
    fn due(&mut self, any: usize, now: Timestamp) -> Result<()> {
        let controls = self.state.lane.controls;
        if !controls.expiry_runs() {
            return Ok(());
        }
        let left_over = controls
            .expiry_resumed_at
            .map_or(i64::MIN, Timestamp::millis);
        let sql = "SELECT order_id, variant_id FROM stock_reservations \
             INDEXED BY idx_reservations_expires_at \
             WHERE status = 'active' AND tenant_id = ?1 AND expires_at <= ?2 AND expires_at > ?3 \
             ORDER BY expires_at, order_id";
        let mut select = self.conn.prepare_cached(sql)?;
        let mut rows = select.query((&self.tenant, now.millis(), left_over))?;
        let mut any = if controls.cleanup_paused_at.is_some() {
            0
        } else {
            any
        };
        let mut seen: Option<OrderId> = None;
        let mut due: Vec<OrderId> = Vec::new();
        while any > 0 || !self.variants.is_empty() {
            let Some(row) = rows.next()? else { break };
            let mut c = RowColumns::new(row);
            let (order, variant): (OrderId, VariantId) = (c.id()?, c.id()?);
            let another = seen != Some(order);
            let among_the_first = any > 0;
            any -= usize::from(another && among_the_first);
            seen = Some(order);
            let wanted = (another && among_the_first) || self.variants.contains(&variant);
            if wanted && due.last() != Some(&order) {
                due.push(order);
            }
            if due.len() > DUE_MAX {
                self.state.more_due = true;
                due.truncate(DUE_MAX);
                break;
            }
        }
        drop(rows);
        drop(select);
        self.missing(due.into_iter())
    }

    /// The first `most` orders whose deadline is not as the controls want it.
    fn untidy(&mut self, most: usize) -> Result<()> {
        if most == 0 {
            return Ok(());
        }
        let controls = self.state.lane.controls;
        let left_over = controls.expiry_resumed_at.map(Timestamp::millis);
        let spans = match left_over {
            _ if !controls.expiry_runs() => vec!["IS NOT NULL".to_owned()],
            None => vec!["IS NULL".to_owned()],
            Some(at) => vec!["IS NULL".to_owned(), format!("<= {at}")],
        };
        let mut found: Vec<(Option<i64>, OrderId)> = Vec::new();
        for span in spans {
            let sql = format!(
                "SELECT DISTINCT r.expires_at, r.order_id FROM stock_reservations r \
                 INDEXED BY idx_reservations_expires_at \
                 JOIN orders o ON o.tenant_id = r.tenant_id AND o.order_id = r.order_id \
                 WHERE r.status = 'active' AND r.tenant_id = ?1 AND r.expires_at {span} \
                 AND o.on_hold_since IS NULL ORDER BY r.expires_at, r.order_id LIMIT ?2"
            );
            let key = (&self.tenant, limit(most - found.len()));
            found.extend(all(self.conn, &sql, key, read_deadline)?);
        }
        self.missing(found.into_iter().map(|(_, order)| order))
    }

    /// Loads orders that are not there yet.
    fn missing(&mut self, orders: impl Iterator<Item = OrderId>) -> Result<()> {
        for id in orders {
            if !self.state.orders.contains(&id) {
                self.order(id)?;
            }
        }
        Ok(())
    }

    fn product(&mut self, id: ProductId) -> Result<()> {
        if self.state.products.contains(&id) {
            return Ok(());
        }
        let sql = select(&catalogue::PRODUCTS, " AND product_id = ?2");
        let key = (&self.tenant, text(id));
        if let Some(product) = one(self.conn, &sql, key, |c| catalogue::read_product(c))? {
            self.state.load_product(product);
        }
        Ok(())
    }

    /// A variant with its product and levels.
    fn variant(&mut self, id: VariantId) -> Result<()> {
        let (conn, key) = (self.conn, (self.tenant.clone(), text(id)));
        let sql = select(&catalogue::VARIANTS, " AND variant_id = ?2");
        let Some(variant) = one(conn, &sql, (&key.0, &key.1), |c| catalogue::read_variant(c))?
        else {
            return Ok(());
        };
        self.product(variant.product_id)?;
        self.state.load_variant(variant);
        let sql = select(&level::LEVELS, " AND variant_id = ?2");
        for level in all(conn, &sql, (&key.0, &key.1), |c| level::read(c))? {
            self.state.levels.load(level.key(), level);
        }
        Ok(())
    }
}
