//! What must be true, kept apart from `decide`: plain numbers, no events, no holds of its own.
//!
//! The model predicts the code of every answer. Where a rule leaves a choice (which location
//! gives a unit), it takes what the store did and checks that it was allowed.

use std::collections::BTreeMap;

use domain::ids::{CartId, LocationId, OrderId, PaymentId, RefundId, VariantId};

/// Units of one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// On hand.
    pub stock: i64,
    /// Of those, kept by live holds.
    pub reserved: i64,
}

/// One line as it was asked for.
pub type Line = (VariantId, i64, Option<LocationId>);

/// How an order stands, in the model's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// A quote.
    Draft,
    /// Waits for money.
    Waiting,
    /// Paid, by how far it has gone: paid, processing, shipped, delivered.
    Paid(u8),
    /// Time ran out.
    Expired,
    /// Somebody cancelled.
    Cancelled,
    /// All money went back.
    Refunded,
}

/// A payment.
#[derive(Clone, Debug)]
pub struct Pay {
    /// Its id.
    pub id: PaymentId,
    /// What was or is to be taken.
    pub amount: i64,
    /// What went back, or shall.
    pub refunded: i64,
    /// Whether a provider elsewhere takes it.
    pub remote: bool,
    /// Whether its provider has begun it.
    pub begun: bool,
    /// Whether it paid its order.
    pub earned: bool,
    /// `pending`, `failed`, `cancelled` or `taken`.
    pub state: &'static str,
    /// How it is called.
    pub reference: String,
}

/// A refund.
#[derive(Clone, Copy, Debug)]
pub struct Back {
    /// Its id.
    pub id: RefundId,
    /// Its payment.
    pub payment: PaymentId,
    /// How much.
    pub amount: i64,
    /// `open`, `done` or `failed`.
    pub state: &'static str,
    /// Whether its money was ever on its way.
    pub settled: bool,
}

/// An order.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its lines.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: i64,
    /// How it stands.
    pub stand: Stand,
    /// When its hold ends, if time ends it.
    pub expires_at: Option<i64>,
    /// Whether an operator keeps it where it is.
    pub on_hold: bool,
    /// Units held or sold: by level, and whether they left the shelf at once.
    pub units: BTreeMap<(VariantId, LocationId), (i64, bool)>,
    /// Whether its totals are frozen.
    pub locked: bool,
    /// The reference of the payment that paid it.
    pub paid_by: Option<String>,
    /// Its payments, oldest first.
    pub payments: Vec<Pay>,
    /// Its refunds, as the store told.
    pub refunds: Vec<Back>,
    /// Whether a refund put units back (the model does not follow which).
    pub restocked: bool,
}

impl Order {
    /// Whether its time has run out.
    #[must_use]
    pub fn is_due(&self, moment: Moment) -> bool {
        let stopped = moment.controls.suspended || moment.controls.read_only;
        let due = |at: i64| at <= moment.now && at > moment.controls.resumed_at;
        self.stand == Stand::Waiting && !stopped && self.expires_at.is_some_and(due)
    }

    /// How it stands at a moment: what is due has expired, whether a sweep saw it or not.
    #[must_use]
    pub fn stand_at(&self, moment: Moment) -> Stand {
        if self.is_due(moment) {
            Stand::Expired
        } else {
            self.stand
        }
    }
}

/// Where the operator's controls stand.
#[derive(Clone, Copy, Debug)]
pub struct Controls {
    /// Time ends no order.
    pub suspended: bool,
    /// Deadlines up to this time no longer count.
    pub resumed_at: i64,
    /// Nothing is written.
    pub read_only: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            suspended: false,
            resumed_at: i64::MIN,
            read_only: false,
        }
    }
}

/// The time, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Milliseconds since the epoch.
    pub now: i64,
    /// What time may do.
    pub controls: Controls,
}

/// A cart: its units by variant, and what it became.
#[derive(Clone, Debug, Default)]
pub struct Cart {
    /// Units.
    pub units: BTreeMap<VariantId, i64>,
    /// The order.
    pub order: Option<OrderId>,
}

/// The whole model.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Prices.
    pub prices: BTreeMap<VariantId, i64>,
    /// Levels.
    pub levels: BTreeMap<(VariantId, LocationId), Level>,
    /// Orders.
    pub orders: BTreeMap<OrderId, Order>,
    /// Carts.
    pub carts: BTreeMap<CartId, Cart>,
    /// The operator's controls.
    pub controls: Controls,
    /// Keys that are taken: what they meant and what was answered.
    pub keys: BTreeMap<[u8; 16], ([u8; 32], Vec<u8>)>,
}

/// How long an order holds its stock.
pub(crate) const HOLD_MILLIS: i64 = 900_000;
/// The most that money may be.
const MONEY_MAX: i128 = 1_000_000_000_000_000;
/// The most units of a level.
const UNITS_MAX: i64 = 1_000_000_000;

impl Model {
    /// A moment under the controls as they stand.
    #[must_use]
    pub fn at(&self, now: i64) -> Moment {
        let controls = self.controls;
        Moment { now, controls }
    }

    /// When an order that takes its stock at `now` ends, if time ends it.
    #[must_use]
    pub fn deadline(&self, now: i64, on_hold: bool) -> Option<i64> {
        (!self.controls.suspended && !on_hold).then_some(now + HOLD_MILLIS)
    }

    /// Free units of a level at `now`: what is due is free.
    #[must_use]
    pub fn free(&self, key: (VariantId, LocationId), now: i64) -> i64 {
        let level = self.levels.get(&key).copied().unwrap_or_default();
        let due: i64 = self
            .orders
            .values()
            .filter(|order| order.is_due(self.at(now)))
            .filter_map(|order| order.units.get(&key))
            .map(|(units, _)| units)
            .sum();
        (level.stock - level.reserved + due).max(0)
    }

    /// Whether lines can be supplied at `now`, with `back` free beside what is.
    #[must_use]
    pub fn can_supply(
        &self,
        lines: &[Line],
        now: i64,
        back: &BTreeMap<(VariantId, LocationId), (i64, bool)>,
    ) -> bool {
        let mut wanted: BTreeMap<VariantId, i64> = BTreeMap::new();
        let mut forced: BTreeMap<(VariantId, LocationId), i64> = BTreeMap::new();
        for (variant, units, location) in lines {
            *wanted.entry(*variant).or_default() += units;
            if let Some(location) = location {
                *forced.entry((*variant, *location)).or_default() += units;
            }
        }
        let free = |key| self.free(key, now) + back.get(&key).map_or(0, |(units, _)| *units);
        let all = |variant| -> i64 {
            let keys = self.levels.keys().filter(|(of, _)| *of == variant);
            keys.map(|key| free(*key)).sum()
        };
        forced.iter().all(|(key, units)| free(*key) >= *units)
            && wanted
                .iter()
                .all(|(variant, units)| all(*variant) >= *units)
    }

    /// What lines cost; `None` when a sum leaves the bounds.
    #[must_use]
    pub fn cost(&self, lines: &[Line]) -> Option<i64> {
        let mut sum: i128 = 0;
        for (variant, units, _) in lines {
            let price = i128::from(self.prices.get(variant).copied().unwrap_or(0));
            let line = price * i128::from(*units);
            if line > MONEY_MAX {
                return None;
            }
            sum += line;
        }
        i64::try_from(sum).ok().filter(|_| sum <= MONEY_MAX)
    }

    /// The code of an attempt to order lines.
    #[must_use]
    pub fn order_code(&self, lines: &[Line], now: i64, draft: bool) -> &'static str {
        if lines.is_empty()
            || lines
                .iter()
                .any(|(_, units, _)| !(1..=1_000_000).contains(units))
        {
            return "validation_failed";
        }
        if self.cost(lines).is_none() {
            return "validation_failed";
        }
        if !draft && !self.can_supply(lines, now, &BTreeMap::new()) {
            return "insufficient_stock";
        }
        "ok"
    }

    /// The code of moving a level by `delta` at `now`.
    #[must_use]
    pub fn adjust_code(&self, key: (VariantId, LocationId), delta: i64, now: i64) -> &'static str {
        let level = self.levels.get(&key).copied().unwrap_or_default();
        let after = i128::from(level.stock) + i128::from(delta);
        let due = self.free(key, now) - (level.stock - level.reserved).max(0);
        if delta == 0
            || delta.unsigned_abs() > UNITS_MAX.unsigned_abs()
            || after > i128::from(UNITS_MAX)
        {
            "validation_failed"
        } else if after < i128::from(level.reserved - due) {
            "insufficient_stock"
        } else {
            "ok"
        }
    }

    /// The code of taking money for an order: what `pay` may answer.
    #[must_use]
    pub fn pay_code(&self, order: &Order, now: i64) -> &'static str {
        match order.stand_at(self.at(now)) {
            Stand::Waiting => "ok",
            Stand::Draft | Stand::Expired => {
                let supplied = self.can_supply(&order.lines, now, &BTreeMap::new());
                if supplied { "ok" } else { "insufficient_stock" }
            }
            Stand::Cancelled => "already_cancelled",
            Stand::Paid(_) | Stand::Refunded => "already_paid",
        }
    }

    /// The code of cancelling.
    #[must_use]
    pub fn cancel_code(order: &Order, moment: Moment) -> &'static str {
        match order.stand_at(moment) {
            Stand::Draft | Stand::Waiting | Stand::Paid(0 | 1) => "ok",
            Stand::Expired | Stand::Cancelled => "already_cancelled",
            Stand::Paid(_) | Stand::Refunded => "invalid_state",
        }
    }
}
