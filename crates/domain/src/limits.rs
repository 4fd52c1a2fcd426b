//! Every bound of the core. The edge refuses what lies outside before it becomes a command;
//! `decide` checks again whatever arithmetic could leave them.

/// Lines of one order or cart.
pub const LINES_MAX: usize = 100;
/// Units in one line.
pub const QUANTITY_MAX: i64 = 1_000_000;
/// Units of one variant at one location.
pub const STOCK_MAX: i64 = 1_000_000_000;
/// An amount of money, in minor units.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// Variants of one product.
pub const VARIANTS_MAX: usize = 100;
/// Locations of one tenant.
pub const LOCATIONS_MAX: usize = 100;
/// Characters of a text, unless it says otherwise.
pub const TEXT_MAX: usize = 2_000;
/// Orders that one sweep command expires.
pub const SWEEP_MAX: usize = 500;
/// Due orders that one load brings in beside what its commands name.
pub const DUE_MAX: usize = 2_000;

/// What one order could cost at most before its sum is compared with the bound: every line at
/// the most, and discount, tax and shipping beside them.
const SUM_MAX: Option<i64> = AMOUNT_MAX.checked_mul(103);
/// What all levels of a variant could hold at most.
const LEVELS_MAX: Option<i64> = STOCK_MAX.checked_mul(100);

const _: () = {
    assert!(QUANTITY_MAX <= STOCK_MAX);
    assert!(LINES_MAX <= 100 && LOCATIONS_MAX <= 100);
    assert!(SUM_MAX.is_some() && LEVELS_MAX.is_some());
    assert!(SWEEP_MAX <= DUE_MAX);
};
