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

const _: () = {
    assert!(QUANTITY_MAX <= STOCK_MAX);
    // A whole order's units and any sum of levels stay far from `i64::MAX`.
    assert!((LINES_MAX as i64) < i64::MAX / QUANTITY_MAX);
    assert!((LOCATIONS_MAX as i64) < i64::MAX / STOCK_MAX);
    // Summing the lines of an order cannot overflow before the sum is compared with the bound.
    assert!((LINES_MAX as i64 + 3) < i64::MAX / AMOUNT_MAX);
};
