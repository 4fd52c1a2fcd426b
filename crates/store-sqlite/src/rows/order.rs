//! `orders`, `order_items` and `order_contacts`.

use domain::ids::OrderId;
use domain::order::{
    Contact, FinancialStatus, OnHold, Order, OrderItem, OrderStatus, PaymentState, Totals,
};
use rusqlite::{Connection, Result, Row, params};

use crate::columns::{Columns, pairs, text};

pub(crate) const ORDER: &str = "order_id, order_number, status, payment_status, \
     financial_status, currency, subtotal, discount_amount, tax_amount, shipping_fee, \
     total_amount, given_tax, given_shipping, customer_id, customer_tier, payment_method, \
     payment_reference, payment_expires_at, hold_extended_millis, locked_at, snapshot_hash, \
     paid_at, shipped_at, delivered_at, on_hold_since, on_hold_by, on_hold_reason, \
     cancelled_at, tracking_number, carrier, notes, admin_notes, cart_id, idempotency_key, version, created_at, updated_at";
pub(crate) const ITEM: &str = "item_id, product_id, variant_id, location_id, location_forced, \
     sku, title, variant_title, options, quantity, unit_price, discount, total_price";
pub(crate) const CONTACT: &str = "customer_email, shipping_address, shipping_city, \
     shipping_state, shipping_pincode, shipping_phone";

/// Reads an order without its items.
pub(crate) fn read(row: &Row<'_>) -> Result<Order> {
    let mut c = Columns::new(row);
    Ok(Order {
        id: c.id()?,
        number: c.get()?,
        status: c.name(OrderStatus::parse)?,
        payment_status: c.name(PaymentState::parse)?,
        financial_status: c.name(FinancialStatus::parse)?,
        currency: c.currency()?,
        totals: Totals {
            subtotal: c.amount()?,
            discount_amount: c.amount()?,
            tax_amount: c.amount()?,
            shipping_fee: c.amount()?,
            total_amount: c.amount()?,
        },
        given_tax: c.maybe_amount()?,
        given_shipping: c.maybe_amount()?,
        items: Vec::new(),
        customer_id: c.get()?,
        customer_tier: c.get()?,
        payment_method: c.get()?,
        payment_reference: c.get()?,
        payment_expires_at: c.maybe_time()?,
        hold_extended_millis: c.get()?,
        locked_at: c.maybe_time()?,
        snapshot_hash: c.get()?,
        paid_at: c.maybe_time()?,
        shipped_at: c.maybe_time()?,
        delivered_at: c.maybe_time()?,
        on_hold: on_hold(&mut c)?,
        cancelled_at: c.maybe_time()?,
        tracking_number: c.get()?,
        carrier: c.get()?,
        notes: c.get()?,
        admin_notes: c.get()?,
        cart_id: c.maybe_id()?,
        idempotency_key: c.get()?,
        version: c.get()?,
        created_at: c.time()?,
        updated_at: c.time()?,
    })
}

fn on_hold(c: &mut Columns<'_, '_>) -> Result<Option<OnHold>> {
    let (since, by, reason) = (c.maybe_time()?, c.get()?, c.get()?);
    let on_hold: (_, Option<String>, Option<String>) = (since, by, reason);
    Ok(on_hold.0.map(|since| OnHold {
        since,
        by: on_hold.1.unwrap_or_default(),
        reason: on_hold.2.unwrap_or_default(),
    }))
}

pub(crate) fn read_item(row: &Row<'_>) -> Result<OrderItem> {
    read_item_from(&mut Columns::new(row))
}

/// Reads an item from where the columns stand.
pub(crate) fn read_item_from(c: &mut Columns<'_, '_>) -> Result<OrderItem> {
    Ok(OrderItem {
        id: c.id()?,
        product_id: c.id()?,
        variant_id: c.id()?,
        location_id: c.maybe_id()?,
        location_forced: c.get()?,
        sku: c.get()?,
        title: c.get()?,
        variant_title: c.get()?,
        options: c.pairs()?,
        quantity: c.get()?,
        unit_price: c.amount()?,
        discount: c.amount()?,
        total_price: c.amount()?,
    })
}

pub(crate) fn read_contact(row: &Row<'_>) -> Result<Contact> {
    let mut c = Columns::new(row);
    Ok(Contact {
        customer_email: c.get()?,
        shipping_address: c.get()?,
        shipping_city: c.get()?,
        shipping_state: c.get()?,
        shipping_pincode: c.get()?,
        shipping_phone: c.get()?,
    })
}

pub(crate) fn write(
    conn: &Connection,
    tenant: &str,
    before: Option<&Order>,
    order: &Order,
) -> Result<()> {
    match before {
        None => {
            insert(conn, tenant, order)?;
            write_items(conn, tenant, order)
        }
        Some(before) => {
            update(conn, tenant, order)?;
            if before.items == order.items {
                return Ok(());
            }
            let mut delete = conn
                .prepare_cached("DELETE FROM order_items WHERE tenant_id = ?1 AND order_id = ?2")?;
            delete.execute(params![tenant, text(order.id)])?;
            write_items(conn, tenant, order)
        }
    }
}

fn insert(conn: &Connection, tenant: &str, order: &Order) -> Result<()> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO orders (tenant_id, order_id, order_number, status, payment_status, \
         financial_status, currency, subtotal, discount_amount, tax_amount, shipping_fee, \
         total_amount, given_tax, given_shipping, customer_id, customer_tier, payment_method, \
         payment_expires_at, hold_extended_millis, notes, admin_notes, cart_id, \
         idempotency_key, version, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
         ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)",
    )?;
    insert.execute(params![
        tenant,
        text(order.id),
        order.number,
        order.status.name(),
        order.payment_status.name(),
        order.financial_status.name(),
        order.currency.code(),
        order.totals.subtotal.minor(),
        order.totals.discount_amount.minor(),
        order.totals.tax_amount.minor(),
        order.totals.shipping_fee.minor(),
        order.totals.total_amount.minor(),
        order.given_tax.map(domain::money::Amount::minor),
        order.given_shipping.map(domain::money::Amount::minor),
        order.customer_id,
        order.customer_tier,
        order.payment_method,
        order
            .payment_expires_at
            .map(domain::time::Timestamp::millis),
        order.hold_extended_millis,
        order.notes,
        order.admin_notes,
        order.cart_id.map(text),
        order.idempotency_key,
        order.version,
        order.created_at.millis(),
        order.updated_at.millis()
    ])?;
    // What an order gets later in its life is rarely set by the batch that made it.
    if order.version > 1 || order.financial_status != FinancialStatus::Draft {
        update(conn, tenant, order)?;
    }
    Ok(())
}

fn update(conn: &Connection, tenant: &str, order: &Order) -> Result<()> {
    let mut update = conn.prepare_cached(
        "UPDATE orders SET status = ?3, payment_status = ?4, financial_status = ?5, \
         currency = ?6, subtotal = ?7, discount_amount = ?8, tax_amount = ?9, \
         shipping_fee = ?10, total_amount = ?11, given_tax = ?12, given_shipping = ?13, \
         payment_method = ?14, payment_reference = ?15, payment_expires_at = ?16, \
         hold_extended_millis = ?17, locked_at = ?18, snapshot_hash = ?19, paid_at = ?20, \
         shipped_at = ?21, delivered_at = ?22, cancelled_at = ?23, tracking_number = ?24, \
         carrier = ?25, notes = ?26, admin_notes = ?27, version = ?28, updated_at = ?29, \
         on_hold_since = ?30, on_hold_by = ?31, on_hold_reason = ?32 \
         WHERE tenant_id = ?1 AND order_id = ?2",
    )?;
    let on_hold = order.on_hold.as_ref();
    let millis = |at: Option<domain::time::Timestamp>| at.map(domain::time::Timestamp::millis);
    update.execute(params![
        tenant,
        text(order.id),
        order.status.name(),
        order.payment_status.name(),
        order.financial_status.name(),
        order.currency.code(),
        order.totals.subtotal.minor(),
        order.totals.discount_amount.minor(),
        order.totals.tax_amount.minor(),
        order.totals.shipping_fee.minor(),
        order.totals.total_amount.minor(),
        order.given_tax.map(domain::money::Amount::minor),
        order.given_shipping.map(domain::money::Amount::minor),
        order.payment_method,
        order.payment_reference,
        millis(order.payment_expires_at),
        order.hold_extended_millis,
        millis(order.locked_at),
        order.snapshot_hash,
        millis(order.paid_at),
        millis(order.shipped_at),
        millis(order.delivered_at),
        millis(order.cancelled_at),
        order.tracking_number,
        order.carrier,
        order.notes,
        order.admin_notes,
        order.version,
        order.updated_at.millis(),
        millis(on_hold.map(|on_hold| on_hold.since)),
        on_hold.map(|on_hold| &on_hold.by),
        on_hold.map(|on_hold| &on_hold.reason)
    ])?;
    Ok(())
}

fn write_items(conn: &Connection, tenant: &str, order: &Order) -> Result<()> {
    let order_id = text(order.id);
    let mut insert = conn.prepare_cached(
        "INSERT INTO order_items (tenant_id, order_id, position, item_id, product_id, \
         variant_id, location_id, location_forced, sku, title, variant_title, options, \
         quantity, unit_price, discount, total_price) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    for (position, item) in (0i64..).zip(&order.items) {
        insert.execute(params![
            tenant,
            order_id,
            position,
            text(item.id),
            text(item.product_id),
            text(item.variant_id),
            item.location_id.map(text),
            item.location_forced,
            item.sku,
            item.title,
            item.variant_title,
            pairs(&item.options),
            item.quantity,
            item.unit_price.minor(),
            item.discount.minor(),
            item.total_price.minor()
        ])?;
    }
    Ok(())
}

pub(crate) fn write_contact(
    conn: &Connection,
    tenant: &str,
    order_id: OrderId,
    contact: &Contact,
) -> Result<()> {
    let mut upsert = conn.prepare_cached(
        "INSERT INTO order_contacts (tenant_id, order_id, customer_email, shipping_address, \
         shipping_city, shipping_state, shipping_pincode, shipping_phone) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (tenant_id, order_id) DO UPDATE SET \
         customer_email = excluded.customer_email, \
         shipping_address = excluded.shipping_address, \
         shipping_city = excluded.shipping_city, shipping_state = excluded.shipping_state, \
         shipping_pincode = excluded.shipping_pincode, \
         shipping_phone = excluded.shipping_phone",
    )?;
    upsert.execute(params![
        tenant,
        text(order_id),
        contact.customer_email,
        contact.shipping_address,
        contact.shipping_city,
        contact.shipping_state,
        contact.shipping_pincode,
        contact.shipping_phone
    ])?;
    Ok(())
}
