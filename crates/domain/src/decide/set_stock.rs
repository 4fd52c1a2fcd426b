//! Sets a level: somebody counted, or changes its limits.

use super::adjust_stock::{level_for, shortage};
use crate::command::{Context, Decision, Reply};
use crate::event::Event;
use crate::ids::{LocationId, VariantId};
use crate::limits::STOCK_MAX;
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;

/// What a level is to be; what is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetStock {
    /// The variant.
    pub variant_id: VariantId,
    /// The location; the default one otherwise.
    pub location_id: Option<LocationId>,
    /// Units on hand.
    pub stock_quantity: Option<i64>,
    /// The level's own low-stock threshold; `Some(None)` takes the tenant's again.
    pub low_stock_threshold: Option<Option<i64>>,
    /// Units that may be sold beyond what is on hand.
    pub backorder_limit: Option<i64>,
    /// The version that the caller saw.
    pub version: Option<i64>,
}

impl SetStock {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.variants.insert(self.variant_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        _context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let level = level_for(state, self.variant_id, self.location_id)?;
        let bounds = [
            (
                "/stock_quantity",
                self.stock_quantity,
                level.stock_quantity.min(0),
            ),
            ("/backorder_limit", self.backorder_limit, 0),
            (
                "/low_stock_threshold",
                self.low_stock_threshold.flatten(),
                0,
            ),
        ];
        for (pointer, value, least) in bounds {
            if value.is_some_and(|value| value < least || value > STOCK_MAX) {
                let message = format!("must be between {least} and {STOCK_MAX}");
                return Err(Rejection::invalid(pointer, message));
            }
        }
        if self.version.is_some_and(|version| version != level.version) {
            return Err(Rejection::VersionConflict);
        }
        let stock_quantity = self.stock_quantity.unwrap_or(level.stock_quantity);
        let backorder_limit = self.backorder_limit.unwrap_or(level.backorder_limit);
        let floor = level.reserved_stock.saturating_sub(backorder_limit);
        if stock_quantity < floor {
            return Err(shortage(&level, stock_quantity));
        }
        let event = Event::StockSet {
            level: level.key(),
            stock_quantity,
            low_stock_threshold: self
                .low_stock_threshold
                .unwrap_or(level.low_stock_threshold),
            backorder_limit,
        };
        Ok(Decision::changed(
            vec![event.into()],
            Reply::Level(level.key()),
        ))
    }
}
