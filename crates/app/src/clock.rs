//! Time and randomness of the real world.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::time::Timestamp;
use engine::clock::{Clock, Entropy};
use tokio_util::sync::CancellationToken;

/// A jump of the wall clock that is not followed: an hour, in milliseconds.
const JUMP_MAX_MILLIS: i64 = 3_600_000;
/// How often the offset's file is read.
const OFFSET_LOOK: Duration = Duration::from_millis(100);

/// The system's clock. It is compared with the time since the start: a jump forward of more than
/// an hour is not followed, so that one mad clock cannot expire every hold or freeze a lane.
pub(crate) struct SystemClock {
    started: Instant,
    /// Wall clock less time since the start, as far as it was followed.
    base_millis: AtomicI64,
    /// Added for tests that let time pass.
    offset_millis: AtomicI64,
}

#[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
fn wall_millis() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            base_millis: AtomicI64::new(wall_millis()),
            offset_millis: AtomicI64::new(0),
        }
    }

    /// Follows a file that holds seconds to add, until `stop`. An unreadable file means the last
    /// value read.
    pub(crate) async fn follow(self: Arc<Self>, file: PathBuf, stop: CancellationToken) {
        loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Ok(seconds) = text.trim().parse::<i64>() {
                self.offset_millis
                    .store(seconds.saturating_mul(1_000), Ordering::Relaxed);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(OFFSET_LOOK) => {}
            }
        }
    }
}

/// The wall clock, unless it has jumped forward by more than an hour since it was followed last:
/// then the time goes on by what has really passed.
const fn followed(base: i64, elapsed: i64, wall: i64) -> i64 {
    let expected = base.saturating_add(elapsed);
    if wall.saturating_sub(expected) > JUMP_MAX_MILLIS {
        expected
    } else {
        wall
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(0);
        let wall = wall_millis();
        let base = self.base_millis.load(Ordering::Relaxed);
        let now = followed(base, elapsed, wall);
        if now == wall {
            self.base_millis
                .store(wall.saturating_sub(elapsed), Ordering::Relaxed);
        } else {
            tracing::error!(
                wall,
                "the clock jumped forward by more than an hour; not followed"
            );
        }
        Timestamp::from_millis(now.saturating_add(self.offset_millis.load(Ordering::Relaxed)))
    }
}

/// The system's randomness.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system gives randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_more_than_an_hour_is_not_followed() {
        let base = 1_790_000_000_000;
        for (wall_less_expected, followed_too) in [
            (0, true),
            (-86_400_000, true),
            (JUMP_MAX_MILLIS, true),
            (JUMP_MAX_MILLIS + 1, false),
            (10 * 365 * 86_400_000, false),
        ] {
            let wall = base + 5_000 + wall_less_expected;
            let expected = if followed_too { wall } else { base + 5_000 };
            assert_eq!(
                followed(base, 5_000, wall),
                expected,
                "{wall_less_expected}"
            );
        }
    }
}
