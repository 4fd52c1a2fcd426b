//! The queues before an executor: one a tenant, bounded, served in turns.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::ids::TenantId;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::batch::ends_batch;
use crate::request::{Answer, Failure, Request};

/// Bounds of the queues and of what one turn takes.
#[derive(Clone, Copy, Debug)]
pub struct LaneOptions {
    /// Commands that may wait in one tenant's lane.
    pub lane_depth_max: usize,
    /// Commands that may wait in all lanes of an executor.
    pub total_depth_max: usize,
    /// Commands that one turn takes.
    pub batch_count_max: usize,
    /// Milliseconds that a command may wait before it is dropped undecided.
    pub wait_max_millis: u64,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Waiting {
    /// The request.
    pub request: Request,
    /// Where its answer goes.
    pub reply: oneshot::Sender<Result<Answer, Failure>>,
    /// When it was queued.
    pub queued_at: Instant,
}

/// What one lane contributes to a turn.
#[derive(Debug)]
pub struct LaneTurn {
    /// The tenant.
    pub tenant: TenantId,
    /// Its requests, oldest first.
    pub waiting: Vec<Waiting>,
}

#[derive(Debug, Default)]
struct Queues {
    waiting: BTreeMap<TenantId, VecDeque<Waiting>>,
    /// Tenants with something waiting, the next one to be served first.
    ready: VecDeque<TenantId>,
    count: usize,
    closed: bool,
}

/// The lanes of one executor.
#[derive(Debug)]
pub struct Lanes {
    queues: Mutex<Queues>,
    arrived: Notify,
    options: LaneOptions,
}

impl Lanes {
    /// Empty lanes.
    #[must_use]
    pub fn new(options: LaneOptions) -> Self {
        Self {
            queues: Mutex::default(),
            arrived: Notify::new(),
            options,
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a request, or refuses it when there is no room or the lanes are closed.
    pub fn push(&self, tenant: TenantId, waiting: Waiting) -> Result<(), Failure> {
        let mut queues = self.queues();
        if queues.closed {
            return Err(Failure::Unavailable);
        }
        let full = queues.count >= self.options.total_depth_max;
        let lane = queues.waiting.entry(tenant).or_default();
        if full || lane.len() >= self.options.lane_depth_max {
            return Err(Failure::Overloaded);
        }
        lane.push_back(waiting);
        if lane.len() == 1 {
            queues.ready.push_back(tenant);
        }
        queues.count += 1;
        drop(queues);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits until something is queued and takes a turn of at most `lanes_max` lanes. `None` once
    /// the lanes are closed and empty.
    pub async fn next_turn(&self, lanes_max: usize) -> Option<Vec<LaneTurn>> {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut queues = self.queues();
                if queues.count > 0 {
                    return Some(self.take(&mut queues, lanes_max));
                }
                if queues.closed {
                    return None;
                }
            }
            arrived.await;
        }
    }

    /// Takes a fair share of each of the next lanes; a lane with something left goes to the end.
    fn take(&self, queues: &mut Queues, lanes_max: usize) -> Vec<LaneTurn> {
        let lanes = queues.ready.len().min(lanes_max).max(1);
        let share = self.options.batch_count_max.div_ceil(lanes);
        let mut turns = Vec::with_capacity(lanes);
        for _ in 0..lanes {
            let Some(tenant) = queues.ready.pop_front() else {
                break;
            };
            let Some(lane) = queues.waiting.get_mut(&tenant) else {
                continue;
            };
            let lever = lane.iter().take(share).position(|w| ends_batch(&w.request));
            let count = lever.map_or(share.min(lane.len()), |place| place + 1);
            let waiting: Vec<_> = lane.drain(..count).collect();
            if lane.is_empty() {
                queues.waiting.remove(&tenant);
            } else {
                queues.ready.push_back(tenant);
            }
            queues.count -= waiting.len();
            turns.push(LaneTurn { tenant, waiting });
        }
        turns
    }

    /// Refuses what comes from now on; what is queued is still served.
    pub fn close(&self) {
        self.queues().closed = true;
        self.arrived.notify_one();
    }

    /// How many requests wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.queues().count
    }

    /// The bounds.
    #[must_use]
    pub fn options(&self) -> LaneOptions {
        self.options
    }
}
