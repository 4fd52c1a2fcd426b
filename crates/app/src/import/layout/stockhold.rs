//! Our own layout: a row a variant, `option:NAME` a column an option, and for each location
//! `stock:CODE`, `low_stock:CODE` and `backorder:CODE`. `docs/importing.md` describes it.

use domain::money::Currency;
use wire::input::{LevelLine, OptionLine, VariantLine};

use super::{Defaults, Found, Group, description};
use crate::import::money::minor_units;
use crate::import::table::{BadRow, Header, Row};

const HANDLE: &[&str] = &["handle"];
const TITLE: &[&str] = &["title"];
const DESCRIPTION: &[&str] = &["description"];
const STATUS: &[&str] = &["status"];
const CURRENCY: &[&str] = &["currency"];
const SKU: &[&str] = &["sku"];
const VARIANT: &[&str] = &["variant_title"];
const UNIT_PRICE: &[&str] = &["unit_price"];
const PRICE: &[&str] = &["price"];
const STOCK: &[&str] = &["stock", "stock_quantity"];

pub(super) fn group(row: &Row<'_>) -> Group {
    row.as_it_is(HANDLE).map_or(Group::Alone, Group::Of)
}

/// The codes behind `stock:`, `low_stock:` and `backorder:`, in the header's order.
pub(super) fn locations(header: &Header) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for title in &header.titles {
        if let Some((kind, code)) = title.split_once(':')
            && matches!(kind, "stock" | "low_stock" | "backorder")
            && !codes.iter().any(|known| known == code)
        {
            codes.push(code.to_owned());
        }
    }
    codes
}

pub(super) fn take(
    found: &mut Found,
    header: &Header,
    row: &Row<'_>,
    defaults: &Defaults,
) -> Result<(), BadRow> {
    let line = &mut found.line;
    line.handle = line.handle.take().or_else(|| row.as_it_is(HANDLE));
    line.title = line.title.take().or_else(|| row.as_it_is(TITLE));
    line.status = line.status.take().or_else(|| row.filled(STATUS));
    if line.description.is_none() {
        description(found, row, DESCRIPTION);
    }
    let code = row.filled(CURRENCY);
    let currency = match &code {
        Some(code) => Currency::parse(code)
            .ok_or_else(|| row.bad(CURRENCY, "is no ISO 4217 currency with a minor unit"))?,
        None => defaults.currency,
    };
    let line = &mut found.line;
    if line
        .currency
        .get_or_insert_with(|| currency.code().to_owned())
        != currency.code()
    {
        return Err(row.bad(CURRENCY, "differs from the product's other rows"));
    }
    let minor = row.filled(UNIT_PRICE).map(|text| text.parse());
    let unit_price = match minor {
        Some(Ok(minor)) => minor,
        Some(Err(_)) => return Err(row.bad(UNIT_PRICE, "is not a whole number of minor units")),
        None => minor_units(row.text(PRICE), currency).map_err(|why| row.bad(PRICE, why))?,
    };
    let option = |title: &String| {
        let name = title.strip_prefix("option:")?.to_owned();
        let value = row.as_it_is(&[title])?;
        Some(OptionLine { name, value })
    };
    let variant = VariantLine {
        sku: row.as_it_is(SKU),
        title: row.as_it_is(VARIANT),
        options: header.titles.iter().filter_map(option).collect(),
        unit_price,
        stock: levels(header, row, defaults)?,
    };
    found.variants_at.push(row.line);
    found.line.variants.push(variant);
    Ok(())
}

/// A level for each location that the row says something of.
fn levels(header: &Header, row: &Row<'_>, defaults: &Defaults) -> Result<Vec<LevelLine>, BadRow> {
    let mut levels = Vec::new();
    for code in locations(header) {
        let cell = |kind: &str| row.integer(&[&format!("{kind}:{code}")]);
        let level = LevelLine {
            stock_quantity: cell("stock")?,
            low_stock_threshold: cell("low_stock")?,
            backorder_limit: cell("backorder")?,
            location: None,
        };
        if level != LevelLine::default() {
            let location = Some(code);
            levels.push(LevelLine { location, ..level });
        }
    }
    if let Some(stock_quantity) = row.integer(STOCK)? {
        levels.push(LevelLine {
            location: Some(defaults.location.clone()),
            stock_quantity: Some(stock_quantity),
            ..LevelLine::default()
        });
    }
    Ok(levels)
}
