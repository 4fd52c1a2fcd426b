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

/// The variants that the keys lead to.
const VARIANTS: &str = "SELECT unnest($2) \
     UNION SELECT variant_id FROM product_variants WHERE tenant_id = $1 AND sku = ANY ($3) \
     UNION SELECT variant_id FROM product_variants WHERE tenant_id = $1 AND product_id = ANY ($4) \
     UNION SELECT v.variant_id FROM products p JOIN product_variants v \
         ON v.tenant_id = p.tenant_id AND v.product_id = p.product_id \
         WHERE p.tenant_id = $1 AND p.handle = ANY ($5) \
     UNION SELECT v.variant_id FROM product_variants s JOIN product_variants v \
         ON v.tenant_id = s.tenant_id AND v.product_id = s.product_id \
         WHERE s.tenant_id = $1 AND s.sku = ANY ($6) \
     UNION SELECT variant_id FROM cart_items WHERE tenant_id = $1 AND cart_id = ANY ($9) \
     UNION SELECT variant_id FROM order_items WHERE tenant_id = $1 AND order_id = ANY (ARRAY(ORDERS)) \
     UNION SELECT variant_id FROM stock_reservations \
         WHERE tenant_id = $1 AND order_id = ANY (ARRAY(ORDERS))";
/// The orders that the keys lead to.
const ORDERS: &str = "SELECT unnest($7) \
     UNION SELECT order_id FROM payments WHERE tenant_id = $1 AND payment_id = ANY ($8) \
     UNION SELECT order_id FROM carts \
         WHERE tenant_id = $1 AND cart_id = ANY ($9) AND order_id IS NOT NULL";

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

    /// What `column` must be among, to be one of the variants that the keys lead to.
    fn among_variants(&self, column: &str) -> String {
        if self.skus.is_empty() && !self.has_orders() && !self.has_products() {
            format!("{column} = ANY ($2)")
        } else {
            let variants = VARIANTS.replace("ORDERS", ORDERS);
            format!("{column} = ANY (ARRAY({variants}))")
        }
    }

    /// The same for orders.
    fn among_orders(&self, column: &str) -> String {
        if self.payments.is_empty() && self.carts.is_empty() {
            format!("{column} = ANY ($7)")
        } else {
            format!("{column} = ANY (ARRAY({ORDERS}))")
        }
    }

    fn ask<'a>(&'a self, tenant: TenantId, sql: String) -> Ask<'a> {
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
            let of_carts = "cart_id = ANY ($9)";
            add(Part::Carts, select(&cart::CARTS, of_carts, ""));
            let in_order = " ORDER BY cart_id, inserted";
            add(Part::CartItems, select(&cart::ITEMS, of_carts, in_order));
        }
        if self.has_orders() {
            let found = self.among_orders("order_id");
            add(Part::Orders, select(&order::ORDERS, &found, ""));
            let in_order = " ORDER BY order_id, position";
            add(Part::Items, select(&order::ITEMS, &found, in_order));
            add(Part::Contacts, select(&order::CONTACTS, &found, ""));
            add(Part::Holds, select(&hold::HOLDS, &found, ""));
            add(Part::Payments, select(&payment::PAYMENTS, &found, ""));
            add(Part::Refunds, select(&payment::REFUNDS, &found, ""));
        }
        if self.has_variants() {
            let found = self.among_variants("variant_id");
            add(Part::Variants, select(&catalogue::VARIANTS, &found, ""));
            add(Part::Products, self.products(&found));
            let tail = " ORDER BY variant_id, location_id";
            let lock = if lock { " FOR UPDATE" } else { "" };
            let tail = format!("{tail}{lock}");
            add(Part::Levels, select(&level::LEVELS, &found, &tail));
        }
        asks
    }

    /// The products of the variants, and those that are named themselves.
    fn products(&self, variants: &str) -> String {
        let mut found = format!(
            "product_id = ANY (ARRAY(SELECT product_id FROM product_variants \
             WHERE tenant_id = $1 AND {variants}"
        );
        if self.has_products() {
            found.push_str(
                " UNION SELECT unnest($4) UNION SELECT product_id FROM products \
                 WHERE tenant_id = $1 AND handle = ANY ($5)",
            );
        }
        found.push_str("))");
        select(&catalogue::PRODUCTS, &found, "")
    }

    /// Orders whose holds on these variants are due, the first ones first. `$10` is the time in
    /// milliseconds, or NULL for the database's own; `$11` how many.
    pub(crate) fn due(&self, tenant: TenantId, at: Option<i64>, most: i64) -> Option<Ask<'_>> {
        if !self.has_variants() {
            return None;
        }
        let found = self.among_variants("r.variant_id");
        let ask = self.ask(tenant, due_sql(&format!(" AND {found}"), "$10", "$11"));
        Some(ask.with(Type::INT8, at).with(Type::INT8, most))
    }
}

/// Due orders with the deadline they passed, the first ones first. Only holds that may end count.
pub(crate) fn due_sql(and: &str, at: &str, most: &str) -> String {
    format!(
        "SELECT DISTINCT r.expires_at, r.order_id FROM lanes l JOIN stock_reservations r \
         ON r.tenant_id = l.tenant_id WHERE l.tenant_id = $1 AND r.tenant_id = $1 \
         AND l.expiry_suspended_at IS NULL AND l.read_only_since IS NULL \
         AND r.status = 'active' AND r.expires_at > COALESCE(l.expiry_resumed_at, -1) \
         AND r.expires_at <= GREATEST(l.last_at, \
             COALESCE({at}, (EXTRACT(EPOCH FROM now()) * 1000)::bigint)){and} \
         ORDER BY r.expires_at, r.order_id LIMIT {most}"
    )
}

/// All columns of a tenant's rows.
pub(crate) fn select(table: &Table, and: &str, tail: &str) -> String {
    let (names, name) = (table.names(""), table.name);
    format!("SELECT {names} FROM {name} WHERE tenant_id = $1 AND {and}{tail}")
}
