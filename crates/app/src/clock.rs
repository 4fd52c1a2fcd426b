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

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(0);
        let wall = wall_millis();
        let base = self.base_millis.load(Ordering::Relaxed);
        let now = if wall.saturating_sub(base.saturating_add(elapsed)) > JUMP_MAX_MILLIS {
            tracing::error!(
                wall,
                "the clock jumped forward by more than an hour; not followed"
            );
            base.saturating_add(elapsed)
        } else {
            self.base_millis
                .store(wall.saturating_sub(elapsed), Ordering::Relaxed);
            wall
        };
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
