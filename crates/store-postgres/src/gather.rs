//! The statements that follow keys to all that hangs on them (see [`domain::needs::Needs`]).
//!
//! Every statement takes the same parameters: `$1` the tenant, then the keys as arrays. So one
//! round trip brings everything, however the keys hang together.

use std::collections::BTreeSet;

use domain::ids::{OrderId, TenantId, TypedId, Uuid};
use domain::needs::Needs;
use rows::{Table, cart, catalogue, hold, level, order, payment};
use tokio_postgres::types::Type;

use crate::loading::Part;
use crate::pipeline::Ask;

/// Keys to follow, as they are sent.
#[derive(Default)]
pub(crate) struct Roots {
    variants: Vec<Uuid>,
    skus: Vec<String>,
    products: Vec<Uuid>,
    handles: Vec<String>,
    product_skus: Vec<String>,
    orders: Vec<Uuid>,
    payments: Vec<Uuid>,
    carts: Vec<Uuid>,
}

fn uuids<I: TypedId>(ids: &BTreeSet<I>) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// `want` of the rows of a table whose `key` is one of `keys`, a statement that gives one column.
///
/// The lateral subselect makes the planner look each key up by index, whatever it believes about
/// the table: with `key = ANY (…)` and the statistics of a young table it would rather read all of
/// a tenant's rows.
fn via(keys: &str, (table, key): (&str, &str), want: &str) -> String {
    format!(
        "SELECT t.{want} FROM ({keys}) AS k (id) CROSS JOIN LATERAL (SELECT {want} FROM {table} \
         WHERE tenant_id = $1 AND {key} = k.id OFFSET 0) AS t"
    )
}

/// All columns of those rows.
pub(crate) fn rows_of(table: &Table, key: &str, keys: &str, tail: &str) -> String {
    let (name, names) = (table.name, table.names(""));
    format!(
        "SELECT t.* FROM ({keys}) AS k (id) CROSS JOIN LATERAL (SELECT {names} FROM {name} \
         WHERE tenant_id = $1 AND {key} = k.id OFFSET 0) AS t{tail}"
    )
}

impl Roots {
    pub(crate) fn new(needs: &Needs) -> Self {
        Self {
            variants: uuids(&needs.variants),
            skus: needs.skus.iter().cloned().collect(),
            products: uuids(&needs.products),
            handles: needs.handles.iter().cloned().collect(),
            product_skus: needs.product_skus.iter().cloned().collect(),
            orders: uuids(&needs.orders),
            payments: uuids(&needs.payments),
            carts: uuids(&needs.carts),
        }
    }

    pub(crate) fn of_orders(orders: &BTreeSet<OrderId>) -> Self {
        Self {
            orders: uuids(orders),
            ..Self::default()
        }
    }

    fn has_orders(&self) -> bool {
        !(self.orders.is_empty() && self.payments.is_empty() && self.carts.is_empty())
    }

    fn has_products(&self) -> bool {
        !(self.products.is_empty() && self.handles.is_empty() && self.product_skus.is_empty())
    }

    fn has_variants(&self) -> bool {
        !(self.variants.is_empty() && self.skus.is_empty())
            || self.has_orders()
            || self.has_products()
    }

    /// The variants that the keys lead to.
    fn variants(&self) -> String {
        let mut ways = vec!["SELECT unnest($2)".to_owned()];
        let of_product = ("product_variants", "product_id");
        if !self.skus.is_empty() {
            let by_sku = ("product_variants", "sku");
            ways.push(via("SELECT unnest($3)", by_sku, "variant_id"));
        }
        if self.has_products() {
            ways.push(via(&self.products(), of_product, "variant_id"));
        }
        if !self.carts.is_empty() {
            let items = ("cart_items", "cart_id");
            ways.push(via("SELECT unnest($9)", items, "variant_id"));
        }
        if self.has_orders() {
            let orders = self.orders();
            ways.push(via(&orders, ("order_items", "order_id"), "variant_id"));
            let holds = ("stock_reservations", "order_id");
            ways.push(via(&orders, holds, "variant_id"));
        }
        ways.join(" UNION ")
    }

    /// The products that are named: by id, by handle, by the code of a variant.
    fn products(&self) -> String {
        let mut ways = vec!["SELECT unnest($4)".to_owned()];
        if !self.handles.is_empty() {
            let by_handle = ("products", "handle");
            ways.push(via("SELECT unnest($5)", by_handle, "product_id"));
        }
        if !self.product_skus.is_empty() {
            let by_sku = ("product_variants", "sku");
            ways.push(via("SELECT unnest($6)", by_sku, "product_id"));
        }
        ways.join(" UNION ")
    }

    /// The orders that the keys lead to.
    fn orders(&self) -> String {
        let mut ways = vec!["SELECT unnest($7)".to_owned()];
        if !self.payments.is_empty() {
            let payments = ("payments", "payment_id");
            ways.push(via("SELECT unnest($8)", payments, "order_id"));
        }
        if !self.carts.is_empty() {
            let carts = via("SELECT unnest($9)", ("carts", "cart_id"), "order_id");
            ways.push(format!("{carts} WHERE t.order_id IS NOT NULL"));
        }
        ways.join(" UNION ")
    }

    fn ask(&self, tenant: TenantId, sql: String) -> Ask<'_> {
        Ask::new(sql)
            .tenant(tenant)
            .with(Type::UUID_ARRAY, &self.variants)
            .with(Type::TEXT_ARRAY, &self.skus)
            .with(Type::UUID_ARRAY, &self.products)
            .with(Type::TEXT_ARRAY, &self.handles)
            .with(Type::TEXT_ARRAY, &self.product_skus)
            .with(Type::UUID_ARRAY, &self.orders)
            .with(Type::UUID_ARRAY, &self.payments)
            .with(Type::UUID_ARRAY, &self.carts)
    }

    /// Everything that the keys lead to. With `lock`, levels are locked for being changed, in the
    /// order of their keys.
    pub(crate) fn asks(&self, tenant: TenantId, lock: bool) -> Vec<(Part, Ask<'_>)> {
        let mut asks = Vec::new();
        let mut add = |part: Part, sql: String| asks.push((part, self.ask(tenant, sql)));
        if !self.carts.is_empty() {
            let keys = "SELECT unnest($9)";
            add(Part::Carts, rows_of(&cart::CARTS, "cart_id", keys, ""));
            add(Part::CartItems, cart_items(keys));
        }
        if self.has_orders() {
            let keys = self.orders();
            let mut of_orders = |part, table, tail| {
                add(part, rows_of(table, "order_id", &keys, tail));
            };
            of_orders(Part::Orders, &order::ORDERS, "");
            let in_order = " ORDER BY t.order_id, t.position";
            of_orders(Part::Items, &order::ITEMS, in_order);
            of_orders(Part::Contacts, &order::CONTACTS, "");
            of_orders(Part::Holds, &hold::HOLDS, "");
            of_orders(Part::Payments, &payment::PAYMENTS, "");
            of_orders(Part::Refunds, &payment::REFUNDS, "");
        }
        if self.has_variants() {
            let keys = self.variants();
            let variants = &catalogue::VARIANTS;
            add(Part::Variants, rows_of(variants, "variant_id", &keys, ""));
            let of_variants = via(&keys, ("product_variants", "variant_id"), "product_id");
            let products = [of_variants, self.products()].join(" UNION ");
            let table = &catalogue::PRODUCTS;
            add(Part::Products, rows_of(table, "product_id", &products, ""));
            add(Part::Levels, levels(&keys, lock));
        }
        asks
    }

    /// Orders whose holds on these variants are due, the first ones first. `$10` is the time in
    /// milliseconds, or NULL for the database's own; `$11` how many.
    pub(crate) fn due(&self, tenant: TenantId, at: Option<i64>, most: i64) -> Option<Ask<'_>> {
        if !self.has_variants() {
            return None;
        }
        let found = format!(" AND r.variant_id = ANY (ARRAY({}))", self.variants());
        let ask = self.ask(tenant, due_sql(&found, "$10", "$11"));
        Some(ask.with(Type::INT8, at).with(Type::INT8, most))
    }
}

/// Due orders with the deadline they passed, the first ones first. Only holds that may end count.
/// The bounds are subselects of their own, so that they bound the walk along the index.
pub(crate) fn due_sql(and: &str, at: &str, most: &str) -> String {
    let lane = |what: &str| format!("(SELECT {what} FROM lanes WHERE tenant_id = $1)");
    let may_end = lane("expiry_suspended_at IS NULL AND read_only_since IS NULL");
    let left_over = lane("COALESCE(expiry_resumed_at, -1)");
    let now = format!("COALESCE({at}, (EXTRACT(EPOCH FROM now()) * 1000)::bigint)");
    let last = lane(&format!("GREATEST(last_at, {now})"));
    format!(
        "SELECT DISTINCT r.expires_at, r.order_id FROM stock_reservations r \
         WHERE r.tenant_id = $1 AND r.status = 'active' AND {may_end} \
         AND r.expires_at > {left_over} AND r.expires_at <= {last}{and} \
         ORDER BY r.expires_at, r.order_id LIMIT {most}"
    )
}

/// Items of carts in the order in which they came.
fn cart_items(keys: &str) -> String {
    let names = cart::ITEMS.names("");
    let outer = cart::ITEMS.names("t.");
    format!(
        "SELECT {outer} FROM ({keys}) AS k (id) CROSS JOIN LATERAL (SELECT {names}, inserted \
         FROM cart_items WHERE tenant_id = $1 AND cart_id = k.id OFFSET 0) AS t \
         ORDER BY t.cart_id, t.inserted"
    )
}

/// Levels in the order of their keys, which is the order in which they are locked.
fn levels(keys: &str, lock: bool) -> String {
    let names = level::LEVELS.names("");
    let lock = if lock { "FOR UPDATE" } else { "OFFSET 0" };
    format!(
        "SELECT t.* FROM (SELECT id FROM ({keys}) AS u (id) ORDER BY id) AS k CROSS JOIN LATERAL \
         (SELECT {names} FROM stock_levels WHERE tenant_id = $1 AND variant_id = k.id \
         ORDER BY location_id {lock}) AS t"
    )
}

/// All columns of a tenant's rows.
pub(crate) fn select(table: &Table, and: &str, tail: &str) -> String {
    let (names, name) = (table.names(""), table.name);
    format!("SELECT {names} FROM {name} WHERE tenant_id = $1 AND {and}{tail}")
}
