//! The canonical JSON (RFC 8785) of an order's lines and totals, and its hash.
//!
//! All members are strings and integers below 2^53, and stand here in the order of their names,
//! so plain serialisation is canonical.

use domain::order::{Order, OrderItem};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

#[derive(Serialize)]
struct Snapshot<'a> {
    currency: &'a str,
    discount_amount: i64,
    items: Vec<Line<'a>>,
    order_id: String,
    shipping_fee: i64,
    subtotal: i64,
    tax_amount: i64,
    total_amount: i64,
}

#[derive(Serialize)]
struct Line<'a> {
    discount: i64,
    id: String,
    options: Vec<(&'a str, &'a str)>,
    product_id: String,
    quantity: i64,
    sku: Option<&'a str>,
    title: &'a str,
    total_price: i64,
    unit_price: i64,
    variant_id: String,
    variant_title: &'a str,
}

fn line(item: &OrderItem) -> Line<'_> {
    Line {
        discount: item.discount.minor(),
        id: item.id.to_string(),
        options: item
            .options
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect(),
        product_id: item.product_id.to_string(),
        quantity: item.quantity,
        sku: item.sku.as_deref(),
        title: &item.title,
        total_price: item.total_price.minor(),
        unit_price: item.unit_price.minor(),
        variant_id: item.variant_id.to_string(),
        variant_title: &item.variant_title,
    }
}

/// SHA-256 of an order's canonical JSON, in lower-case hexadecimal.
pub(crate) fn hash(order: &Order) -> String {
    let totals = order.totals;
    let snapshot = Snapshot {
        currency: order.currency.code(),
        discount_amount: totals.discount_amount.minor(),
        items: order.items.iter().map(line).collect(),
        order_id: order.id.to_string(),
        shipping_fee: totals.shipping_fee.minor(),
        subtotal: totals.subtotal.minor(),
        tax_amount: totals.tax_amount.minor(),
        total_amount: totals.total_amount.minor(),
    };
    let json = serde_json::to_vec(&snapshot).unwrap_or_default();
    hex(&Sha256::digest(json))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}
