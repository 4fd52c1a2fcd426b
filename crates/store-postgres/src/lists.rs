//! Lists, sums and explanations, for reading only.

use domain::ids::{LocationId, OrderId, TenantId, TypedId as _, Uuid, VariantId};
use domain::money::Amount;
use domain::stock::StockLevel;
use domain::time::Timestamp;
use engine::reader::{
    HoldFilter, OrderFilter, OrderSort, OrderStats, Page, ProductFilter, Start, WebhookFilter,
};
use rows::{Columns as _, hold, level, webhook};
use tokio_postgres::types::{ToSql, Type};

use crate::columns::RowColumns;
use crate::error::Error;
use crate::pipeline::{Ask, Param};

/// Conditions with their values, joined by AND.
pub(crate) struct Where {
    sql: String,
    values: Vec<(Type, Param<'static>)>,
}

impl Where {
    pub(crate) fn tenant(tenant: TenantId) -> Self {
        let mut conditions = Self {
            sql: "WHERE tenant_id = ".to_owned(),
            values: Vec::new(),
        };
        let tenant = conditions.value(Type::UUID, tenant.uuid());
        conditions.sql.push_str(&tenant);
        conditions
    }

    /// Adds a value; what stands for it in SQL.
    fn value(&mut self, ty: Type, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push((ty, Box::new(value)));
        format!("${}", self.values.len())
    }

    /// Adds a condition in which `?` stands for the value, as often as it is wanted.
    fn and(&mut self, condition: &str, ty: Type, value: impl ToSql + Sync + Send + 'static) {
        let value = self.value(ty, value);
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition.replace('?', &value));
    }

    pub(crate) fn and_maybe<T: ToSql + Sync + Send + 'static>(
        &mut self,
        condition: &str,
        ty: Type,
        value: Option<T>,
    ) {
        if let Some(value) = value {
            self.and(condition, ty, value);
        }
    }

    /// Behind the page's start, in the order of the id, or of another column and the id.
    pub(crate) fn page(&mut self, page: &Page, (sort, id): (Option<&str>, &str), ascending: bool) {
        let (sign, way) = if ascending {
            (">", "ASC")
        } else {
            ("<", "DESC")
        };
        let mut offset = 0;
        match (&page.from, sort) {
            (Start::After(value, after), Some(sort)) => {
                let after = self.value(Type::UUID, *after);
                let condition = format!("({sort}, {id}) {sign} (?, {after})");
                self.and(&condition, Type::INT8, *value);
            }
            (Start::After(_, after), None) => {
                self.and(&format!("{id} {sign} ?"), Type::UUID, *after);
            }
            (Start::Offset(rows), _) => offset = *rows,
        }
        let sort = sort
            .map(|sort| format!("{sort} {way}, "))
            .unwrap_or_default();
        let limit = page.limit + 1;
        let tail = format!(" ORDER BY {sort}{id} {way} LIMIT {limit} OFFSET {offset}");
        self.sql.push_str(&tail);
    }

    pub(crate) fn ask(self, select: &str, tail: &str) -> Ask<'static> {
        let mut ask = Ask::new(format!("{select} {}{tail}", self.sql));
        for (ty, value) in self.values {
            ask.push(ty, value);
        }
        ask
    }
}

/// A pattern that finds `part` anywhere.
fn like(part: &str) -> String {
    let escaped = part
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%")
}

/// An id and the value by which its list is sorted.
pub(crate) fn read_sorted<I: domain::ids::TypedId>(c: &mut RowColumns) -> Result<(I, i64), Error> {
    Ok((c.id()?, c.int()?))
}

/// Cuts the row that only tells that there are more; returns the last row's sort value then.
pub(crate) fn cut<T>(rows: &mut Vec<(T, i64)>, limit: usize) -> Option<i64> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more).map(|(_, sort)| *sort)
}

/// Ids of products with the time by which they are sorted.
pub(crate) fn products(tenant: TenantId, filter: &ProductFilter, page: &Page) -> Ask<'static> {
    let mut conditions = Where::tenant(tenant);
    conditions.sql.push_str(" AND status = 'active'");
    let found = "(title ILIKE ? OR description ILIKE ? OR EXISTS \
         (SELECT 1 FROM product_variants v WHERE v.tenant_id = products.tenant_id \
         AND v.product_id = products.product_id AND v.sku ILIKE ?))";
    conditions.and_maybe(found, Type::TEXT, filter.search.as_deref().map(like));
    conditions.page(page, (Some("created_at"), "product_id"), false);
    conditions.ask("SELECT product_id, created_at FROM products", "")
}

/// How many orders there are.
pub(crate) fn count_orders(tenant: TenantId, filter: &OrderFilter) -> Ask<'static> {
    order_conditions(tenant, filter).ask("SELECT count(*) FROM orders", "")
}

/// Ids of orders with the value by which they are sorted.
pub(crate) fn orders(tenant: TenantId, filter: &OrderFilter, page: &Page) -> Ask<'static> {
    let mut conditions = order_conditions(tenant, filter);
    // An order's id begins with its time: the primary key has the order of making.
    let (sort, by) = match filter.sort {
        OrderSort::CreatedAt => ("created_at", None),
        OrderSort::TotalAmount => ("total_amount", Some("total_amount")),
    };
    conditions.page(page, (by, "order_id"), filter.ascending);
    conditions.ask(&format!("SELECT order_id, {sort} FROM orders"), "")
}

fn order_conditions(tenant: TenantId, filter: &OrderFilter) -> Where {
    let mut conditions = Where::tenant(tenant);
    let status = filter.status.map(domain::order::OrderStatus::name);
    conditions.and_maybe("status = ?", Type::TEXT, status);
    let payment_status = filter.payment_status.map(domain::order::PaymentState::name);
    conditions.and_maybe("payment_status = ?", Type::TEXT, payment_status);
    let customer_id = filter.customer_id.clone();
    conditions.and_maybe("customer_id = ?", Type::TEXT, customer_id);
    let contact = "EXISTS (SELECT 1 FROM order_contacts c WHERE c.tenant_id = orders.tenant_id \
         AND c.order_id = orders.order_id AND c.customer_email";
    let email = filter.customer_email.clone();
    conditions.and_maybe(&format!("{contact} = ?)"), Type::TEXT, email);
    let millis = |at: Option<Timestamp>| at.map(Timestamp::millis);
    conditions.and_maybe("created_at >= ?", Type::INT8, millis(filter.from_date));
    conditions.and_maybe("created_at <= ?", Type::INT8, millis(filter.to_date));
    let minor = |amount: Option<Amount>| amount.map(Amount::minor);
    conditions.and_maybe("total_amount >= ?", Type::INT8, minor(filter.min_amount));
    conditions.and_maybe("total_amount <= ?", Type::INT8, minor(filter.max_amount));
    let found = format!(
        "(order_number::text LIKE ? OR customer_id ILIKE ? OR tracking_number ILIKE ? \
         OR {contact} ILIKE ?))"
    );
    conditions.and_maybe(&found, Type::TEXT, filter.search.as_deref().map(like));
    conditions
}

/// Orders made in a span of time, by currency.
pub(crate) fn order_stats(
    tenant: TenantId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Ask<'static> {
    let filter = OrderFilter {
        from_date: from,
        to_date: to,
        ..OrderFilter::default()
    };
    order_conditions(tenant, &filter).ask(
        "SELECT currency, count(*), COALESCE(SUM(COALESCE((SELECT SUM(amount - refunded_amount) \
         FROM payments p WHERE p.tenant_id = orders.tenant_id AND p.order_id = orders.order_id \
         AND p.status IN ('succeeded', 'partially_refunded', 'refunded')), 0)), 0)::bigint, \
         count(*) FILTER (WHERE status = 'pending'), \
         count(*) FILTER (WHERE status = 'delivered'), \
         count(*) FILTER (WHERE payment_status IN ('paid', 'partially_refunded')) FROM orders",
        " GROUP BY currency ORDER BY count(*) DESC, currency",
    )
}

pub(crate) fn read_stats(c: &mut RowColumns) -> Result<OrderStats, Error> {
    Ok(OrderStats {
        currency: c.text()?,
        total_orders: c.int()?,
        total_revenue: c.int()?,
        pending_orders: c.int()?,
        completed_orders: c.int()?,
        paid_orders: c.int()?,
    })
}

/// Stock levels, one more than the page takes.
pub(crate) fn levels(
    tenant: TenantId,
    (variant, location): (Option<VariantId>, Option<LocationId>),
    (limit, offset): (usize, usize),
) -> Ask<'static> {
    let mut conditions = Where::tenant(tenant);
    let variant = variant.map(domain::ids::TypedId::uuid);
    conditions.and_maybe("variant_id = ?", Type::UUID, variant);
    let location = location.map(domain::ids::TypedId::uuid);
    conditions.and_maybe("location_id = ?", Type::UUID, location);
    conditions.ask(
        &format!("SELECT {} FROM stock_levels", level::LEVELS.names("")),
        &format!(
            " ORDER BY variant_id DESC, location_id LIMIT {} OFFSET {offset}",
            limit + 1
        ),
    )
}

/// The page that reading levels wants, as limit and offset.
pub(crate) fn level_page(page: &Page) -> Option<(usize, usize)> {
    match page.from {
        Start::Offset(offset) => Some((page.limit, offset)),
        Start::After(..) => None,
    }
}

/// Whether there are more levels than the page takes.
pub(crate) fn cut_levels(mut levels: Vec<StockLevel>, limit: usize) -> (Vec<StockLevel>, bool) {
    let more = levels.len() > limit;
    levels.truncate(limit);
    (levels, more)
}

/// Holds, one more than the page takes.
pub(crate) fn holds(tenant: TenantId, filter: &HoldFilter, page: &Page) -> Ask<'static> {
    let mut conditions = Where::tenant(tenant);
    let order: Option<Uuid> = filter.order_id.map(OrderId::uuid);
    conditions.and_maybe("order_id = ?", Type::UUID, order);
    let variant = filter.variant_id.map(domain::ids::TypedId::uuid);
    conditions.and_maybe("variant_id = ?", Type::UUID, variant);
    let status = filter.status.map(domain::stock::HoldStatus::name);
    conditions.and_maybe("status = ?", Type::TEXT, status);
    conditions.page(page, (Some("reserved_at"), "reservation_id"), false);
    let select = format!("SELECT {} FROM stock_reservations", hold::HOLDS.names(""));
    conditions.ask(&select, "")
}

pub(crate) fn webhook_events(tenant: TenantId, filter: WebhookFilter, page: &Page) -> Ask<'static> {
    let mut conditions = Where::tenant(tenant);
    if let Some(status) = filter.status {
        // As a literal, so that a generic plan may use the index of dead letters.
        let condition = format!(" AND status = '{}'", status.name());
        conditions.sql.push_str(&condition);
    }
    let provider = filter.provider.map(domain::payment::Provider::name);
    conditions.and_maybe("provider = ?", Type::TEXT, provider);
    let payment = filter.payment_id.map(domain::ids::TypedId::uuid);
    conditions.and_maybe("payment_id = ?", Type::UUID, payment);
    conditions.page(page, (Some("received_at"), "webhook_event_id"), false);
    let names = webhook::listed("''::bytea");
    conditions.ask(&format!("SELECT {names} FROM webhook_events"), "")
}

/// Ids behind `after` in their order: of products or orders.
pub(crate) fn ids_behind(
    (table, column): (&str, &str),
    tenant: TenantId,
    after: Option<Uuid>,
    limit: usize,
) -> Ask<'static> {
    let mut conditions = Where::tenant(tenant);
    conditions.and_maybe(&format!("{column} > ?"), Type::UUID, after);
    let tail = format!(" ORDER BY {column} LIMIT {limit}");
    conditions.ask(&format!("SELECT {column} FROM {table}"), &tail)
}
