//! A closed loop of requests over many connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::connection::{Connection, request};

/// What to ask, how, and for how long.
#[derive(Clone)]
pub struct Plan {
    /// `host:port`.
    pub address: String,
    /// Makes the request of a number; no number comes twice.
    pub make: Arc<dyn Fn(u64) -> String + Send + Sync>,
    /// The status of a success.
    pub success: u16,
    /// Connections.
    pub connections: usize,
    /// How long.
    pub span: Duration,
}

/// Requests of one order each; each takes the next variant. `name` tells the idempotency keys of
/// runs apart.
pub fn orders(
    key: &str,
    variants: &Arc<Vec<String>>,
    name: &str,
) -> Arc<dyn Fn(u64) -> String + Send + Sync> {
    let (key, name, variants) = (key.to_owned(), name.to_owned(), Arc::clone(variants));
    Arc::new(move |number| {
        let at = usize::try_from(number).unwrap_or(0) % variants.len();
        let variant = &variants[at];
        let body = format!(
            r#"{{"customer_id":"c{number}","items":[{{"variant_id":"{variant}","quantity":1}}]}}"#
        );
        let mixed = mixed(number);
        let headers = format!(
            "authorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             idempotency-key: {name}-{mixed:016x}-{number}\r\n",
        );
        request("POST", "/api/v1/orders", &headers, &body)
    })
}

/// A number that looks random.
#[must_use]
pub fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Successes.
    pub done: u64,
    /// Other answers.
    pub others: u64,
    /// Latencies of all requests in microseconds, sorted.
    pub latencies: Vec<u32>,
    /// How long it took.
    pub seconds: f64,
}

impl Outcome {
    /// Successes a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.seconds
    }

    /// A percentile of the latencies, in milliseconds.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = (self.latencies.len().saturating_sub(1)) * percent / 100;
        self.latencies
            .get(at)
            .map_or(0.0, |micros| f64::from(*micros) / 1_000.0)
    }
}

/// Runs the plan.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub async fn run(plan: Plan) -> Result<Outcome> {
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..plan.connections)
        .map(|_| tokio::spawn(client(plan.clone(), Arc::clone(&next), begun + plan.span)))
        .collect();
    let mut outcome = Outcome::default();
    for task in tasks {
        let one = task.await??;
        outcome.done += one.done;
        outcome.others += one.others;
        outcome.latencies.extend(one.latencies);
    }
    outcome.seconds = begun.elapsed().as_secs_f64();
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
async fn client(plan: Plan, next: Arc<AtomicU64>, until: Instant) -> Result<Outcome> {
    let mut connection = Connection::open(&plan.address).await?;
    let mut outcome = Outcome::default();
    while Instant::now() < until {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let request = (plan.make)(number);
        let sent = Instant::now();
        let response = connection.send(&request).await?;
        outcome
            .latencies
            .push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        if response.status == plan.success {
            outcome.done += 1;
        } else {
            outcome.others += 1;
        }
    }
    Ok(outcome)
}
