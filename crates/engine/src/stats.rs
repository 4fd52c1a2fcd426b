//! Counters of what the lanes did, for `/metrics` and the benchmark.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters since the process started.
        #[derive(Debug, Default)]
        pub struct Stats {
            $($(#[$doc])* pub $name: AtomicU64,)*
        }

        impl Stats {
            /// All counters with their names.
            #[must_use]
            pub fn read(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(Ordering::Relaxed)),)*]
            }
        }
    };
}

counters! {
    /// Batches that were decided.
    batches,
    /// Commands that were taken into a batch.
    commands,
    /// Commands that were refused.
    refusals,
    /// Answers that were given again under their key.
    replays,
    /// Events that were recorded.
    events,
    /// Orders whose stock was let go because time ran out.
    expired_orders,
    /// Batches that had to be decided anew.
    conflicts,
    /// Commands turned away because a queue was full or they waited too long.
    shed,
    /// Batches that failed for the store's sake.
    failed_batches,
}

/// Adds to a counter.
pub fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Ordering::Relaxed);
}
