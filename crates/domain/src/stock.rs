//! Stock of one variant at one location, and the holds on it.

use crate::ids::{LocationId, OrderId, ProductId, ReservationId, VariantId};
use crate::time::Timestamp;

/// Where a stock level stands: one variant at one location.
pub type LevelKey = (VariantId, LocationId);

/// Units of one variant at one location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockLevel {
    /// The variant.
    pub variant_id: VariantId,
    /// The location.
    pub location_id: LocationId,
    /// Units on hand. Below zero only as far as `backorder_limit` allows.
    pub stock_quantity: i64,
    /// Units on hand that active holds keep for their orders.
    pub reserved_stock: i64,
    /// Units that may be sold beyond what is on hand.
    pub backorder_limit: i64,
    /// At or below this many available units the level counts as low; `None` takes the tenant's.
    pub low_stock_threshold: Option<i64>,
    /// Rises by one with each change.
    pub version: i64,
    /// The `seq` of the last event that moved this level; 0 before the first. Each movement names
    /// the one before it, so a level's history can be walked without an index.
    pub last_seq: i64,
}

impl StockLevel {
    /// A level that nothing has moved yet.
    #[must_use]
    pub fn empty((variant_id, location_id): LevelKey) -> Self {
        Self {
            variant_id,
            location_id,
            stock_quantity: 0,
            reserved_stock: 0,
            backorder_limit: 0,
            low_stock_threshold: None,
            version: 0,
            last_seq: 0,
        }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> LevelKey {
        (self.variant_id, self.location_id)
    }

    /// Units that a new order could take.
    #[must_use]
    pub fn available(&self) -> i64 {
        self.stock_quantity
            .saturating_sub(self.reserved_stock)
            .saturating_add(self.backorder_limit)
            .max(0)
    }
}

/// What one event did to one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The variant.
    pub variant_id: VariantId,
    /// The location.
    pub location_id: LocationId,
    /// Change of `stock_quantity`.
    pub delta_stock: i64,
    /// Change of `reserved_stock`.
    pub delta_reserved: i64,
    /// The `seq` of the movement before this one on the same level; 0 for the first.
    pub previous_seq: i64,
}

/// How a hold ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldStatus {
    /// Keeps its units.
    Active,
    /// Became a sale.
    Converted,
    /// Its time ran out.
    Expired,
    /// Somebody cancelled.
    Cancelled,
}

/// Stock kept for one order until `expires_at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: ReservationId,
    /// The order it is kept for.
    pub order_id: OrderId,
    /// The variant's product.
    pub product_id: ProductId,
    /// What is kept.
    pub variant_id: VariantId,
    /// Where it is kept.
    pub location_id: LocationId,
    /// How many units.
    pub quantity: i64,
    /// True in `immediate` stock mode: the units left `stock_quantity` when the order was made,
    /// and go back there if the hold is let go.
    pub deducted: bool,
    /// When it was taken.
    pub reserved_at: Timestamp,
    /// When it ends by itself; it has ended at this very moment. `None`: time does not end it,
    /// because an operator suspended expiry or put the order on hold.
    pub expires_at: Option<Timestamp>,
    /// Whether and how it ended.
    pub status: HoldStatus,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl Hold {
    /// The level that it stands on.
    #[must_use]
    pub fn level_key(&self) -> LevelKey {
        (self.variant_id, self.location_id)
    }
}
