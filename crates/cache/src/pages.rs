//! Pages of the catalogue.
//!
//! A page stands under its tenant's id, with the number that the tenant's catalogue had when it was
//! looked for. Who changes a catalogue moves the number before the change is acknowledged, so a page
//! from before it is not shown after it. What orders do to stock moves no number: a page is at most
//! [`FRESH`] old.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::ids::{TenantId, TypedId as _};
use sha2::{Digest as _, Sha256};
use tokio_util::task::TaskTracker;

use crate::link::Link;
use crate::rounds::{Rounds, Waiting, rounds};

/// For how long a page is shown.
pub const FRESH: Duration = Duration::from_secs(1);
/// Pages that are looked for together.
const ROUND_MAX: usize = 256;
/// Bytes of the longest page that is kept.
const PAGE_MAX: usize = 1024 * 1024;
/// For how long a number is remembered: far longer than any page.
const NUMBER_SECONDS: u64 = 3600;

/// A page that is being made, for all who look for it.
type Making = Arc<tokio::sync::Mutex<Option<Bytes>>>;

/// Where a page stands: the key of its catalogue's number, and its own.
type Place = (String, String);
/// The number of a catalogue, and the page that is kept.
type Kept = (Option<u64>, Option<Bytes>);

/// Keeps pages of catalogues.
pub struct Pages {
    link: Arc<Link>,
    lookups: Rounds<Place, Kept>,
    tasks: TaskTracker,
    making: Mutex<HashMap<(String, u64), Making>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Pages {
    /// Keeps them in this Redis; `tasks` runs what nobody waits for.
    #[must_use]
    pub fn new(link: Arc<Link>, tasks: TaskTracker) -> Self {
        let (lookups, waiting) = rounds();
        tasks.spawn(look_up(Arc::clone(&link), waiting));
        Self {
            link,
            lookups,
            tasks,
            making: Mutex::default(),
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
        let Some((now, kept)) = found else {
            return make.await;
        };
        let now = now.unwrap_or(0);
        if let Some(body) = kept.and_then(|kept| body_at(now, kept)) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(body);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        self.make_once((page, now), make).await
    }

    async fn make_once<E>(
        &self,
        wanted: (String, u64),
        make: impl Future<Output = Result<Bytes, E>>,
    ) -> Result<Bytes, E> {
        let making = Arc::clone(self.making().entry(wanted.clone()).or_default());
        let mut made = making.lock().await;
        if let Some(body) = &*made {
            return Ok(body.clone());
        }
        let body = make.await;
        if let Ok(body) = &body {
            *made = Some(body.clone());
            self.keep(&wanted, body);
        }
        self.making().remove(&wanted);
        body
    }

    fn making(&self) -> std::sync::MutexGuard<'_, HashMap<(String, u64), Making>> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, (page, now): &(String, u64), body: &Bytes) {
        if body.len() > PAGE_MAX {
            return;
        }
        let kept = [&now.to_be_bytes(), &body[..]].concat();
        let (link, page) = (Arc::clone(&self.link), page.clone());
        let millis = u64::try_from(FRESH.as_millis()).unwrap_or(u64::MAX);
        self.tasks.spawn(async move {
            let set = link.ask(async |redis| {
                let mut set = redis::cmd("SET");
                let set = set.arg(page).arg(kept).arg("PX").arg(millis);
                set.query_async::<()>(redis).await
            });
            set.await
        });
    }

    /// Says that a tenant's catalogue has changed. Where that cannot be said, pages from before are
    /// shown for at most [`FRESH`].
    pub async fn changed(&self, tenant: TenantId) {
        let key = number_key(tenant);
        let moved = self.link.ask(async |redis| {
            let mut both = redis::pipe();
            let both = both.cmd("INCR").arg(&key).ignore();
            let both = both.cmd("EXPIRE").arg(&key).arg(NUMBER_SECONDS).ignore();
            both.query_async::<()>(redis).await
        });
        moved.await;
    }
}

/// Looks pages up, each that is looked for once a round.
async fn look_up(link: Arc<Link>, mut waiting: Waiting<Place, Kept>) {
    while let Some(round) = waiting.next(ROUND_MAX).await {
        let all = round
            .questions
            .iter()
            .flat_map(|(number, page)| [number, page]);
        let keys: Vec<&String> = all.collect::<BTreeSet<_>>().into_iter().collect();
        let mut get = redis::cmd("MGET");
        get.arg(&keys);
        let asked = link.ask(async |redis| get.query_async::<Vec<Option<Bytes>>>(redis).await);
        let found = asked.await.unwrap_or_default();
        if found.len() != keys.len() {
            continue;
        }
        let at = |key: &String| found.get(keys.binary_search(&key).ok()?).cloned().flatten();
        let number = |key: &String| std::str::from_utf8(&at(key)?).ok()?.parse().ok();
        let kept: Vec<Kept> = round
            .questions
            .iter()
            .map(|(catalogue, page)| (number(catalogue), at(page)))
            .collect();
        round.answer(kept);
    }
}

fn number_key(tenant: TenantId) -> String {
    format!("stockhold:{{{}}}:catalogue", tenant.uuid())
}

/// Versions of the program may show pages differently. The braces keep a tenant's keys together
/// (Redis cluster specification, "Hash tags").
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
