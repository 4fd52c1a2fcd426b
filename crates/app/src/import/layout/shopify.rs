//! Shopify's product export: a row a variant, those of one product under one handle; rows that
//! only add a picture. Both the classic column titles and those of the newer template.
//! <https://help.shopify.com/en/manual/products/import-export/using-csv>

use wire::input::{LevelLine, OptionLine, VariantLine};

use super::{Defaults, Found, Group, description};
use crate::import::money::minor_units;
use crate::import::table::{BadRow, Row};

const HANDLE: &[&str] = &["Handle", "URL handle"];
const TITLE: &[&str] = &["Title"];
const BODY: &[&str] = &["Body (HTML)", "Description"];
const STATUS: &[&str] = &["Status"];
const PUBLISHED: &[&str] = &["Published", "Published on online store"];
const SKU: &[&str] = &["Variant SKU", "SKU"];
const PRICE: &[&str] = &["Variant Price", "Price"];
const QUANTITY: &[&str] = &["Variant Inventory Qty", "Inventory quantity"];
const POLICY: &[&str] = &[
    "Variant Inventory Policy",
    "Continue selling when out of stock",
];
const OPTIONS: [(&[&str], &[&str]); 3] = [
    (&["Option1 Name"], &["Option1 Value"]),
    (&["Option2 Name"], &["Option2 Value"]),
    (&["Option3 Name"], &["Option3 Value"]),
];
/// How much is sold beyond zero when a shop says "continue": as much as one line may order.
const BEYOND: i64 = domain::limits::QUANTITY_MAX;

pub(super) fn group(row: &Row<'_>) -> Group {
    row.filled(HANDLE).map_or(Group::Alone, Group::Of)
}

pub(super) fn column(field: &str) -> Option<&'static str> {
    Some(match field {
        "handle" | "variants" => "Handle",
        "title" => "Title",
        "description" => "Body (HTML)",
        "sku" => "Variant SKU",
        "unit_price" => "Variant Price",
        "stock_quantity" => "Variant Inventory Qty",
        "options" => "Option1 Value",
        _ => return None,
    })
}

pub(super) fn take(found: &mut Found, row: &Row<'_>, defaults: &Defaults) -> Result<(), BadRow> {
    if row.text(HANDLE).is_empty() {
        return Err(row.bad(HANDLE, "is required"));
    }
    if found.line.handle.is_none() {
        found.line.handle = row.filled(HANDLE);
        found.line.currency = Some(defaults.currency.code().to_owned());
    }
    if let (None, Some(title)) = (&found.line.title, row.filled(TITLE)) {
        found.line.title = Some(title);
        found.line.status = Some(status(row)?.to_owned());
        description(found, row, BODY);
    }
    let picture_only = row.text(PRICE).is_empty() && row.text(OPTIONS[0].1).is_empty();
    if picture_only && row.text(SKU).is_empty() {
        return Ok(());
    }
    let price = row.text(PRICE);
    let unit_price = minor_units(price, defaults.currency).map_err(|why| row.bad(PRICE, why))?;
    let options = options(found, row)?;
    let on = matches!(
        row.text(POLICY).to_lowercase().as_str(),
        "continue" | "true"
    );
    let level = LevelLine {
        location: Some(defaults.location.clone()),
        stock_quantity: row.integer(QUANTITY)?,
        low_stock_threshold: None,
        backorder_limit: on.then_some(BEYOND),
    };
    found.variants_at.push(row.line);
    found.line.variants.push(VariantLine {
        sku: row.filled(SKU),
        title: None,
        options,
        unit_price,
        stock: vec![level],
    });
    Ok(())
}

/// A product is sold when it is active, and published where nothing is said of that.
fn status(row: &Row<'_>) -> Result<&'static str, BadRow> {
    match row.text(STATUS).to_lowercase().as_str() {
        "draft" | "archived" | "unlisted" => Ok("archived"),
        "" if row.text(PUBLISHED).eq_ignore_ascii_case("false") => Ok("archived"),
        "active" | "" => Ok("active"),
        other => Err(row.bad(
            STATUS,
            format!("{other:?} is not active, draft or archived"),
        )),
    }
}

/// Option names stand on a product's first row alone.
fn options(found: &Found, row: &Row<'_>) -> Result<Vec<OptionLine>, BadRow> {
    let first = found.line.variants.first();
    let mut options = Vec::new();
    for (place, (names, values)) in OPTIONS.iter().enumerate() {
        let Some(value) = row.filled(values) else {
            continue;
        };
        let known = first.and_then(|variant| variant.options.get(place));
        let name = row
            .filled(names)
            .or_else(|| known.map(|option| option.name.clone()));
        let Some(name) = name else {
            return Err(row.bad(names, "the option has a value and no name"));
        };
        if !(name.eq_ignore_ascii_case("title") && value.eq_ignore_ascii_case("default title")) {
            options.push(OptionLine { name, value });
        }
    }
    Ok(options)
}
