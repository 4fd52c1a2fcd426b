//! Requests a second, by key: on all servers together where they share a Redis, else on this one.

use std::num::NonZeroU32;
use std::time::Duration;

use cache::rate::Rates;
use domain::ids::{TypedId, Uuid};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use wire::problem::Problem;

use crate::auth::Caller;

/// Limits what each key may ask.
pub struct RateLimit(Option<Limits>);

struct Limits {
    /// What this server counts by itself, for as long as nothing is shared.
    own: DefaultKeyedRateLimiter<Uuid>,
    shared: Option<Rates>,
}

impl RateLimit {
    /// So many requests a second for each key; `None` for no limit.
    #[must_use]
    pub fn new(per_second: Option<NonZeroU32>, shared: Option<Rates>) -> Self {
        Self(per_second.map(|per_second| Limits {
            own: DefaultKeyedRateLimiter::keyed(Quota::per_second(per_second)),
            shared,
        }))
    }

    /// Takes one request of the caller's quota.
    pub async fn check(&self, caller: &Caller) -> Result<(), Problem> {
        let Some(limits) = &self.0 else {
            return Ok(());
        };
        let id = caller
            .key
            .map_or_else(|| caller.tenant.uuid(), TypedId::uuid);
        limits.take(id).await.map_err(|early| {
            let seconds = u32::try_from(early.as_secs())
                .unwrap_or(u32::MAX)
                .saturating_add(1);
            Problem::new("rate_limited", "too many requests with this key").retry_after(seconds)
        })
    }
}

impl Limits {
    /// For how long a request is too early, if it is.
    async fn take(&self, id: Uuid) -> Result<(), Duration> {
        if let Some(shared) = &self.shared
            && let Some(taken) = shared.take(id).await
        {
            return taken;
        }
        let taken = self.own.check_key(&id);
        taken.map_err(|early| early.wait_time_from(DefaultClock::default().now()))
    }
}
