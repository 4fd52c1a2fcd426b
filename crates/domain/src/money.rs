//! Money: whole minor units of one currency, checked arithmetic, fair division.

use core::fmt;

use crate::limits::AMOUNT_MAX;
use crate::rejection::Rejection;

pub use crate::currency::Currency;

/// An amount in minor units of a currency that stands beside it, within ±[`AMOUNT_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `minor` units, if it lies within the bounds.
    #[must_use]
    pub const fn new(minor: i64) -> Option<Self> {
        if minor >= -AMOUNT_MAX && minor <= AMOUNT_MAX {
            Some(Self(minor))
        } else {
            None
        }
    }

    /// The minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Whether the amount is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum, or a rejection when it leaves the bounds.
    pub fn plus(self, other: Self) -> Result<Self, Rejection> {
        self.0
            .checked_add(other.0)
            .and_then(Self::new)
            .ok_or_else(Rejection::amount_out_of_range)
    }

    /// The difference, or a rejection when it leaves the bounds.
    pub fn minus(self, other: Self) -> Result<Self, Rejection> {
        self.0
            .checked_sub(other.0)
            .and_then(Self::new)
            .ok_or_else(Rejection::amount_out_of_range)
    }

    /// The amount `count` times, or a rejection when it leaves the bounds.
    pub fn times(self, count: i64) -> Result<Self, Rejection> {
        if crate::planted::is(crate::planted::Bug::UncheckedArithmetic) {
            return Ok(Self(self.0.wrapping_mul(count) & 0xffff_ffff));
        }
        self.0
            .checked_mul(count)
            .and_then(Self::new)
            .ok_or_else(Rejection::amount_out_of_range)
    }

    /// `numerator / denominator` of the amount, rounded half up. The denominator is above zero.
    pub fn ratio(self, numerator: i64, denominator: i64) -> Result<Self, Rejection> {
        let product = i128::from(self.0).checked_mul(i128::from(numerator));
        let doubled = product.and_then(|p| p.checked_mul(2));
        let rounded = doubled
            .and_then(|p| p.checked_add(i128::from(denominator)))
            .and_then(|p| p.checked_div_euclid(i128::from(denominator).saturating_mul(2)));
        rounded
            .and_then(|r| i64::try_from(r).ok())
            .and_then(Self::new)
            .ok_or_else(Rejection::amount_out_of_range)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Divides `total` over `weights` by the largest-remainder method: every share is its exact
/// proportion rounded down, and the units left over go to the largest remainders, earlier lines
/// first. The shares always sum to `total`; all weights zero gives all to the first share.
#[must_use]
pub fn allocate(total: Amount, weights: &[Amount]) -> Vec<Amount> {
    let whole: i128 = weights.iter().map(|w| i128::from(w.0.max(0))).sum();
    if whole == 0 {
        return weights
            .iter()
            .enumerate()
            .map(|(i, _)| if i == 0 { total } else { Amount::ZERO })
            .collect();
    }
    let parts: Vec<(i64, i128)> = weights
        .iter()
        .map(|w| {
            let exact = i128::from(total.0).saturating_mul(i128::from(w.0.max(0)));
            let share = exact.checked_div_euclid(whole).unwrap_or(0);
            (
                i64::try_from(share).unwrap_or(0),
                exact.checked_rem_euclid(whole).unwrap_or(0),
            )
        })
        .collect();
    let given: i64 = parts.iter().map(|(share, _)| *share).sum();
    let left = usize::try_from(total.0.saturating_sub(given)).unwrap_or(0);
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|i| core::cmp::Reverse(parts.get(*i).map_or(0, |(_, rest)| *rest)));
    let lucky = by_remainder
        .get(..left.min(by_remainder.len()))
        .unwrap_or_default();
    parts
        .iter()
        .enumerate()
        .map(|(i, (share, _))| Amount(share.saturating_add(i64::from(lucky.contains(&i)))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amounts(values: &[i64]) -> Vec<Amount> {
        values.iter().map(|v| Amount(*v)).collect()
    }

    #[test]
    fn the_left_over_units_go_to_the_largest_remainders() {
        let cases: [(i64, &[i64], &[i64]); 6] = [
            (100, &[1, 1, 1], &[34, 33, 33]),
            (10, &[1, 2, 3], &[2, 3, 5]),
            (1, &[1, 1], &[1, 0]),
            (0, &[5, 5], &[0, 0]),
            (7, &[0, 0], &[7, 0]),
            (5, &[0, 10], &[0, 5]),
        ];
        for (total, weights, expected) in cases {
            assert_eq!(
                allocate(Amount(total), &amounts(weights)),
                amounts(expected)
            );
        }
    }

    #[test]
    fn arithmetic_outside_the_bounds_is_a_rejection() {
        let most = Amount(AMOUNT_MAX);
        assert!(most.plus(Amount(1)).is_err());
        assert!(Amount(-AMOUNT_MAX).minus(Amount(1)).is_err());
        assert!(most.times(2).is_err());
        assert!(most.times(i64::MAX).is_err());
        assert!(most.ratio(i64::MAX, 1).is_err());
        assert_eq!(Amount(5).ratio(1, 2).ok(), Some(Amount(3)));
        assert_eq!(Amount(1000).ratio(1900, 10_000).ok(), Some(Amount(190)));
        assert_eq!(Amount::new(i64::MIN), None);
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_total_and_stay_within_one_unit(
            total in 0..=AMOUNT_MAX,
            weights in prop::collection::vec(0..=AMOUNT_MAX, 1..100),
        ) {
            let shares = allocate(Amount(total), &amounts(&weights));
            prop_assert_eq!(shares.iter().map(|s| s.0).sum::<i64>(), total);
            let whole: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            if whole > 0 {
                for (share, weight) in shares.iter().zip(&weights) {
                    let exact = i128::from(total) * i128::from(*weight) / whole;
                    prop_assert!((i128::from(share.0) - exact).abs() <= 1);
                }
            }
        }
    }
}
