//! Randomness that follows from a seed.

/// A `SplitMix64` sequence.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next word.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from 0 to `most`.
    pub fn up_to(&mut self, most: i64) -> i64 {
        let span = u64::try_from(most).unwrap_or(0).saturating_add(1);
        i64::try_from(self.word() % span).unwrap_or(0)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: i64) -> bool {
        self.up_to(n - 1) == 0
    }

    /// One of these, if there are any.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(all.len()).ok()?.checked_sub(1)?;
        all.get(usize::try_from(self.up_to(last)).ok()?)
    }
}
