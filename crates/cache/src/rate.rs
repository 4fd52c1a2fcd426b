//! How much of its rate each key has used, on all servers together: GCRA, by Redis' own clock.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::Script;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::link::Link;
use crate::rounds::{Rounds, Waiting, rounds};

/// One second's requests may come at once; after them one every `ARGV[1]` microseconds. `ARGV[2]`
/// are asked for. What is kept is the time at which the next one would be on schedule; one that lies
/// further ahead than it can is of a clock that was set back. Answers how many may go, and for how
/// many microseconds the next one is too early.
const TAKE: &str = "\
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if due > now + 1000000 then due = now end
local free = math.floor((now + 1000000 - due) / ARGV[1])
local taken = math.max(math.min(free, tonumber(ARGV[2])), 0)
if taken > 0 then
    due = due + taken * ARGV[1]
    redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', 2000)
end
return {taken, math.max(due + ARGV[1] - now - 1000000, 0)}";

/// Keys that are asked for together; what more there are in a round are counted without Redis.
const KEYS_MAX: usize = 128;

/// A request may go, or is too early by that much.
type Taken = Result<(), Duration>;

/// Counts requests, so many a second for each key.
pub struct Rates {
    link: Arc<Link>,
    questions: Rounds<Uuid, Taken>,
}

impl Rates {
    /// Counts them in this Redis; `tasks` runs what asks it, until `stop`.
    #[must_use]
    pub fn new(
        link: Arc<Link>,
        per_second: NonZeroU32,
        (tasks, stop): (&TaskTracker, CancellationToken),
    ) -> Self {
        let (questions, waiting) = rounds(stop);
        tasks.spawn(count(Arc::clone(&link), per_second, waiting));
        Self { link, questions }
    }

    /// Takes one request of a key's rate: for how long it is too early, if it is. `None` when Redis
    /// cannot say.
    pub async fn take(&self, key: Uuid) -> Option<Taken> {
        if !self.link.is_up() {
            return None;
        }
        self.questions.ask(key).await
    }
}

async fn count(link: Arc<Link>, per_second: NonZeroU32, mut waiting: Waiting<Uuid, Taken>) {
    let script = Script::new(TAKE);
    let every = (1_000_000 / u64::from(per_second.get())).max(1);
    while let Some(round) = waiting.next().await {
        let mut wanted: BTreeMap<Uuid, u64> = BTreeMap::new();
        for key in &round.questions {
            *wanted.entry(*key).or_default() += 1;
        }
        let asks = wanted.into_iter().take(KEYS_MAX).map(async |(key, count)| {
            let mut take = script.key(format!("stockhold:rate:{key}"));
            take.arg(every).arg(count);
            let asked = link.ask(async |redis| take.invoke_async::<(u64, u64)>(redis).await);
            asked.await.map(|taken| (key, taken))
        });
        let mut granted: BTreeMap<Uuid, (u64, u64)> =
            join_all(asks).await.into_iter().flatten().collect();
        round.answer(|key| granted.get_mut(key).map(grant));
    }
}

/// Gives one request of what is left for its key.
fn grant((left, early): &mut (u64, u64)) -> Taken {
    if *left == 0 {
        return Err(Duration::from_micros(*early));
    }
    *left -= 1;
    Ok(())
}
