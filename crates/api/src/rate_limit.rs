//! Requests a second, by key (GCRA, in this process).

use std::num::NonZeroU32;

use domain::ids::{TypedId, Uuid};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use wire::problem::Problem;

use crate::auth::Caller;

/// Limits what each key may ask.
pub struct RateLimit(Option<DefaultKeyedRateLimiter<Uuid>>);

impl RateLimit {
    /// So many requests a second for each key; `None` for no limit.
    #[must_use]
    pub fn new(per_second: Option<u32>) -> Self {
        let quota = per_second.and_then(NonZeroU32::new).map(Quota::per_second);
        Self(quota.map(DefaultKeyedRateLimiter::keyed))
    }

    /// Takes one request of the caller's quota.
    pub fn check(&self, caller: &Caller) -> Result<(), Problem> {
        let Some(limiter) = &self.0 else {
            return Ok(());
        };
        let id = caller
            .key
            .map_or_else(|| caller.tenant.uuid(), TypedId::uuid);
        limiter.check_key(&id).map_err(|too_early| {
            let wait = too_early.wait_time_from(DefaultClock::default().now());
            let seconds = u32::try_from(wait.as_secs())
                .unwrap_or(u32::MAX)
                .saturating_add(1);
            Problem::new("rate_limited", "too many requests with this key").retry_after(seconds)
        })
    }
}
