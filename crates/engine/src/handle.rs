//! The way into the lanes, for everybody who wants to change something.

use std::sync::Arc;

use domain::command::Command;
use domain::decide::Sweep;
use domain::ids::{TenantId, TypedId as _};
use tokio::sync::oneshot;

use crate::clock::{Clock, Entropy};
use crate::codec::SWEEP_AGAIN;
use crate::lanes::{Lanes, Waiting};
use crate::request::{Answer, Claim, Failure, Request};
use crate::stats::{Stats, count};

/// A command that waits in its lane.
pub struct Queued(oneshot::Receiver<Result<Answer, Failure>>);

impl Queued {
    /// Waits until it is committed or refused.
    pub async fn answer(self) -> Result<Answer, Failure> {
        // The sender is dropped without an answer only when the executor is gone.
        self.0.await.unwrap_or(Err(Failure::Unavailable))
    }
}

/// Hands commands to lanes and waits for their answers. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    /// The lanes of each executor; a tenant's are always the same ones.
    lanes: Arc<[Arc<Lanes>]>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    stats: Arc<Stats>,
}

impl Handle {
    /// A handle to the lanes of one executor or more.
    #[must_use]
    pub fn new(
        lanes: Arc<[Arc<Lanes>]>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            lanes,
            clock,
            entropy,
            stats,
        }
    }

    /// Submits a command to its tenant's lane and waits until it is committed or refused.
    pub async fn submit(
        &self,
        tenant: TenantId,
        command: Command,
        claim: Option<Claim>,
    ) -> Result<Answer, Failure> {
        self.queue(tenant, command, claim)?.answer().await
    }

    /// Queues a command in its tenant's lane; commands of one caller are decided in this order.
    pub fn queue(
        &self,
        tenant: TenantId,
        command: Command,
        claim: Option<Claim>,
    ) -> Result<Queued, Failure> {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            command,
            claim,
            entropy: self.entropy.word(),
        };
        let waiting = Waiting {
            request,
            reply,
            queued_at: tokio::time::Instant::now(),
        };
        if let Err(failure) = self.lanes_of(tenant)?.push(tenant, waiting) {
            if failure == Failure::Overloaded {
                count(&self.stats.shed, 1);
            }
            return Err(failure);
        }
        Ok(Queued(answer))
    }

    /// The lanes that a tenant's is among, by the random end of its id.
    fn lanes_of(&self, tenant: TenantId) -> Result<&Lanes, Failure> {
        let random: usize = tenant
            .uuid()
            .as_bytes()
            .last()
            .copied()
            .map_or(0, usize::from);
        let place = random.checked_rem(self.lanes.len());
        let lanes = place.and_then(|place| self.lanes.get(place));
        lanes.map(|lanes| &**lanes).ok_or(Failure::Unavailable)
    }

    /// Sweeps a lane until every deadline is as its controls want it. Due orders beyond one
    /// sweep's share are left to the next.
    pub async fn sweep(&self, tenant: TenantId) -> Result<(), Failure> {
        let sweep = || self.submit(tenant, Command::Sweep(Sweep), None);
        while sweep().await?.status == SWEEP_AGAIN {}
        Ok(())
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Randomness.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// What the lanes did so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// How many requests wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.lanes.iter().map(|lanes| lanes.depth()).sum()
    }
}
