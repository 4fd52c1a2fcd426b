//! Locations, products and stock.

use anyhow::Result;
use domain::catalogue::{Location, Product, Variant};
use domain::state::State;
use domain::stock::StockLevel;
use serde_json::{Value, json};
use wire::input::{ImportLine, LevelLine, OptionLine, VariantLine};

use super::Frozen;
use super::sink::Sink;
use crate::import::decimal;

fn places(frozen: &mut Frozen) -> Result<Vec<Location>> {
    let state = frozen.snapshot.products(frozen.tenant.id, None, 1)?;
    Ok(state.locations_by_priority().into_iter().cloned().collect())
}

pub(super) fn locations(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    sink.columns(&["code", "name", "priority"])?;
    for place in places(frozen)? {
        sink.row(&[place.code.into(), place.name.into(), place.priority.into()])?;
    }
    Ok(())
}

/// What a product is called in a file: its handle, else its id.
fn handle(product: &Product) -> String {
    product
        .handle
        .clone()
        .unwrap_or_else(|| product.id.to_string())
}

pub(super) fn product_lines(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    frozen.products(|page| {
        for product in page.products.values() {
            sink.object(&serde_json::to_vec(&line(page, product))?)?;
        }
        Ok(())
    })
}

fn line(page: &State, product: &Product) -> ImportLine {
    let level = |level: &StockLevel| LevelLine {
        location: page
            .locations
            .get(&level.location_id)
            .map(|place| place.code.clone()),
        stock_quantity: Some(level.stock_quantity),
        low_stock_threshold: level.low_stock_threshold,
        backorder_limit: Some(level.backorder_limit),
    };
    let option = |(name, value): &(String, String)| OptionLine {
        name: name.clone(),
        value: value.clone(),
    };
    let variant = |variant: &Variant| VariantLine {
        sku: variant.sku.clone(),
        title: Some(variant.title.clone()),
        options: variant.options.iter().map(option).collect(),
        unit_price: variant.unit_price.minor(),
        stock: page.levels_of(variant.id).map(level).collect(),
    };
    ImportLine {
        handle: Some(handle(product)),
        title: Some(product.title.clone()),
        description: product.description.clone(),
        currency: Some(product.currency.code().to_owned()),
        status: Some(product.status.name().to_owned()),
        variants: page
            .variants_of(product.id)
            .into_iter()
            .map(variant)
            .collect(),
    }
}

/// Our own layout: the columns of options are known once all products have been looked at.
pub(super) fn product_rows(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    let places = places(frozen)?;
    let mut options: Vec<String> = Vec::new();
    frozen.products(|page| {
        for (name, _) in page.variants.values().flat_map(|variant| &variant.options) {
            if !options.contains(name) {
                options.push(name.clone());
            }
        }
        Ok(())
    })?;
    sink.columns(&columns(&options, &places))?;
    frozen.products(|page| {
        for product in page.products.values() {
            for variant in page.variants_of(product.id) {
                sink.row(&cells(page, product, variant, (&options, &places)))?;
            }
        }
        Ok(())
    })
}

const PLAIN: [&str; 8] = [
    "handle",
    "title",
    "description",
    "status",
    "currency",
    "sku",
    "variant_title",
    "price",
];

fn columns(options: &[String], places: &[Location]) -> Vec<String> {
    let plain = PLAIN.iter().map(|name| (*name).to_owned());
    let options = options.iter().map(|name| format!("option:{name}"));
    let levels = places.iter().flat_map(|place| {
        ["stock", "low_stock", "backorder"].map(|kind| format!("{kind}:{}", place.code))
    });
    plain.chain(options).chain(levels).collect()
}

fn cells(
    page: &State,
    product: &Product,
    variant: &Variant,
    (options, places): (&[String], &[Location]),
) -> Vec<Value> {
    let mut cells = vec![
        handle(product).into(),
        product.title.clone().into(),
        json!(product.description),
        product.status.name().into(),
        product.currency.code().into(),
        json!(variant.sku),
        variant.title.clone().into(),
        decimal(variant.unit_price.minor(), product.currency).into(),
    ];
    for name in options {
        let found = variant.options.iter().find(|(known, _)| known == name);
        cells.push(json!(found.map(|(_, value)| value)));
    }
    for place in places {
        let level = page.levels.get(&(variant.id, place.id));
        cells.push(json!(level.map(|level| level.stock_quantity)));
        cells.push(json!(level.and_then(|level| level.low_stock_threshold)));
        cells.push(json!(level.map(|level| level.backorder_limit)));
    }
    cells
}

const STOCK: [&str; 10] = [
    "sku",
    "product_id",
    "variant_id",
    "location",
    "stock_quantity",
    "reserved_stock",
    "available",
    "low_stock_threshold",
    "backorder_limit",
    "version",
];

pub(super) fn stock(frozen: &mut Frozen, sink: &mut Sink) -> Result<()> {
    sink.columns(&STOCK)?;
    frozen.products(|page| {
        for level in page.levels.values() {
            let place = page.locations.get(&level.location_id);
            let variant = page.variants.get(&level.variant_id);
            sink.row(&[
                json!(variant.and_then(|variant| variant.sku.as_ref())),
                json!(variant.map(|variant| variant.product_id.to_string())),
                level.variant_id.to_string().into(),
                json!(place.map(|place| &place.code)),
                level.stock_quantity.into(),
                level.reserved_stock.into(),
                level.available().into(),
                json!(level.low_stock_threshold),
                level.backorder_limit.into(),
                level.version.into(),
            ])?;
        }
        Ok(())
    })
}
