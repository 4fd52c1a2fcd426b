//! What servers share, with a real Redis that is ended, frozen and started again.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cache::link::Link;
use cache::pages::Pages;
use cache::rate::Rates;
use domain::ids::{TenantId, TypedId as _};
use throwaway::redis::Redis;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// One server's share of what is shared.
struct Side {
    link: Arc<Link>,
    pages: Pages,
    tasks: TaskTracker,
    made: AtomicU32,
}

impl Side {
    async fn of(redis: &Redis) -> Arc<Self> {
        let link = Link::new(&redis.url()).unwrap();
        let tasks = TaskTracker::new();
        tasks.spawn(Arc::clone(&link).keep(CancellationToken::new()));
        let side = Self {
            pages: Pages::new(Arc::clone(&link), tasks.clone(), CancellationToken::new()),
            link,
            tasks,
            made: AtomicU32::new(0),
        };
        side.is(true).await;
        Arc::new(side)
    }

    /// Waits until Redis is used, or given up.
    async fn is(&self, up: bool) {
        for _ in 0..1_000 {
            if self.link.is_up() == up {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Redis never was {}", if up { "used" } else { "given up" });
    }

    async fn page(&self, tenant: TenantId, body: &str) -> String {
        let make = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.made.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from(body.to_owned()))
        };
        let found = self.pages.page(tenant, "first page", make).await;
        String::from_utf8(found.unwrap().to_vec()).unwrap()
    }

    fn runs(&self) -> (&TaskTracker, CancellationToken) {
        (&self.tasks, CancellationToken::new())
    }

    fn made(&self) -> u32 {
        self.made.swap(0, Ordering::Relaxed)
    }
}

fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(number))
}

/// Whether what one server makes is found by another: at once, or after a while where the machine is
/// busy.
async fn shares(one: &Side, two: &Side, tenant: TenantId) -> bool {
    for _ in 0..20 {
        one.pages.changed(tenant).await;
        one.page(tenant, "one's").await;
        // Pages are kept behind the answers' backs.
        tokio::time::sleep(Duration::from_millis(50)).await;
        if two.page(tenant, "made again").await == "one's" {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_shared_by_servers_and_seen_by_its_tenant_alone() {
    let redis = Redis::start().unwrap();
    let (one, two) = (Side::of(&redis).await, Side::of(&redis).await);
    assert!(shares(&one, &two, tenant(1)).await);
    assert_eq!(two.page(tenant(2), "two's").await, "two's");
    assert_eq!(one.page(tenant(3), "three's").await, "three's");
    let keys = redis.ask(&["KEYS", "*"]).unwrap();
    assert_ne!(keys, "");
    for key in keys.lines() {
        let own = [1, 2, 3].map(|number| tenant(number).uuid().to_string());
        assert!(own.iter().any(|own| key.contains(own)), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_before_a_change_is_not_shown_after_it() {
    let redis = Redis::start().unwrap();
    let (one, two) = (Side::of(&redis).await, Side::of(&redis).await);
    let mut seen = 0;
    for round in 0..40 {
        let losses = || one.link.losses() + two.link.losses();
        let before = losses();
        let (old, new) = (format!("old {round}"), format!("new {round}"));
        one.page(tenant(1), &old).await;
        two.pages.changed(tenant(1)).await;
        let first = one.page(tenant(1), &new).await;
        one.pages.changed(tenant(1)).await;
        let second = two.page(tenant(1), "newer").await;
        two.pages.changed(tenant(1)).await;
        // A change that Redis did not hear of is seen after a second.
        if losses() == before {
            assert_eq!((first, second.as_str()), (new, "newer"));
            seen += 1;
        }
    }
    assert!(seen > 0, "Redis never answered for a whole round");
}

/// A crowd that finds nothing makes the page once.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_makes_a_page_once() {
    let redis = Redis::start().unwrap();
    let side = Side::of(&redis).await;
    // Pages are kept, and waited for, once the catalogue has a number.
    side.pages.changed(tenant(1)).await;
    let mut crowd = JoinSet::new();
    for _ in 0..50 {
        let side = Arc::clone(&side);
        crowd.spawn(async move { side.page(tenant(1), "page").await });
    }
    let answers = crowd.join_all().await;
    assert!(answers.iter().all(|answer| answer == "page"));
    assert!(side.made() <= 5, "far fewer than fifty");
}

/// A maker that goes away leaves the page to the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_maker_that_goes_away_or_fails_is_followed_by_the_next() {
    let redis = Redis::start().unwrap();
    let side = Side::of(&redis).await;
    side.pages.changed(tenant(1)).await;
    let never = side.pages.page(
        tenant(1),
        "first page",
        std::future::pending::<Result<Bytes, ()>>(),
    );
    let gone = tokio::time::timeout(Duration::from_millis(50), never).await;
    assert!(gone.is_err());
    let failed = side
        .pages
        .page(tenant(1), "first page", async { Err("no") });
    assert_eq!(failed.await, Err("no"));
    assert_eq!(side.page(tenant(1), "page").await, "page");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_answer_everything_goes_on_and_comes_back() {
    let mut redis = Redis::start().unwrap();
    let side = Side::of(&redis).await;
    let often = NonZeroU32::new(1_000).unwrap();
    let rates = Rates::new(Arc::clone(&side.link), often, side.runs());
    let take = || rates.take(Uuid::from_u128(7));

    redis.freeze(true).unwrap();
    assert_eq!(take().await, None);
    assert!(!side.link.is_up(), "the first fault is every request's");
    assert_eq!(side.page(tenant(1), "by itself").await, "by itself");
    side.pages.changed(tenant(1)).await;
    redis.freeze(false).unwrap();
    side.is(true).await;

    redis.kill().unwrap();
    assert_eq!(take().await, None);
    assert_eq!(side.page(tenant(1), "by itself").await, "by itself");
    redis.up().unwrap();
    side.is(true).await;
    assert!(shares(&side, &*Side::of(&redis).await, tenant(1)).await);
    side.tasks.close();
}

/// Two servers let through what one would. Where the machine is so busy that a second passes between
/// two questions, another key is tried.
#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_counted_on_all_servers_together() {
    let redis = Redis::start().unwrap();
    let (one, two) = (Side::of(&redis).await, Side::of(&redis).await);
    let sides = [one, two];
    let rates = sides
        .each_ref()
        .map(|side| Rates::new(Arc::clone(&side.link), NonZeroU32::MIN, side.runs()));
    for key in 0..20 {
        let take = |side: usize| rates[side].take(Uuid::from_u128(key));
        let (first, second) = (take(0).await, take(1).await);
        if let (Some(Ok(())), Some(Err(early))) = (first, second) {
            assert!(early <= Duration::from_secs(1), "{early:?}");
            return;
        }
    }
    panic!("the second server let through what the first one had taken");
}

/// A crowd with one key is let through as far as its rate goes, whatever round each is asked in.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_takes_no_more_than_its_rate() {
    let redis = Redis::start().unwrap();
    let side = Side::of(&redis).await;
    let seldom = NonZeroU32::new(2).unwrap();
    let rates = Arc::new(Rates::new(Arc::clone(&side.link), seldom, side.runs()));
    for key in 0..20 {
        let mut crowd = JoinSet::new();
        for _ in 0..200 {
            let rates = Arc::clone(&rates);
            crowd.spawn(async move { rates.take(Uuid::from_u128(key)).await });
        }
        let answers = crowd.join_all().await;
        let taken = answers
            .iter()
            .filter(|answer| **answer == Some(Ok(())))
            .count();
        if answers.iter().all(Option::is_some) && taken == 2 {
            return;
        }
    }
    panic!("a crowd of 200 was never held to the rate of 2");
}

#[test]
fn what_is_no_redis_is_refused_without_its_password() {
    for url in [
        "localhost:6379",
        "http://:secret@host",
        "redis://:secret@",
        "",
    ] {
        let refused = Link::new(url).err().unwrap().to_string();
        assert!(!refused.contains("secret"), "{refused}");
    }
}
