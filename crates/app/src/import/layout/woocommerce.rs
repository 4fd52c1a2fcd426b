//! `WooCommerce`'s product export: a row a product, and a row a variation that names its parent
//! by SKU or as `id:NUMBER`, wherever that stands.
//! <https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema>

use wire::input::{LevelLine, OptionLine, VariantLine};

use super::{Defaults, Found, Group, description};
use crate::import::money::minor_units;
use crate::import::table::{BadRow, Row};

const ID: &[&str] = &["ID"];
const TYPE: &[&str] = &["Type"];
const SKU: &[&str] = &["SKU"];
const NAME: &[&str] = &["Name"];
const PUBLISHED: &[&str] = &["Published"];
const DESCRIPTION: &[&str] = &["Description", "Short description"];
const PARENT: &[&str] = &["Parent"];
const REGULAR: &[&str] = &["Regular price"];
const SALE: &[&str] = &["Sale price"];
const SALE_STARTS: &[&str] = &["Date sale price starts"];
const SALE_ENDS: &[&str] = &["Date sale price ends"];
const STOCK: &[&str] = &["Stock"];
const LOW: &[&str] = &["Low stock amount"];
const BACKORDERS: &[&str] = &["Backorders allowed?"];
/// Attributes that a row may have.
const ATTRIBUTES: usize = 20;
/// How much is sold beyond zero where backorders are allowed: as much as one line may order.
const BEYOND: i64 = domain::limits::QUANTITY_MAX;

fn is_a(row: &Row<'_>, kind: &str) -> bool {
    row.text(TYPE)
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case(kind))
}

fn is_published(row: &Row<'_>) -> bool {
    matches!(row.text(PUBLISHED), "1" | "")
}

fn names(row: &Row<'_>) -> Vec<String> {
    let id = row.filled(ID).map(|id| format!("id:{id}"));
    row.filled(SKU).into_iter().chain(id).collect()
}

pub(super) fn group(row: &Row<'_>) -> Group {
    if is_a(row, "variation") {
        if !is_published(row) {
            return Group::PassOver("a variation that is not published is not sold");
        }
        return row.filled(PARENT).map_or(Group::Alone, Group::Of);
    }
    if is_a(row, "grouped") || is_a(row, "external") {
        return Group::PassOver("grouped and external products have no stock of their own");
    }
    let names = names(row);
    if names.is_empty() {
        Group::Alone
    } else {
        Group::Is(names)
    }
}

pub(super) fn column(field: &str) -> Option<&'static str> {
    Some(match field {
        "handle" | "sku" => "SKU",
        "title" => "Name",
        "description" => "Description",
        "unit_price" => "Regular price",
        "stock_quantity" => "Stock",
        "low_stock_threshold" => "Low stock amount",
        "options" => "Attribute 1 value(s)",
        "variants" => "Type",
        _ => return None,
    })
}

pub(super) fn take(found: &mut Found, row: &Row<'_>, defaults: &Defaults) -> Result<(), BadRow> {
    found.line.currency = Some(defaults.currency.code().to_owned());
    let variation = is_a(row, "variation");
    if variation && row.text(PARENT).is_empty() {
        return Err(row.bad(PARENT, "a variation names its parent"));
    }
    if !variation {
        found.at = row.line;
        found.line.handle = names(row).into_iter().next();
        found.line.title = row.filled(NAME);
        let sold = is_published(row);
        found.line.status = Some(if sold { "active" } else { "archived" }.to_owned());
        description(found, row, DESCRIPTION);
    } else if found.line.handle.is_none() {
        found.line.handle = row.filled(PARENT);
    }
    if is_a(row, "variable") {
        return Ok(());
    }
    let unit_price = price(row, defaults)?;
    let options = if variation { options(row) } else { Vec::new() };
    let stock = level(row, defaults)?;
    found.variants_at.push(row.line);
    found.line.variants.push(VariantLine {
        sku: row.filled(SKU),
        title: None,
        options,
        unit_price,
        stock: vec![stock],
    });
    Ok(())
}

/// The sale price where a sale without an end is on, the regular price otherwise.
fn price(row: &Row<'_>, defaults: &Defaults) -> Result<i64, BadRow> {
    let timed = !row.text(SALE_STARTS).is_empty() || !row.text(SALE_ENDS).is_empty();
    let on_sale = !row.text(SALE).is_empty() && !timed;
    let titles = if on_sale { SALE } else { REGULAR };
    let text = row.text(titles);
    if text.is_empty() {
        return Err(row.bad(REGULAR, "a price is required"));
    }
    minor_units(text, defaults.currency).map_err(|why| row.bad(titles, why))
}

/// Without a number nothing is counted: such a product starts with nothing on hand.
fn level(row: &Row<'_>, defaults: &Defaults) -> Result<LevelLine, BadRow> {
    let counted = !row.text(STOCK).eq_ignore_ascii_case("parent");
    let on = matches!(
        row.text(BACKORDERS).to_lowercase().as_str(),
        "1" | "yes" | "notify"
    );
    Ok(LevelLine {
        location: Some(defaults.location.clone()),
        stock_quantity: if counted { row.integer(STOCK)? } else { None },
        low_stock_threshold: row.integer(LOW)?,
        backorder_limit: on.then_some(BEYOND),
    })
}

fn options(row: &Row<'_>) -> Vec<OptionLine> {
    let pair = |number: usize| {
        let (name, value) = (
            format!("Attribute {number} name"),
            format!("Attribute {number} value(s)"),
        );
        let (name, value) = (row.filled(&[&name])?, row.filled(&[&value])?);
        Some(OptionLine { name, value })
    };
    (1..=ATTRIBUTES).filter_map(pair).collect()
}
