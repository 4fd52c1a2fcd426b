//! Sends requests to providers: each with a time of its own, again where the provider wants that,
//! and not at all for a while to one that does not answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::provider::Fault;
use tokio::time::Instant;

use crate::client::{Client, Reply};
use crate::exchange::Request;

/// How often a request is sent that the provider wants again.
const TRIES: u32 = 3;
/// The wait before the second try; doubled before the third.
const WAIT: Duration = Duration::from_millis(500);
/// Requests that fail in a row, after which a provider is left alone,
const FAILURES: u32 = 10;
/// and for how long.
const PAUSE: Duration = Duration::from_secs(3);

/// A provider's host: how often it failed in a row, and since when it is left alone.
#[derive(Clone, Copy, Default)]
struct Breaker {
    failures: u32,
    closed_until: Option<Instant>,
}

/// The way to all providers. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    client: Client,
    breakers: Arc<Mutex<BTreeMap<String, Breaker>>>,
}

/// Scheme, host and port of an address.
fn host(url: &str) -> String {
    let end = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(end..).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.to_owned()
}

impl Courier {
    /// Over this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            breakers: Arc::default(),
        }
    }

    /// Sends a request until it is answered, or the provider wants it no more.
    pub(crate) async fn send(
        &self,
        request: &Request,
        is_repeated: impl Fn(&Reply) -> bool,
    ) -> Result<Reply, Fault> {
        let host = host(&request.url);
        if self.is_left_alone(&host) {
            let why = format!("{host} did not answer lately, and is left alone for some seconds");
            return Err(Fault::Unknown(why));
        }
        let reply = self.patiently(request, is_repeated).await;
        let failed = reply.as_ref().map_or(true, |reply| reply.status >= 500);
        self.note(host, failed);
        reply
    }

    async fn patiently(
        &self,
        request: &Request,
        is_repeated: impl Fn(&Reply) -> bool,
    ) -> Result<Reply, Fault> {
        let mut wait = WAIT;
        let mut tries = 1;
        loop {
            let reply = self.once(request).await?;
            if tries == TRIES || !is_repeated(&reply) {
                return Ok(reply);
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
            tries += 1;
        }
    }

    async fn once(&self, request: &Request) -> Result<Reply, Fault> {
        let place = (request.method, request.url.as_str());
        let body = request.body.clone();
        let sent = self.client.send(place, &request.headers, body).await;
        sent.map_err(|error| {
            if error.is_timeout() {
                Fault::Timeout
            } else {
                Fault::Unknown(error.to_string())
            }
        })
    }

    fn breakers(&self) -> MutexGuard<'_, BTreeMap<String, Breaker>> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a host is left alone. Behind the pause one request goes through, to see.
    fn is_left_alone(&self, host: &str) -> bool {
        let mut breakers = self.breakers();
        let Some(breaker) = breakers.get_mut(host) else {
            return false;
        };
        let Some(until) = breaker.closed_until else {
            return false;
        };
        if Instant::now() < until {
            return true;
        }
        breaker.closed_until = Some(Instant::now() + PAUSE);
        false
    }

    fn note(&self, host: String, failed: bool) {
        let mut breakers = self.breakers();
        if !failed {
            breakers.remove(&host);
            return;
        }
        let breaker = breakers.entry(host).or_default();
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures >= FAILURES {
            breaker.closed_until = Some(Instant::now() + PAUSE);
        }
    }
}
