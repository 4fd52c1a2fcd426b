//! `orders`, `order_items` and `order_contacts`.

use domain::ids::OrderId;
use domain::order::{
    Contact, FinancialStatus, OnHold, Order, OrderItem, OrderStatus, PaymentState, Totals,
};

use crate::cell::{Cell, id, maybe_id, pairs};
use crate::columns::Columns;
use crate::table::Kind::{Flag, Id, Int, Text};
use crate::table::{Table, fixed, moves};

/// Orders.
pub const ORDERS: Table = Table {
    name: "orders",
    key: 1,
    columns: &[
        fixed("order_id", Id),
        fixed("order_number", Int),
        moves("status", Text),
        moves("payment_status", Text),
        moves("financial_status", Text),
        moves("currency", Text),
        moves("subtotal", Int),
        moves("discount_amount", Int),
        moves("tax_amount", Int),
        moves("shipping_fee", Int),
        moves("total_amount", Int),
        moves("given_tax", Int),
        moves("given_shipping", Int),
        fixed("customer_id", Text),
        fixed("customer_tier", Text),
        moves("payment_method", Text),
        moves("payment_reference", Text),
        moves("payment_expires_at", Int),
        moves("hold_extended_millis", Int),
        moves("locked_at", Int),
        moves("snapshot_hash", Text),
        moves("paid_at", Int),
        moves("shipped_at", Int),
        moves("delivered_at", Int),
        moves("on_hold_since", Int),
        moves("on_hold_by", Text),
        moves("on_hold_reason", Text),
        moves("cancelled_at", Int),
        moves("tracking_number", Text),
        moves("carrier", Text),
        moves("notes", Text),
        moves("admin_notes", Text),
        fixed("cart_id", Id),
        fixed("idempotency_key", Text),
        moves("version", Int),
        fixed("created_at", Int),
        moves("updated_at", Int),
    ],
};

/// Lines of orders.
pub const ITEMS: Table = Table {
    name: "order_items",
    key: 2,
    columns: &[
        fixed("order_id", Id),
        fixed("position", Int),
        fixed("item_id", Id),
        fixed("product_id", Id),
        fixed("variant_id", Id),
        fixed("location_id", Id),
        fixed("location_forced", Flag),
        fixed("sku", Text),
        fixed("title", Text),
        fixed("variant_title", Text),
        fixed("options", Text),
        fixed("quantity", Int),
        fixed("unit_price", Int),
        fixed("discount", Int),
        fixed("total_price", Int),
    ],
};

/// Personal data of orders, apart from them so that it can be erased.
pub const CONTACTS: Table = Table {
    name: "order_contacts",
    key: 1,
    columns: &[
        fixed("order_id", Id),
        moves("customer_email", Text),
        moves("shipping_address", Text),
        moves("shipping_city", Text),
        moves("shipping_state", Text),
        moves("shipping_pincode", Text),
        moves("shipping_phone", Text),
    ],
};

/// Reads an order without its items.
pub fn read<C: Columns>(c: &mut C) -> Result<Order, C::Error> {
    Ok(Order {
        id: c.id()?,
        number: c.int()?,
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
        customer_id: c.maybe_text()?,
        customer_tier: c.maybe_text()?,
        payment_method: c.maybe_text()?,
        payment_reference: c.maybe_text()?,
        payment_expires_at: c.maybe_time()?,
        hold_extended_millis: c.int()?,
        locked_at: c.maybe_time()?,
        snapshot_hash: c.maybe_text()?,
        paid_at: c.maybe_time()?,
        shipped_at: c.maybe_time()?,
        delivered_at: c.maybe_time()?,
        on_hold: on_hold(c)?,
        cancelled_at: c.maybe_time()?,
        tracking_number: c.maybe_text()?,
        carrier: c.maybe_text()?,
        notes: c.maybe_text()?,
        admin_notes: c.maybe_text()?,
        cart_id: c.maybe_id()?,
        idempotency_key: c.maybe_text()?,
        version: c.int()?,
        created_at: c.time()?,
        updated_at: c.time()?,
    })
}

fn on_hold<C: Columns>(c: &mut C) -> Result<Option<OnHold>, C::Error> {
    let (since, by, reason) = (c.maybe_time()?, c.maybe_text()?, c.maybe_text()?);
    Ok(since.map(|since| OnHold {
        since,
        by: by.unwrap_or_default(),
        reason: reason.unwrap_or_default(),
    }))
}

/// The cells of an order, without its items.
#[must_use]
pub fn cells(order: &Order) -> Vec<Cell<'_>> {
    let (totals, on_hold) = (&order.totals, order.on_hold.as_ref());
    vec![
        id(order.id),
        order.number.into(),
        order.status.name().into(),
        order.payment_status.name().into(),
        order.financial_status.name().into(),
        order.currency.into(),
        totals.subtotal.into(),
        totals.discount_amount.into(),
        totals.tax_amount.into(),
        totals.shipping_fee.into(),
        totals.total_amount.into(),
        order.given_tax.into(),
        order.given_shipping.into(),
        order.customer_id.as_ref().into(),
        order.customer_tier.as_ref().into(),
        order.payment_method.as_ref().into(),
        order.payment_reference.as_ref().into(),
        order.payment_expires_at.into(),
        order.hold_extended_millis.into(),
        order.locked_at.into(),
        order.snapshot_hash.as_ref().into(),
        order.paid_at.into(),
        order.shipped_at.into(),
        order.delivered_at.into(),
        on_hold.map(|on_hold| on_hold.since).into(),
        on_hold.map(|on_hold| &on_hold.by).into(),
        on_hold.map(|on_hold| &on_hold.reason).into(),
        order.cancelled_at.into(),
        order.tracking_number.as_ref().into(),
        order.carrier.as_ref().into(),
        order.notes.as_ref().into(),
        order.admin_notes.as_ref().into(),
        maybe_id(order.cart_id),
        order.idempotency_key.as_ref().into(),
        order.version.into(),
        order.created_at.into(),
        order.updated_at.into(),
    ]
}

/// Reads an item with its order's id.
pub fn read_item<C: Columns>(c: &mut C) -> Result<(OrderId, OrderItem), C::Error> {
    let order_id = c.id()?;
    // Items are selected in the order of their positions.
    c.int()?;
    let item = OrderItem {
        id: c.id()?,
        product_id: c.id()?,
        variant_id: c.id()?,
        location_id: c.maybe_id()?,
        location_forced: c.flag()?,
        sku: c.maybe_text()?,
        title: c.text()?,
        variant_title: c.text()?,
        options: c.json()?,
        quantity: c.int()?,
        unit_price: c.amount()?,
        discount: c.amount()?,
        total_price: c.amount()?,
    };
    Ok((order_id, item))
}

/// The cells of each item of an order.
pub fn item_cells(order: &Order) -> impl Iterator<Item = Vec<Cell<'_>>> {
    (0i64..).zip(&order.items).map(|(position, item)| {
        vec![
            id(order.id),
            position.into(),
            id(item.id),
            id(item.product_id),
            id(item.variant_id),
            maybe_id(item.location_id),
            item.location_forced.into(),
            item.sku.as_ref().into(),
            (&item.title).into(),
            (&item.variant_title).into(),
            pairs(&item.options),
            item.quantity.into(),
            item.unit_price.into(),
            item.discount.into(),
            item.total_price.into(),
        ]
    })
}

/// Reads a contact with its order's id.
pub fn read_contact<C: Columns>(c: &mut C) -> Result<(OrderId, Contact), C::Error> {
    let order_id = c.id()?;
    let contact = Contact {
        customer_email: c.maybe_text()?,
        shipping_address: c.maybe_text()?,
        shipping_city: c.maybe_text()?,
        shipping_state: c.maybe_text()?,
        shipping_pincode: c.maybe_text()?,
        shipping_phone: c.maybe_text()?,
    };
    Ok((order_id, contact))
}

/// The cells of a contact.
#[must_use]
pub fn contact_cells(order_id: OrderId, contact: &Contact) -> Vec<Cell<'_>> {
    vec![
        id(order_id),
        contact.customer_email.as_ref().into(),
        contact.shipping_address.as_ref().into(),
        contact.shipping_city.as_ref().into(),
        contact.shipping_state.as_ref().into(),
        contact.shipping_pincode.as_ref().into(),
        contact.shipping_phone.as_ref().into(),
    ]
}
