//! The levels that a file asks for.

use super::{Faults, ImportProduct, ImportedLevel, Planned, StockRule};
use crate::event::{Change, Event};
use crate::ids::LocationId;
use crate::limits::STOCK_MAX;
use crate::state::State;
use crate::stock::{LevelKey, StockLevel};

/// The events that set levels, for all variants in the file's order.
pub(super) fn levels(
    state: &State,
    import: &ImportProduct,
    planned: &[Planned],
    faults: &mut Faults,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (index, (given, plan)) in import.variants.iter().zip(planned).enumerate() {
        let mut seen: Vec<LocationId> = Vec::new();
        for (place, level) in given.stock.iter().enumerate() {
            let field = |name: &str| format!("stock/{place}/{name}");
            let Some(location) = location(state, level) else {
                faults.of_variant(index, &field("location"), "no such location");
                continue;
            };
            if seen.contains(&location) {
                faults.of_variant(index, &field("location"), "the location stands twice");
            }
            seen.push(location);
            match set(state, import.stock, (plan.after.id, location), level) {
                Ok(change) => changes.extend(change),
                Err((name, message)) => faults.of_variant(index, &field(name), message),
            }
        }
        // A new variant has a level, as one that is made by hand.
        let unset = seen.is_empty() || import.stock == StockRule::Keep;
        let first = state.default_location().filter(|_| unset);
        if let (None, Some(location)) = (&plan.before, first) {
            changes.push(event(&StockLevel::empty((plan.after.id, location))));
        }
    }
    changes
}

fn location(state: &State, level: &ImportedLevel) -> Option<LocationId> {
    let Some(code) = &level.location else {
        return state.default_location();
    };
    let mut all = state.locations.values();
    all.find(|location| location.code == *code).map(|l| l.id)
}

/// The event that sets one level, if the rule sets it and it differs.
fn set(
    state: &State,
    rule: StockRule,
    key: LevelKey,
    given: &ImportedLevel,
) -> Result<Option<Change>, (&'static str, String)> {
    let known = state.levels.get(&key);
    let after = match (rule, known) {
        (StockRule::Keep, _) | (StockRule::New, Some(_)) => return Ok(None),
        (StockRule::New, None) | (StockRule::Set, _) => {
            let known = known.cloned().unwrap_or_else(|| StockLevel::empty(key));
            StockLevel {
                stock_quantity: given.stock_quantity.unwrap_or(known.stock_quantity),
                low_stock_threshold: given.low_stock_threshold.or(known.low_stock_threshold),
                backorder_limit: given.backorder_limit.unwrap_or(known.backorder_limit),
                ..known
            }
        }
    };
    let bound = |value: i64| (0..=STOCK_MAX).contains(&value);
    let within = format!("must be between 0 and {STOCK_MAX}");
    if !bound(after.backorder_limit) {
        return Err(("backorder_limit", within));
    }
    if !after.low_stock_threshold.is_none_or(bound) {
        return Err(("low_stock_threshold", within));
    }
    let least = after.reserved_stock.saturating_sub(after.backorder_limit);
    if after.stock_quantity < least || after.stock_quantity > STOCK_MAX {
        let reserved = after.reserved_stock;
        let message = format!("must be between {least} ({reserved} are reserved) and {STOCK_MAX}");
        return Err(("stock_quantity", message));
    }
    Ok((known != Some(&after)).then(|| event(&after)))
}

fn event(level: &StockLevel) -> Change {
    Event::StockSet {
        level: level.key(),
        stock_quantity: level.stock_quantity,
        low_stock_threshold: level.low_stock_threshold,
        backorder_limit: level.backorder_limit,
    }
    .into()
}
