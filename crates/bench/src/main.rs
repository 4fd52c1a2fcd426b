//! `cargo xtask bench smoke`: orders a second of the release server, over real HTTP, durable; and
//! `cargo xtask bench import` and `cargo xtask bench reads`.

mod baseline;
mod import;
mod reads;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use baseline::{Baseline, Way};
use bench::connection::{Connection, request};
use bench::load::{Outcome, Plan, orders, run};
use bench::server::{Folder, Server, audit};
use serde_json::Value;
use throwaway::postgres::{Cluster, Durability};

/// Variants of the uniform scenario.
const VARIANTS: usize = 1_000;
/// Units of each: more than can be sold.
const UNITS: i64 = 100_000_000;
const CONNECTIONS: usize = 256;
const ROUNDS: usize = 3;

const USAGE: &str = "usage: stockhold-bench BINARY smoke [--database postgres] [SECONDS] | reads [SECONDS] | import";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let span = |seconds: Option<&&str>| -> Result<Duration> {
        let seconds = seconds.map_or(Ok(5), |text| text.parse())?;
        Ok(Duration::from_secs(seconds))
    };
    match words.as_slice() {
        [binary, "smoke", "--database", "postgres", rest @ ..] => {
            let work = smoke(PathBuf::from(binary), span(rest.first())?, true);
            runtime.block_on(work)
        }
        [binary, "smoke", rest @ ..] => {
            let work = smoke(PathBuf::from(binary), span(rest.first())?, false);
            runtime.block_on(work)
        }
        [binary, "reads", rest @ ..] => {
            runtime.block_on(reads::reads(PathBuf::from(binary), span(rest.first())?))
        }
        [binary, "import"] => runtime.block_on(import::import(PathBuf::from(binary))),
        _ => bail!("{USAGE}"),
    }
}

#[expect(clippy::print_stdout, reason = "this is what a benchmark is for")]
fn say(line: &str) {
    println!("{line}");
}

/// The runs of one scenario.
struct Scenario {
    name: String,
    outcomes: Vec<Outcome>,
}

impl Scenario {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            outcomes: Vec::new(),
        }
    }

    /// Prints the median run; its rate.
    fn tell(&mut self, what: &str) -> f64 {
        self.outcomes.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
        let (first, last) = (&self.outcomes[0], &self.outcomes[self.outcomes.len() - 1]);
        let median = &self.outcomes[self.outcomes.len() / 2];
        say(&format!(
            "{:>26}: {:>7.0} {what}/s ({:.0}–{:.0})  p50 {:.1} ms  p95 {:.1} ms  p99 {:.1} ms  refused {}",
            self.name,
            median.rate(),
            first.rate(),
            last.rate(),
            median.percentile(50),
            median.percentile(95),
            median.percentile(99),
            median.others
        ));
        median.rate()
    }
}

async fn smoke(binary: PathBuf, span: Duration, postgres: bool) -> Result<()> {
    let folder = Folder::new("bench")?;
    let cluster = postgres
        .then(|| Cluster::start(Durability::Full))
        .transpose()?;
    let database = match &cluster {
        Some(cluster) => cluster.url(&cluster.database()?),
        None => folder.database(),
    };
    let server = Server::start(&binary, &database, &[])?;
    say(&format!("idle: {} KiB resident", server.resident_kib()?));
    let variants = Arc::new(fill(&server).await?);
    let hot = Arc::new(vec![variants[0].clone()]);
    let kind = if postgres {
        "PostgreSQL, synchronous_commit=on"
    } else {
        "SQLite, synchronous=FULL"
    };
    say(&format!(
        "{kind}, {CONNECTIONS} connections, {} s a run, medians of {ROUNDS}",
        span.as_secs()
    ));
    let by_hand = match &cluster {
        Some(cluster) => {
            let url = cluster.url(&cluster.database()?);
            Some(Baseline::new(url, VARIANTS, UNITS).await?)
        }
        None => None,
    };
    let mut ours = [
        Scenario::new("hot variant"),
        Scenario::new("1,000 variants"),
    ];
    let mut theirs = Vec::new();
    for way in [Way::ForUpdate, Way::Optimistic] {
        for (name, many) in [("hot", 1), ("uniform", VARIANTS)] {
            let name = format!("by hand, {}, {name}", way.name());
            theirs.push((way, many, Scenario::new(&name)));
        }
    }
    let mut sold = 0;
    for round in 0..ROUNDS {
        let names = ["hot", "uniform"].map(|name| format!("{name}-{round}"));
        for ((scenario, variants), name) in ours.iter_mut().zip([&hot, &variants]).zip(names) {
            let outcome = sell(&server, variants, span, name).await?;
            sold += outcome.done;
            scenario.outcomes.push(outcome);
        }
        if let Some(by_hand) = &by_hand {
            for (way, many, scenario) in &mut theirs {
                scenario
                    .outcomes
                    .push(by_hand.run(*way, *many, span).await?);
            }
        }
    }
    let hot_rate = ours[0].tell("orders");
    ours[1].tell("orders");
    if by_hand.is_some() {
        let told = theirs.iter_mut().map(|(_, _, s)| s.tell("orders"));
        let rates: Vec<f64> = told.collect();
        say(&format!(
            "hot: {:.1} × FOR UPDATE, {:.1} × optimistic",
            hot_rate / rates[0],
            hot_rate / rates[2]
        ));
    }
    check(&server, &database, &binary, &variants, sold).await
}

/// Orders over HTTP; every one must be made.
async fn sell(
    server: &Server,
    variants: &Arc<Vec<String>>,
    span: Duration,
    name: String,
) -> Result<Outcome> {
    let outcome = run(Plan {
        address: server.address().to_owned(),
        make: orders(server.fact("secret_key"), variants, &name),
        success: 201,
        connections: CONNECTIONS,
        span,
    })
    .await?;
    if outcome.others > 0 {
        bail!("{} requests did not make an order", outcome.others);
    }
    Ok(outcome)
}

async fn call(server: &Server, method: &str, path: &str, body: &str) -> Result<Value> {
    let mut connection = Connection::open(server.address()).await?;
    let headers = format!("authorization: Bearer {}\r\n", server.fact("secret_key"));
    let response = connection
        .send(&request(method, path, &headers, body))
        .await?;
    if response.status >= 300 {
        bail!(
            "{method} {path}: {}",
            String::from_utf8_lossy(&response.body)
        );
    }
    response.json()
}

/// Makes the variants; returns their ids.
async fn fill(server: &Server) -> Result<Vec<String>> {
    let mut variants = Vec::new();
    while variants.len() < VARIANTS {
        let list: Vec<String> = (0..100)
            .map(|_| format!(r#"{{"unit_price":1000,"stock_quantity":{UNITS}}}"#))
            .collect();
        let body = format!(r#"{{"title":"Bench","variants":[{}]}}"#, list.join(","));
        let made = call(server, "POST", "/api/v1/products", &body).await?;
        let ids = made["variants"].as_array().context("no variants")?;
        variants.extend(
            ids.iter()
                .filter_map(|v| v["id"].as_str().map(str::to_owned)),
        );
    }
    Ok(variants)
}

/// Counts in the database that what was sold is what was there, and audits.
async fn check(
    server: &Server,
    database: &str,
    binary: &std::path::Path,
    variants: &[String],
    sold: u64,
) -> Result<()> {
    let mut connection = Connection::open(server.address()).await?;
    let response = connection.send(&request("GET", "/metrics", "", "")).await?;
    let text = String::from_utf8_lossy(&response.body).into_owned();
    let counter = |name: &str| -> f64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("stockhold_{name}_total ")));
        line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
    };
    say(&format!(
        "batches: {:.0}, commands a batch: {:.1}; {} KiB resident after {sold} orders",
        counter("batches"),
        counter("commands") / counter("batches"),
        server.resident_kib()?
    ));
    let mut reserved = 0;
    for variant in variants {
        let path = format!("/api/v1/stock?variant_id={variant}");
        let levels = call(server, "GET", &path, "").await?;
        let level = &levels["data"][0];
        if level["stock_quantity"].as_i64() != Some(UNITS) {
            bail!("a level's stock changed: {level}");
        }
        reserved += level["reserved_stock"].as_i64().unwrap_or(0);
    }
    if u64::try_from(reserved)? != sold {
        bail!("{sold} orders were acknowledged, {reserved} units are reserved");
    }
    let found = audit(binary, database)?;
    if found["ok"] != Value::Bool(true) {
        bail!("the audit found: {found}");
    }
    say(&format!(
        "reserved = acknowledged = {reserved}; audit clean over {} events",
        found["events"]
    ));
    Ok(())
}
