//! Pages of the catalogue.
//!
//! A page stands under its tenant's id, with the number that the tenant's catalogue had when it was
//! looked for. Who changes a catalogue moves the number before the change is acknowledged, so a page
//! from before it is not shown after it. What orders do to stock moves no number: a page is at most
//! [`FRESH`] old, counted by Redis' clock from when it was looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::ids::{TenantId, TypedId as _};
use redis::Script;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::link::Link;
use crate::making::{Making, Wanted};
use crate::rounds::{Rounds, Waiting, rounds};

/// For how long a page is shown.
pub const FRESH: Duration = Duration::from_secs(1);
/// Bytes of the longest page that is kept.
const PAGE_MAX: usize = 128 * 1024;
/// Different pages that are looked for together; what more there are in a round are made.
const PAGES_MAX: usize = 16;

/// Moves a catalogue's number (`ARGV[1]` 1), or begins one (0): Redis' time in microseconds, which
/// does not come again when a number was evicted. It is remembered for an hour, far longer than any
/// page.
const MOVE: &str = "\
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000000 + time[2])
if ARGV[1] == '1' then
    redis.call('SET', KEYS[1], now, 'EX', 3600)
else
    redis.call('SET', KEYS[1], now, 'EX', 3600, 'NX')
end
return 1";

/// Where a page stands: the key of its catalogue's number, and its own.
type Place = (String, String);

/// Redis' time in seconds and microseconds, and what stands under some keys.
type Answer = ((u64, u64), Vec<Option<Bytes>>);

/// What was found at a place.
struct Found {
    /// Redis' time, in milliseconds since the epoch.
    at: u64,
    /// The number of the catalogue.
    number: Option<u64>,
    page: Option<Bytes>,
}

/// Keeps pages of catalogues.
pub struct Pages {
    link: Arc<Link>,
    lookups: Rounds<Place, Found>,
    tasks: TaskTracker,
    making: Making,
    moving: Script,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Pages {
    /// Keeps them in this Redis; `tasks` runs what nobody waits for, until `stop`.
    #[must_use]
    pub fn new(link: Arc<Link>, tasks: TaskTracker, stop: CancellationToken) -> Self {
        let (lookups, waiting) = rounds(stop);
        tasks.spawn(look_up(Arc::clone(&link), waiting));
        Self {
            link,
            lookups,
            tasks,
            making: Making::default(),
            moving: Script::new(MOVE),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Pages that were found, and pages that had to be made.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.hits), read(&self.misses))
    }

    /// A tenant's page by the question that it answers: kept, or made by `make`, once for all who
    /// look for it on this server.
    pub async fn page<E>(
        &self,
        tenant: TenantId,
        question: &str,
        make: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Bytes, E> {
        if !self.link.is_up() {
            return make.await;
        }
        let page = page_key(tenant, question);
        let found = self.lookups.ask((number_key(tenant), page.clone())).await;
        let Some(found) = found else {
            return make.await;
        };
        let Some(number) = found.number else {
            self.begin(tenant);
            return make.await;
        };
        if let Some(body) = found.page.and_then(|kept| body_at(number, kept)) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(body);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let wanted = (page, number);
        let (body, made) = self.making.once(&wanted, make).await;
        if let (Ok(body), true) = (&body, made) {
            self.keep(wanted, body, found.at);
        }
        body
    }

    /// Keeps a page that was looked for at that time, behind its maker's back. Redis forgets it by
    /// its own clock, however late it hears of it.
    fn keep(&self, (page, number): Wanted, body: &Bytes, at: u64) {
        if body.len() > PAGE_MAX {
            return;
        }
        let kept = [&number.to_be_bytes(), &body[..]].concat();
        let link = Arc::clone(&self.link);
        let until = at.saturating_add(u64::try_from(FRESH.as_millis()).unwrap_or(0));
        self.tasks.spawn(async move {
            let set = link.ask(async |redis| {
                let mut set = redis::cmd("SET");
                let set = set.arg(page).arg(kept).arg("PXAT").arg(until);
                set.query_async::<()>(redis).await
            });
            set.await
        });
    }

    /// Gives a catalogue a number, behind the back of who missed it.
    fn begin(&self, tenant: TenantId) {
        let (link, moving) = (Arc::clone(&self.link), self.moving.clone());
        self.tasks.spawn(async move {
            let begun = link.ask(async |redis| {
                let mut begin = moving.key(number_key(tenant));
                begin.arg(0).invoke_async::<()>(redis).await
            });
            begun.await
        });
    }

    /// Says that a tenant's catalogue has changed. Where that cannot be said, pages from before are
    /// shown for at most [`FRESH`].
    pub async fn changed(&self, tenant: TenantId) {
        let moved = self.link.ask(async |redis| {
            let mut step = self.moving.key(number_key(tenant));
            step.arg(1).invoke_async::<()>(redis).await
        });
        moved.await;
    }
}

/// Looks pages up, each that is looked for once a round.
async fn look_up(link: Arc<Link>, mut waiting: Waiting<Place, Found>) {
    while let Some(round) = waiting.next().await {
        let places: BTreeSet<&Place> = round.questions.iter().collect();
        let places: Vec<&Place> = places.into_iter().take(PAGES_MAX).collect();
        let keys: Vec<&String> = places
            .iter()
            .flat_map(|(number, page)| [number, page])
            .collect();
        let mut both = redis::pipe();
        both.cmd("TIME").cmd("MGET").arg(&keys);
        let asked = link.ask(async |redis| both.query_async::<Answer>(redis).await);
        let Some(((seconds, micros), values)) = asked.await else {
            continue;
        };
        let at = seconds * 1_000 + micros / 1_000;
        let places: BTreeMap<Place, &[Option<Bytes>]> =
            places.into_iter().cloned().zip(values.chunks(2)).collect();
        round.answer(|place| {
            let [number, page] = places.get(place)? else {
                return None;
            };
            let number = number
                .as_ref()
                .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
            let page = page.clone();
            Some(Found { at, number, page })
        });
    }
}

fn number_key(tenant: TenantId) -> String {
    format!("stockhold:{{{}}}:catalogue", tenant.uuid())
}

/// Versions of the program may show pages differently.
fn page_key(tenant: TenantId, question: &str) -> String {
    let mut key = format!(
        "stockhold:{{{}}}:{}:",
        tenant.uuid(),
        env!("CARGO_PKG_VERSION")
    );
    for byte in Sha256::digest(question.as_bytes()) {
        // Writing to a String cannot fail.
        let _written = write!(key, "{byte:02x}");
    }
    key
}

/// A page's body, if it was made for this number.
fn body_at(now: u64, mut kept: Bytes) -> Option<Bytes> {
    if kept.len() < size_of::<u64>() {
        return None;
    }
    let number = kept.split_to(size_of::<u64>());
    (number[..] == now.to_be_bytes()).then_some(kept)
}
