//! Makes expiry visible: watches for due holds and submits sweeps through the lanes.
//!
//! Expiry itself needs no sweeper: a batch first expires what is due on the variants that it
//! touches. The sweeper serves the eye, and the figures that nobody touches.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::time::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::handle::Handle;
use crate::reader::{Due, Reader};
use crate::request::{Failure, platform};

/// How often the sweeper works.
#[derive(Clone, Copy, Debug)]
pub struct SweeperOptions {
    /// Milliseconds between two looks for due holds.
    pub look_every_millis: u64,
    /// Milliseconds between two clean-ups: a sweep of every lane, due or not.
    pub clean_up_every_millis: u64,
}

/// What the sweeper did last, for `/health/ready`.
#[derive(Debug, Default)]
pub struct SweeperStatus {
    last_run: AtomicI64,
    lag_millis: AtomicI64,
    failures: AtomicU64,
}

impl SweeperStatus {
    /// When it looked last; `None` before the first time.
    #[must_use]
    pub fn last_run(&self) -> Option<Timestamp> {
        let millis = self.last_run.load(Ordering::Relaxed);
        (millis > 0).then(|| Timestamp::from_millis(millis))
    }

    /// By how many milliseconds the oldest due hold was late when it looked last.
    #[must_use]
    pub fn lag_millis(&self) -> i64 {
        self.lag_millis.load(Ordering::Relaxed)
    }

    /// How many runs in a row have failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

/// Watches for due holds until it is cancelled.
pub struct Sweeper {
    /// The way into the lanes.
    pub handle: Handle,
    /// Finds what is due.
    pub reader: Arc<dyn Reader>,
    /// What it did last.
    pub status: Arc<SweeperStatus>,
    /// How often it works.
    pub options: SweeperOptions,
}

impl Sweeper {
    /// Works until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let mut since_clean_up = 0;
        loop {
            let wait = Duration::from_millis(self.options.look_every_millis);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            since_clean_up += self.options.look_every_millis;
            let clean_up = since_clean_up >= self.options.clean_up_every_millis;
            if clean_up {
                since_clean_up = 0;
            }
            if self.work(clean_up, &stop).await {
                self.status.failures.store(0, Ordering::Relaxed);
            } else {
                self.status.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Looks until nothing more is due, so that a flood of ended holds is shown without a pause; and
    /// no longer than sweeping helps, such as where the database's clock and ours disagree.
    async fn work(&self, clean_up: bool, stop: &CancellationToken) -> bool {
        let mut left = self.look(clean_up).await;
        loop {
            match &left {
                None => return false,
                Some(due) if due.is_empty() || stop.is_cancelled() => return true,
                Some(before) => {
                    let now = self.look(false).await;
                    if now.as_ref() == Some(before) {
                        return true;
                    }
                    left = now;
                }
            }
        }
    }

    /// Sweeps every lane that has something due (on a clean-up, every lane), once. What was due;
    /// `None` when something failed.
    async fn look(&self, clean_up: bool) -> Option<Vec<Due>> {
        let now = self.handle.clock().now();
        let due = match self.reader.due_tenants(now).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "looking for due holds failed");
                return None;
            }
        };
        let lag = due
            .iter()
            .map(|due| now.since(due.oldest))
            .max()
            .unwrap_or(0);
        self.status.lag_millis.store(lag, Ordering::Relaxed);
        let due: Vec<Due> = due.into_iter().filter(|due| !due.paused).collect();
        let mut lanes: Vec<_> = due.iter().map(|due| due.tenant).collect();
        if clean_up {
            match self.reader.tenants().await {
                Ok(tenants) => lanes.extend(tenants.iter().map(|tenant| tenant.id)),
                Err(error) => {
                    tracing::warn!(%error, "listing tenants for the clean-up failed");
                    return None;
                }
            }
            lanes.push(platform());
            lanes.sort_unstable();
            lanes.dedup();
        }
        let mut done = true;
        for tenant in lanes {
            match self.handle.sweep(tenant).await {
                Ok(()) | Err(Failure::ReadOnly) => {}
                Err(failure) => {
                    tracing::warn!(%failure, %tenant, "a sweep failed");
                    done = false;
                }
            }
        }
        self.status.last_run.store(now.millis(), Ordering::Relaxed);
        done.then_some(due)
    }
}
