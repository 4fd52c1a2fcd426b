//! Lists, sums and explanations, for reading only.

use domain::ids::{LocationId, OrderId, ProductId, TenantId, VariantId};
use domain::money::Amount;
use domain::needs::Needs;
use domain::stock::{Movement, StockLevel};
use domain::time::Timestamp;
use domain::webhook::WebhookEvent;
use engine::reader::{
    Explanation, HoldFilter, Holds, Listed, OrderFilter, OrderSort, OrderStats, Page,
    ProductFilter, RawEvent, Start, WebhookFilter,
};
use rows::{Columns as _, event, hold, level, webhook};
use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};

use crate::cells::text;
use crate::columns::{all, one};
use crate::load::{load, select};

/// Conditions with their values, joined by AND.
pub(crate) struct Where {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Where {
    pub(crate) fn tenant(tenant: TenantId) -> Self {
        Self {
            sql: "WHERE tenant_id = ?".to_owned(),
            values: vec![text(tenant).into()],
        }
    }

    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
    }

    pub(crate) fn and_maybe(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.and(condition, [value.into()]);
        }
    }

    /// Behind the page's start, in the order of the id, or of another column and the id.
    pub(crate) fn page(
        &mut self,
        page: &Page,
        (sort, id): (Option<&str>, &str),
        ascending: bool,
    ) -> String {
        let (sign, way) = if ascending {
            (">", "ASC")
        } else {
            ("<", "DESC")
        };
        let mut offset = 0;
        match (&page.from, sort) {
            (Start::After(value, after), Some(sort)) => {
                let condition = format!("({sort}, {id}) {sign} (?, ?)");
                self.and(&condition, [(*value).into(), after.to_string().into()]);
            }
            (Start::After(_, after), None) => {
                self.and(&format!("{id} {sign} ?"), [after.to_string().into()]);
            }
            (Start::Offset(rows), _) => offset = *rows,
        }
        let sort = sort
            .map(|sort| format!("{sort} {way}, "))
            .unwrap_or_default();
        let limit = page.limit + 1;
        format!(
            "{} ORDER BY {sort}{id} {way} LIMIT {limit} OFFSET {offset}",
            self.sql
        )
    }
}

/// A pattern that finds `part` anywhere.
fn like(part: &str) -> Value {
    let escaped = part
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%").into()
}

/// Cuts the row that only tells that there are more; returns the last row's sort value then.
fn cut<T>(rows: &mut Vec<(T, i64)>, limit: usize) -> Option<i64> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more).map(|(_, sort)| *sort)
}

pub(crate) fn products(
    conn: &Connection,
    tenant: TenantId,
    filter: &ProductFilter,
    page: &Page,
) -> Result<Listed<ProductId>> {
    let mut conditions = Where::tenant(tenant);
    conditions.and("status = ?", ["active".to_owned().into()]);
    if let Some(search) = &filter.search {
        let found = "(title LIKE ? ESCAPE '\\' OR description LIKE ? ESCAPE '\\' OR EXISTS \
             (SELECT 1 FROM product_variants v WHERE v.tenant_id = products.tenant_id \
             AND v.product_id = products.product_id AND v.sku LIKE ? ESCAPE '\\'))";
        conditions.and(found, [like(search), like(search), like(search)]);
    }
    let tail = conditions.page(page, (Some("created_at"), "product_id"), false);
    let sql = format!("SELECT product_id, created_at FROM products {tail}");
    let mut rows = all(conn, &sql, params_from_iter(&conditions.values), |c| {
        Ok((c.id::<ProductId>()?, c.int()?))
    })?;
    let next = cut(&mut rows, page.limit);
    let ids: Vec<_> = rows.into_iter().map(|(id, _)| id).collect();
    let needs = Needs {
        products: ids.iter().copied().collect(),
        ..Needs::default()
    };
    let state = load(conn, tenant, &needs, None)?;
    Ok(Listed {
        ids,
        next,
        total: None,
        state,
    })
}

pub(crate) fn orders(
    conn: &Connection,
    tenant: TenantId,
    filter: &OrderFilter,
    page: &Page,
) -> Result<Listed<OrderId>> {
    let mut conditions = order_conditions(tenant, filter);
    let total = if page.count {
        let sql = format!("SELECT count(*) FROM orders {}", conditions.sql);
        one(conn, &sql, params_from_iter(&conditions.values), |c| {
            c.int()
        })?
    } else {
        None
    };
    // An order's id begins with its time: the primary key has the order of making.
    let (sort, by) = match filter.sort {
        OrderSort::CreatedAt => ("created_at", None),
        OrderSort::TotalAmount => ("total_amount", Some("total_amount")),
    };
    let tail = conditions.page(page, (by, "order_id"), filter.ascending);
    let sql = format!("SELECT order_id, {sort} FROM orders {tail}");
    let mut rows = all(conn, &sql, params_from_iter(&conditions.values), |c| {
        Ok((c.id::<OrderId>()?, c.int()?))
    })?;
    let next = cut(&mut rows, page.limit);
    let ids: Vec<_> = rows.into_iter().map(|(id, _)| id).collect();
    let needs = Needs {
        orders: ids.iter().copied().collect(),
        ..Needs::default()
    };
    let state = load(conn, tenant, &needs, None)?;
    Ok(Listed {
        ids,
        next,
        total,
        state,
    })
}

fn order_conditions(tenant: TenantId, filter: &OrderFilter) -> Where {
    let mut conditions = Where::tenant(tenant);
    conditions.and_maybe("status = ?", filter.status.map(|s| s.name().to_owned()));
    let payment_status = filter.payment_status.map(|s| s.name().to_owned());
    conditions.and_maybe("payment_status = ?", payment_status);
    conditions.and_maybe("customer_id = ?", filter.customer_id.clone());
    let contact = "EXISTS (SELECT 1 FROM order_contacts c WHERE c.tenant_id = orders.tenant_id \
         AND c.order_id = orders.order_id AND c.customer_email";
    conditions.and_maybe(&format!("{contact} = ?)"), filter.customer_email.clone());
    conditions.and_maybe("created_at >= ?", filter.from_date.map(Timestamp::millis));
    conditions.and_maybe("created_at <= ?", filter.to_date.map(Timestamp::millis));
    conditions.and_maybe("total_amount >= ?", filter.min_amount.map(Amount::minor));
    conditions.and_maybe("total_amount <= ?", filter.max_amount.map(Amount::minor));
    if let Some(search) = &filter.search {
        let found = format!(
            "(CAST(order_number AS TEXT) LIKE ? ESCAPE '\\' OR customer_id LIKE ? ESCAPE '\\' \
             OR tracking_number LIKE ? ESCAPE '\\' OR {contact} LIKE ? ESCAPE '\\'))"
        );
        conditions.and(&found, std::iter::repeat_with(|| like(search)).take(4));
    }
    conditions
}

pub(crate) fn order_stats(
    conn: &Connection,
    tenant: TenantId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Vec<OrderStats>> {
    let filter = OrderFilter {
        from_date: from,
        to_date: to,
        ..OrderFilter::default()
    };
    let conditions = order_conditions(tenant, &filter);
    let sql = format!(
        "SELECT currency, count(*), COALESCE(SUM(COALESCE((SELECT SUM(amount - refunded_amount) \
         FROM payments p WHERE p.tenant_id = orders.tenant_id AND p.order_id = orders.order_id \
         AND p.status IN ('succeeded', 'partially_refunded', 'refunded')), 0)), 0), \
         SUM(status = 'pending'), SUM(status = 'delivered'), \
         SUM(payment_status IN ('paid', 'partially_refunded')) \
         FROM orders {} GROUP BY currency ORDER BY count(*) DESC, currency",
        conditions.sql
    );
    all(conn, &sql, params_from_iter(&conditions.values), |c| {
        Ok(OrderStats {
            currency: c.text()?,
            total_orders: c.int()?,
            total_revenue: c.int()?,
            pending_orders: c.int()?,
            completed_orders: c.int()?,
            paid_orders: c.int()?,
        })
    })
}

pub(crate) fn levels(
    conn: &Connection,
    tenant: TenantId,
    (variant, location): (Option<VariantId>, Option<LocationId>),
    page: &Page,
) -> Result<(Vec<StockLevel>, bool)> {
    let mut conditions = Where::tenant(tenant);
    conditions.and_maybe("variant_id = ?", variant.map(text));
    conditions.and_maybe("location_id = ?", location.map(text));
    let Start::Offset(offset) = page.from else {
        return Ok((Vec::new(), false));
    };
    let sql = format!(
        "SELECT {} FROM stock_levels {} ORDER BY variant_id DESC, location_id LIMIT {} OFFSET {}",
        level::LEVELS.names(""),
        conditions.sql,
        page.limit + 1,
        offset
    );
    let mut rows = all(conn, &sql, params_from_iter(&conditions.values), |c| {
        level::read(c)
    })?;
    let more = rows.len() > page.limit;
    rows.truncate(page.limit);
    Ok((rows, more))
}

pub(crate) fn holds(
    conn: &Connection,
    tenant: TenantId,
    filter: &HoldFilter,
    page: &Page,
) -> Result<Holds> {
    let mut conditions = Where::tenant(tenant);
    conditions.and_maybe("order_id = ?", filter.order_id.map(text));
    conditions.and_maybe("variant_id = ?", filter.variant_id.map(text));
    conditions.and_maybe("status = ?", filter.status.map(|s| s.name().to_owned()));
    let tail = conditions.page(page, (Some("reserved_at"), "reservation_id"), false);
    let names = hold::HOLDS.names("");
    let sql = format!("SELECT {names} FROM stock_reservations {tail}");
    let mut holds = all(conn, &sql, params_from_iter(&conditions.values), |c| {
        hold::read(c)
    })?;
    let more = holds.len() > page.limit;
    holds.truncate(page.limit);
    let next = holds
        .last()
        .filter(|_| more)
        .map(|hold| (hold.reserved_at.millis(), hold.id));
    Ok(Holds { holds, next })
}

pub(crate) fn webhook_events(
    conn: &Connection,
    tenant: TenantId,
    filter: WebhookFilter,
    page: &Page,
) -> Result<(Vec<WebhookEvent>, bool)> {
    let mut conditions = Where::tenant(tenant);
    conditions.and_maybe("status = ?", filter.status.map(|s| s.name().to_owned()));
    conditions.and_maybe("provider = ?", filter.provider.map(|p| p.name().to_owned()));
    conditions.and_maybe("payment_id = ?", filter.payment_id.map(text));
    let tail = conditions.page(page, (Some("received_at"), "webhook_event_id"), false);
    let names = webhook::listed("x''");
    let sql = format!("SELECT {names} FROM webhook_events {tail}");
    let mut found = all(conn, &sql, params_from_iter(&conditions.values), |c| {
        webhook::read(c)
    })?;
    let more = found.len() > page.limit;
    found.truncate(page.limit);
    Ok((found, more))
}

/// Walks each level's chain of movements back from its last one; no index is needed.
pub(crate) fn explain(
    conn: &Connection,
    tenant: TenantId,
    variant: VariantId,
    movements_max: usize,
) -> Result<Explanation> {
    let page = Page {
        limit: 1_000,
        from: Start::Offset(0),
        count: false,
    };
    let (levels, _) = levels(conn, tenant, (Some(variant), None), &page)?;
    let sql = format!(
        "SELECT {} FROM stock_reservations INDEXED BY idx_reservations_expires_at \
         WHERE status = 'active' AND tenant_id = ?1 AND variant_id = ?2 \
         ORDER BY expires_at LIMIT 1000",
        hold::HOLDS.names("")
    );
    let holds = all(conn, &sql, (text(tenant), text(variant)), |c| hold::read(c))?;
    let mut heads: Vec<(i64, LocationId)> = levels
        .iter()
        .map(|level| (level.last_seq, level.location_id))
        .collect();
    let mut movements: Vec<(RawEvent, Movement)> = Vec::new();
    let sql = select(&event::EVENTS, " AND seq = ?2");
    while movements.len() < movements_max {
        heads.sort_unstable_by_key(|(seq, _)| *seq);
        let Some((seq, location)) = heads.pop().filter(|(seq, _)| *seq > 0) else {
            break;
        };
        let Some(found) = one(conn, &sql, (text(tenant), seq), |c| event::read(c))? else {
            break;
        };
        let here = |m: &&Movement| m.variant_id == variant && m.location_id == location;
        let Some(movement) = found.movements.iter().find(here).cloned() else {
            break;
        };
        heads.push((movement.previous_seq, location));
        movements.push((found, movement));
    }
    Ok(Explanation {
        levels,
        holds,
        movements,
    })
}
