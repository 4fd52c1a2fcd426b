//! The loop: take a turn, load, decide, commit, answer.

use std::sync::Arc;
use std::time::Duration;

use domain::needs::Needs;
use tokio::time::Instant;

use crate::batch::{LaneOutcome, Rules, decide_lane};
use crate::clock::{Clock, Entropy};
use crate::codec::Codec;
use crate::lanes::{LaneTurn, Lanes, Waiting};
use crate::request::{Answer, Failure, KeyDigest};
use crate::stats::{Stats, count};
use crate::store::{LaneLoad, LaneWrite, Store, StoreError};

/// How an executor works.
#[derive(Clone, Copy, Debug)]
pub struct ExecutorOptions {
    /// Minutes until an unpaid order expires, where the tenant says nothing.
    pub payment_timeout_minutes: i64,
    /// For how many milliseconds an answer is kept under its key.
    pub answers_kept_millis: i64,
    /// How often a batch that met a conflict is decided anew.
    pub retries_max: u32,
    /// Milliseconds before the first retry; doubled before each further one, plus jitter.
    pub retry_backoff_millis: u64,
}

/// Everything that an executor works with.
pub struct Executor<S> {
    /// Where batches go.
    pub store: S,
    /// Where they come from.
    pub lanes: Arc<Lanes>,
    /// Makes the bytes.
    pub codec: Arc<dyn Codec>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub entropy: Arc<dyn Entropy>,
    /// Counters.
    pub stats: Arc<Stats>,
    /// How it works.
    pub options: ExecutorOptions,
}

/// For how long the outcome of a commit is asked for: an outage that lasts longer is answered with
/// 503, and whoever repeats its key learns what became of it.
const RESOLVE_MAX: Duration = Duration::from_secs(15);

/// What a lane's share of a turn came to.
struct LaneResult {
    answers: Vec<Result<Answer, Failure>>,
    again: bool,
    changed: bool,
}

/// Why a turn has to be taken again.
enum Setback {
    Retry(StoreError),
    GiveUp(StoreError),
}

impl<S: Store> Executor<S> {
    /// Serves turns until the lanes are closed and empty.
    pub async fn run(mut self) {
        while let Some(turn) = self.lanes.next_turn(self.store.lanes_per_batch()).await {
            let turn = self.drop_late(turn);
            self.serve(turn).await;
        }
    }

    /// Commands that waited too long are dropped undecided.
    fn drop_late(&self, turn: Vec<LaneTurn>) -> Vec<LaneTurn> {
        let most = Duration::from_millis(self.lanes.options().wait_max_millis);
        let mut kept = Vec::with_capacity(turn.len());
        for LaneTurn { tenant, waiting } in turn {
            let (late, waiting): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|waiting| waiting.queued_at.elapsed() > most);
            count(&self.stats.shed, late.len());
            for waiting in late {
                answer(waiting, Err(Failure::Overloaded));
            }
            if !waiting.is_empty() {
                kept.push(LaneTurn { tenant, waiting });
            }
        }
        kept
    }

    async fn serve(&mut self, mut turn: Vec<LaneTurn>) {
        let mut tries = 0;
        while !turn.is_empty() {
            match self.attempt(turn).await {
                Ok(again) => turn = again,
                Err((back, Setback::Retry(_))) if tries < self.options.retries_max => {
                    count(&self.stats.conflicts, 1);
                    self.back_off(tries).await;
                    tries += 1;
                    turn = back;
                }
                Err((back, Setback::Retry(error) | Setback::GiveUp(error))) => {
                    count(&self.stats.failed_batches, 1);
                    tracing::error!(%error, lanes = back.len(), "a batch failed");
                    let failure = failure_of(&error);
                    for waiting in back.into_iter().flat_map(|lane| lane.waiting) {
                        answer(waiting, Err(failure.clone()));
                    }
                    return;
                }
            }
        }
    }

    async fn back_off(&self, tries: u32) {
        let base = self
            .options
            .retry_backoff_millis
            .saturating_mul(1 << tries.min(16));
        let jitter = self.entropy.word() % base.max(1).div_ceil(2);
        tokio::time::sleep(Duration::from_millis(base + jitter)).await;
    }

    /// One transaction. Returns the lanes that must be taken up again because more was due than
    /// one load brings in.
    async fn attempt(
        &mut self,
        turn: Vec<LaneTurn>,
    ) -> Result<Vec<LaneTurn>, (Vec<LaneTurn>, Setback)> {
        let now = self.clock.now();
        let footprints: Vec<(Needs, Vec<KeyDigest>)> = turn.iter().map(footprint).collect();
        let loads: Vec<LaneLoad<'_>> = turn
            .iter()
            .zip(&footprints)
            .map(|(lane, (needs, claims))| LaneLoad {
                tenant: lane.tenant,
                needs,
                claims,
            })
            .collect();
        let loaded = match self.store.load(&loads, now).await {
            Ok(loaded) => loaded,
            Err(error) => return Err((turn, setback(error))),
        };
        let rules = Rules {
            codec: &*self.codec,
            payment_timeout_minutes: self.options.payment_timeout_minutes,
            answers_kept_millis: self.options.answers_kept_millis,
        };
        let mut writes = Vec::with_capacity(turn.len());
        let mut results = Vec::with_capacity(turn.len());
        for (lane, loaded) in turn.iter().zip(loaded) {
            let requests: Vec<_> = lane.waiting.iter().map(|w| &w.request).collect();
            let outcome = decide_lane(lane.tenant, loaded, &requests, now, rules);
            let changed = outcome.is_changed();
            let LaneOutcome {
                write,
                answers,
                expired,
                again,
            } = outcome;
            self.count_lane(&write, answers.len(), expired);
            results.push(LaneResult {
                answers,
                again,
                changed,
            });
            if changed {
                writes.push(write);
            }
        }
        count(&self.stats.batches, 1);
        let committed = match self.commit(&writes).await {
            Ok(committed) => committed,
            Err(error) => return Err((turn, setback(error))),
        };
        Ok(self.answer_all(turn, results, committed))
    }

    fn count_lane(&self, write: &LaneWrite, commands: usize, expired: usize) {
        count(&self.stats.commands, commands);
        count(&self.stats.events, write.events.len());
        count(&self.stats.expired_orders, expired);
    }

    /// Commits, and finds out what became of a commit whose outcome is unknown.
    async fn commit(
        &mut self,
        writes: &[LaneWrite],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        if writes.is_empty() {
            self.store.abandon().await?;
            return Ok(Vec::new());
        }
        match self.store.commit(writes).await {
            Err(StoreError::Unknown(why)) => {
                tracing::warn!(why, "looking up a commit of unknown outcome");
                let mut committed = Vec::new();
                for write in writes {
                    committed.push(self.resolve(write).await?);
                }
                let lost = || StoreError::Lost("the commit did not happen".to_owned());
                if let [false] = committed.as_slice() {
                    // Certainly not committed, and alone: it can be decided anew.
                    return Err(lost());
                }
                let outcome = |found: bool| if found { Ok(()) } else { Err(lost()) };
                Ok(committed.into_iter().map(outcome).collect())
            }
            other => other,
        }
    }

    /// Asks until the database tells: while it is away, nobody can be answered truthfully.
    /// Whoever gives up says that it is unknown: it must not be decided anew.
    async fn resolve(&mut self, write: &LaneWrite) -> Result<bool, StoreError> {
        let begun = Instant::now();
        loop {
            match self.store.resolve(write.tenant, write.batch).await {
                Ok(found) => return Ok(found),
                Err(error) if begun.elapsed() >= RESOLVE_MAX => {
                    return Err(StoreError::Unknown(error.to_string()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the outcome of a commit is still unknown");
                    self.back_off(1).await;
                }
            }
        }
    }

    fn answer_all(
        &self,
        turn: Vec<LaneTurn>,
        results: Vec<LaneResult>,
        committed: Vec<Result<(), StoreError>>,
    ) -> Vec<LaneTurn> {
        let mut committed = committed.into_iter();
        let mut again = Vec::new();
        for (lane, result) in turn.into_iter().zip(results) {
            let LaneResult {
                answers,
                again: more,
                changed,
            } = result;
            let done = if changed {
                committed.next().unwrap_or(Ok(()))
            } else {
                Ok(())
            };
            if let Err(error) = done {
                count(&self.stats.failed_batches, 1);
                tracing::error!(%error, tenant = %lane.tenant, "a lane's share of a batch failed");
                let failure = failure_of(&error);
                lane.waiting
                    .into_iter()
                    .for_each(|w| answer(w, Err(failure.clone())));
            } else if more {
                again.push(lane);
            } else {
                let replays = answers
                    .iter()
                    .flatten()
                    .filter(|given| given.replayed)
                    .count();
                count(&self.stats.replays, replays);
                count(
                    &self.stats.refusals,
                    answers.iter().filter(|r| r.is_err()).count(),
                );
                lane.waiting
                    .into_iter()
                    .zip(answers)
                    .for_each(|(w, result)| answer(w, result));
            }
        }
        again
    }
}

fn footprint(lane: &LaneTurn) -> (Needs, Vec<KeyDigest>) {
    let mut needs = Needs::default();
    let mut claims = Vec::new();
    for waiting in &lane.waiting {
        waiting.request.command.needs(&mut needs);
        claims.extend(waiting.request.claim.map(|claim| claim.key));
    }
    (needs, claims)
}

fn setback(error: StoreError) -> Setback {
    match error {
        StoreError::Conflict | StoreError::Lost(_) => Setback::Retry(error),
        StoreError::Unavailable(_) | StoreError::Unknown(_) | StoreError::Corrupt(_) => {
            Setback::GiveUp(error)
        }
    }
}

fn failure_of(error: &StoreError) -> Failure {
    match error {
        StoreError::Conflict => Failure::Contended,
        StoreError::Lost(_) | StoreError::Unavailable(_) | StoreError::Unknown(_) => {
            Failure::Unavailable
        }
        StoreError::Corrupt(_) => Failure::Internal,
    }
}

/// A caller that went away needs no answer.
fn answer(waiting: Waiting, result: Result<Answer, Failure>) {
    drop(waiting.reply.send(result));
}
