//! Goes on with what is open at providers, on every server: what a crash left half done, outcomes
//! that nobody told us, refunds that take their time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::{TenantId, TypedId, Uuid};
use domain::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Sagas, Step};
use crate::reader::OpenMoney;

/// How often it looks,
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// and how often while there is more to ask for than room.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How much of what is open one look takes up; the next one goes on behind it.
const PAGE: usize = 500;
/// Requests to providers at the same time,
const AT_ONCE: usize = 16;
/// and for one shop: another's provider may be slow.
const AT_ONCE_FOR_ONE: usize = 4;
/// For how long somebody who made a payment or a refund is left to ask for it, in milliseconds.
const FIRST: i64 = 2_000;
/// For how long a payer is left alone, in milliseconds.
const PAYER: i64 = 60_000;
/// The longest wait between two questions, in milliseconds.
const LONGEST: i64 = 600_000;
/// The longest wait after a question that was not answered, in milliseconds.
const LONGEST_UNKNOWN: i64 = 60_000;

/// When something is asked for next.
#[derive(Clone, Copy)]
struct Next {
    at: Timestamp,
    /// The wait that led there, in milliseconds.
    wait: i64,
    /// Whether that was settled when its end had passed: an end does not wait for its turn.
    ended: bool,
    /// Whether it is being asked for.
    running: bool,
}

/// Asks for what is open.
pub struct Pursuer {
    /// Takes the steps.
    pub sagas: Arc<Sagas>,
    /// Runs them.
    pub tasks: TaskTracker,
    schedule: Arc<Mutex<BTreeMap<Uuid, Next>>>,
    room: Arc<Semaphore>,
    rooms: Mutex<BTreeMap<TenantId, Arc<Semaphore>>>,
}

/// The id by which a look goes on: a refund's own, or the payment's.
fn id(open: &OpenMoney) -> Uuid {
    open.refund_id
        .map_or_else(|| open.payment_id.uuid(), TypedId::uuid)
}

fn has_ended(open: &OpenMoney, now: Timestamp) -> bool {
    open.ends_at.is_some_and(|at| at <= now)
}

impl Pursuer {
    /// With nothing asked for yet.
    #[must_use]
    pub fn new(sagas: Arc<Sagas>, tasks: TaskTracker) -> Self {
        Self {
            sagas,
            tasks,
            schedule: Arc::default(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
            rooms: Mutex::default(),
        }
    }

    /// Room for one more request, if there is some; nobody is waited for.
    fn room(&self, tenant: TenantId) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let own = rooms.entry(tenant);
        let own = own.or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_FOR_ONE)));
        let own = Arc::clone(own).try_acquire_owned().ok()?;
        let all = Arc::clone(&self.room).try_acquire_owned().ok()?;
        Some((own, all))
    }

    fn schedule(&self) -> MutexGuard<'_, BTreeMap<Uuid, Next>> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let (mut behind, mut crowded) = (Uuid::nil(), false);
        loop {
            let wait = if crowded { LOOK_AGAIN } else { LOOK_EVERY };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            (behind, crowded) = self.look(behind, &stop).await;
        }
    }

    /// Takes up one page of what is open; returns where the next look begins, and whether there was
    /// more to ask for than room.
    async fn look(&self, behind: Uuid, stop: &CancellationToken) -> (Uuid, bool) {
        let now = self.sagas.handle.clock().now();
        let mut found = match self.sagas.reader.open_money(behind, PAGE, now).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "looking for open payments failed");
                return (behind, false);
            }
        };
        found.sort_by_key(id);
        let more = found.len() >= PAGE;
        found.truncate(PAGE);
        let now = found.first().map_or(now, |open| open.now);
        let mut crowded = false;
        for open in &found {
            if self.is_due(open, now) {
                let Some(room) = self.room(open.tenant) else {
                    crowded = true;
                    continue;
                };
                self.runs(id(open));
                let (sagas, open) = (Arc::clone(&self.sagas), *open);
                let (schedule, stop) = (Arc::clone(&self.schedule), stop.clone());
                self.tasks.spawn(async move {
                    // What is left half done is found again by whoever comes next.
                    let step = tokio::select! {
                        () = stop.cancelled() => return,
                        step = sagas.step(open) => step,
                    };
                    let mut schedule = schedule.lock().unwrap_or_else(PoisonError::into_inner);
                    after(&mut schedule, &open, step);
                    drop(room);
                });
            }
        }
        match found.last() {
            Some(last) if more => (id(last), crowded),
            _ => {
                self.forget_before(now);
                (Uuid::nil(), crowded)
            }
        }
    }

    /// Whether something is to be asked for now.
    fn is_due(&self, open: &OpenMoney, now: Timestamp) -> bool {
        let mut schedule = self.schedule();
        let first = || {
            let waits_for_payer = open.begun && open.refund_id.is_none();
            let wait = if waits_for_payer { PAYER } else { FIRST };
            Next {
                at: now.plus_millis(wait),
                wait,
                ended: false,
                running: false,
            }
        };
        let next = schedule.entry(id(open)).or_insert_with(first);
        let ends = has_ended(open, now) && !next.ended;
        !next.running && (next.at <= now || ends)
    }

    /// Notes that something is being asked for.
    fn runs(&self, id: Uuid) {
        if let Some(next) = self.schedule().get_mut(&id) {
            next.running = true;
        }
    }

    /// Forgets what has been due for long without being seen again: it is open no more.
    fn forget_before(&self, now: Timestamp) {
        let long_ago = now.plus_millis(-2 * LONGEST);
        self.schedule()
            .retain(|_, next| next.running || next.at > long_ago);
    }
}

/// When it is asked for again.
fn after(schedule: &mut BTreeMap<Uuid, Next>, open: &OpenMoney, step: Result<Step, super::Stuck>) {
    let now = open.now;
    let known = schedule.get(&id(open));
    let before = known.map_or(FIRST, |next| next.wait);
    let was_ended = known.is_some_and(|next| next.ended);
    let wait = match step {
        Ok(Step::Done) => {
            schedule.remove(&id(open));
            return;
        }
        Ok(Step::Further) => PAYER,
        Ok(Step::Queued) => FIRST,
        // Behind its end, a payment is looked at often at first.
        Ok(Step::Waits) if has_ended(open, now) && !was_ended => FIRST,
        Ok(Step::Waits) => (before * 2).clamp(FIRST, LONGEST),
        Err(error) => {
            tracing::warn!(%error, payment = %open.payment_id, "a payment is still open");
            // What nobody waits for any more can wait longer.
            let given_up = open.ends_at == Some(Timestamp::EPOCH);
            let most = if given_up { LONGEST } else { LONGEST_UNKNOWN };
            (before * 2).clamp(FIRST, most)
        }
    };
    let next = Next {
        at: now.plus_millis(wait),
        wait,
        ended: has_ended(open, now),
        running: false,
    };
    schedule.insert(id(open), next);
}
