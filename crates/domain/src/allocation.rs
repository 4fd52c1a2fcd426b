//! Where stock comes from: one function answers "how many are available?" and "take these".
//!
//! An order takes from one location that has everything, by priority; where none has, each of
//! its variants is split over the locations by priority.

use std::collections::BTreeMap;

use crate::ids::{LocationId, VariantId};
use crate::planted::{self, Bug};
use crate::rejection::Shortage;
use crate::state::State;
use crate::stock::LevelKey;

/// Units that an order wants of one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The variant.
    pub variant_id: VariantId,
    /// Units.
    pub quantity: i64,
    /// The only location that may give them, if the caller named one.
    pub location_id: Option<LocationId>,
}

/// What each demand gets, in the order of the demands: parts by location.
pub type Takes = Vec<Vec<(LocationId, i64)>>;

/// Units that stand free at each level while an order is being supplied.
struct Free<'a> {
    state: &'a State,
    credit: &'a BTreeMap<LevelKey, i64>,
    taken: BTreeMap<LevelKey, i64>,
}

impl Free<'_> {
    fn at(&self, key: LevelKey) -> i64 {
        let level = if planted::is(Bug::CheckThenAct) {
            self.state.levels.as_loaded(&key)
        } else {
            self.state.levels.get(&key)
        };
        let available = level.map_or(0, crate::stock::StockLevel::available);
        let credit = self.credit.get(&key).copied().unwrap_or(0);
        let taken = self.taken.get(&key).copied().unwrap_or(0);
        available
            .saturating_add(credit)
            .saturating_sub(taken)
            .max(0)
    }

    fn take(&mut self, key: LevelKey, quantity: i64) {
        if planted::is(Bug::LinesCheckedApart) {
            return;
        }
        let taken = self.taken.entry(key).or_insert(0);
        *taken = taken.saturating_add(quantity);
    }
}

/// Units of a variant that an order for it alone could get.
#[must_use]
pub fn available(state: &State, variant: VariantId) -> i64 {
    state
        .levels_of(variant)
        .fold(0, |sum: i64, level| sum.saturating_add(level.available()))
}

/// Supplies all demands or none. `credit` is what the same decision gives back to levels before
/// it takes. A refusal lists every short variant with its demand summed over all lines.
pub fn allocate(
    state: &State,
    demands: &[Demand],
    credit: &BTreeMap<LevelKey, i64>,
) -> Result<Takes, Vec<Shortage>> {
    let locations: Vec<LocationId> = state
        .locations_by_priority()
        .iter()
        .map(|location| location.id)
        .collect();
    let mut free = Free {
        state,
        credit,
        taken: BTreeMap::new(),
    };
    let mut takes: Takes = vec![Vec::new(); demands.len()];
    let mut short = false;

    for (demand, take) in demands.iter().zip(&mut takes) {
        if let Some(location) = demand.location_id {
            short |= !take_from(&mut free, demand, &[location], take);
        }
    }
    let open: Vec<&Demand> = demands.iter().filter(|d| d.location_id.is_none()).collect();
    let one = locations
        .iter()
        .find(|location| has_everything(&free, &open, **location));
    let order: &[LocationId] = one.map_or(&locations, core::slice::from_ref);
    for (demand, take) in demands.iter().zip(&mut takes) {
        if demand.location_id.is_none() {
            short |= !take_from(&mut free, demand, order, take);
        }
    }
    if short {
        Err(shortages(state, demands, credit))
    } else {
        Ok(takes)
    }
}

fn has_everything(free: &Free<'_>, demands: &[&Demand], location: LocationId) -> bool {
    let mut wanted: BTreeMap<VariantId, i64> = BTreeMap::new();
    for demand in demands {
        let sum = wanted.entry(demand.variant_id).or_insert(0);
        *sum = if planted::is(Bug::LinesCheckedApart) {
            demand.quantity
        } else {
            sum.saturating_add(demand.quantity)
        };
    }
    wanted
        .iter()
        .all(|(variant, sum)| free.at((*variant, location)) >= *sum)
}

/// Takes one demand from the locations in order; false when they do not suffice.
fn take_from(
    free: &mut Free<'_>,
    demand: &Demand,
    locations: &[LocationId],
    take: &mut Vec<(LocationId, i64)>,
) -> bool {
    let mut left = demand.quantity;
    for location in locations {
        let key = (demand.variant_id, *location);
        let part = free.at(key).min(left);
        if part > 0 {
            free.take(key, part);
            take.push((*location, part));
            left = left.saturating_sub(part);
        }
    }
    left == 0
}

/// Compares each variant's summed demand with what its allowed locations could give.
fn shortages(state: &State, demands: &[Demand], credit: &BTreeMap<LevelKey, i64>) -> Vec<Shortage> {
    let free = Free {
        state,
        credit,
        taken: BTreeMap::new(),
    };
    let mut by_variant: BTreeMap<VariantId, Vec<&Demand>> = BTreeMap::new();
    for demand in demands {
        by_variant
            .entry(demand.variant_id)
            .or_default()
            .push(demand);
    }
    let mut shortages = Vec::new();
    for (variant_id, demands) in by_variant {
        let requested = demands
            .iter()
            .fold(0i64, |sum, d| sum.saturating_add(d.quantity));
        let forced = demands.iter().all(|demand| demand.location_id.is_some());
        let reachable = |location: LocationId| {
            !forced
                || demands
                    .iter()
                    .any(|demand| demand.location_id == Some(location))
        };
        let available = state
            .locations
            .values()
            .filter(|location| reachable(location.id))
            .fold(0i64, |sum, location| {
                sum.saturating_add(free.at((variant_id, location.id)))
            });
        let short = is_short_where_forced(&free, &demands) || available < requested;
        if short {
            shortages.push(Shortage {
                variant_id,
                requested,
                available,
            });
        }
    }
    shortages
}

/// Whether the demands for one variant alone are short at a location that they name.
fn is_short_where_forced(free: &Free<'_>, demands: &[&Demand]) -> bool {
    let mut forced: BTreeMap<LevelKey, i64> = BTreeMap::new();
    for demand in demands {
        if let Some(location) = demand.location_id {
            let sum = forced.entry((demand.variant_id, location)).or_insert(0);
            *sum = sum.saturating_add(demand.quantity);
        }
    }
    forced.iter().any(|(key, sum)| free.at(*key) < *sum)
}
