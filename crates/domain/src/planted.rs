//! Planted bugs: faults that the simulator must catch, so that its silence means something.
//!
//! They exist only with the `planted` feature, which nothing but the simulator's tests turns on;
//! without it [`is`] is a constant `false`.

/// The faults that can be planted, one at a time and per thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Stock is checked against what the batch loaded, not against what it has decided so far.
    CheckThenAct,
    /// Two lines of one variant are checked one by one instead of summed.
    LinesCheckedApart,
    /// An idempotency key is claimed only after the batch, so duplicates in one batch both run.
    KeyClaimedLate,
    /// A hold is kept for the very millisecond in which it ends.
    ExpiryOffByOne,
    /// A reservation's event moves the level twice.
    EventAppliedTwice,
    /// Prices are multiplied without a check.
    UncheckedArithmetic,
    /// A payment that comes twice is applied twice.
    PaymentAppliedTwice,
    /// A cancelled order's units do not come back.
    HoldLeaked,
}

impl Bug {
    /// Every fault that can be planted.
    pub const ALL: [Self; 8] = [
        Self::CheckThenAct,
        Self::LinesCheckedApart,
        Self::KeyClaimedLate,
        Self::ExpiryOffByOne,
        Self::EventAppliedTwice,
        Self::UncheckedArithmetic,
        Self::PaymentAppliedTwice,
        Self::HoldLeaked,
    ];
}

#[cfg(feature = "planted")]
std::thread_local! {
    static ACTIVE: core::cell::Cell<Option<Bug>> = const { core::cell::Cell::new(None) };
}

/// Plants `bug` on this thread, or removes what was planted.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    ACTIVE.with(|active| active.set(bug));
}

/// Whether `bug` is planted on this thread.
#[cfg(feature = "planted")]
#[must_use]
pub fn is(bug: Bug) -> bool {
    ACTIVE.with(|active| active.get() == Some(bug))
}

/// Whether `bug` is planted: never, in a build without the feature.
#[cfg(not(feature = "planted"))]
#[must_use]
#[inline]
pub const fn is(_bug: Bug) -> bool {
    false
}
