//! How much of its rate each key has used, on all servers together: GCRA, by Redis' own clock.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use redis::Script;
use uuid::Uuid;

use crate::link::Link;

/// One second's requests may come at once; after them one every `ARGV[1]` microseconds. What is
/// kept is the time at which the next request would be on schedule. Answers 0, or for how many
/// microseconds the request is too early.
const TAKE: &str = "\
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + ARGV[1]
local early = due - now - 1000000
if early > 0 then return early end
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', 2000)
return 0";

/// Counts requests.
pub struct Rates {
    link: Arc<Link>,
    take: Script,
}

impl Rates {
    /// Counts them in this Redis.
    #[must_use]
    pub fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            take: Script::new(TAKE),
        }
    }

    /// Takes one request of a key's rate: for how long it is too early, if it is. `None` when Redis
    /// cannot say.
    pub async fn take(&self, key: Uuid, per_second: NonZeroU32) -> Option<Result<(), Duration>> {
        let every = 1_000_000 / u64::from(per_second.get());
        let name = format!("stockhold:rate:{key}");
        let early: u64 = self
            .link
            .ask(async |redis| {
                let mut take = self.take.key(name);
                take.arg(every).invoke_async(redis).await
            })
            .await?;
        Some(match early {
            0 => Ok(()),
            micros => Err(Duration::from_micros(micros)),
        })
    }
}
