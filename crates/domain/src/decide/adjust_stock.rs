//! Moves a level by a number of units, with a reason.

use crate::command::{Context, Decision, Reply};
use crate::event::Event;
use crate::ids::{LocationId, VariantId};
use crate::limits::STOCK_MAX;
use crate::needs::Needs;
use crate::planted::{self, Bug};
use crate::rejection::{Rejection, Shortage};
use crate::state::State;
use crate::stock::StockLevel;

/// Units that came, or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustStock {
    /// The variant.
    pub variant_id: VariantId,
    /// The location; the default one otherwise.
    pub location_id: Option<LocationId>,
    /// How many came (or went, below zero).
    pub delta: i64,
    /// Why.
    pub reason: String,
}

impl AdjustStock {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.variants.insert(self.variant_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        _context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let level = level_for(state, self.variant_id, self.location_id)?;
        if self.delta == 0 || self.delta.unsigned_abs() > STOCK_MAX.unsigned_abs() {
            let message = format!("must be between -{STOCK_MAX} and {STOCK_MAX}, and not 0");
            return Err(Rejection::invalid("/delta", message));
        }
        let after = level.stock_quantity.saturating_add(self.delta);
        if after > STOCK_MAX && !planted::is(Bug::UncheckedArithmetic) {
            let message = format!("the level would exceed {STOCK_MAX} units");
            return Err(Rejection::invalid("/delta", message));
        }
        if after < level.reserved_stock.saturating_sub(level.backorder_limit) {
            return Err(shortage(&level, after));
        }
        let event = Event::StockAdjusted {
            level: level.key(),
            delta: self.delta,
            reason: self.reason.clone(),
        };
        Ok(Decision::changed(
            vec![event.into()],
            Reply::Level(level.key()),
        ))
    }
}

/// The level of a variant at a location (the default one when none is named); an empty one when
/// nothing has moved it yet.
pub(super) fn level_for(
    state: &State,
    variant: VariantId,
    location: Option<LocationId>,
) -> Result<StockLevel, Rejection> {
    if !state.variants.contains(&variant) {
        return Err(Rejection::invalid("/variant_id", "no such variant"));
    }
    let location = match location {
        Some(id) if !state.locations.contains(&id) => {
            return Err(Rejection::invalid("/location_id", "no such location"));
        }
        Some(id) => id,
        None => state.default_location().ok_or(Rejection::NotFound)?,
    };
    let key = (variant, location);
    Ok(state
        .levels
        .get(&key)
        .cloned()
        .unwrap_or_else(|| StockLevel::empty(key)))
}

/// The refusal to put a level below what is reserved on it.
pub(super) fn shortage(level: &StockLevel, stock_quantity: i64) -> Rejection {
    let requested = level.stock_quantity.saturating_sub(stock_quantity);
    Rejection::InsufficientStock(vec![Shortage {
        variant_id: level.variant_id,
        requested,
        available: level.available(),
    }])
}
