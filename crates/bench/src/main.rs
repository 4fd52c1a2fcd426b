//! `cargo xtask bench smoke`: orders a second of the release server, over real HTTP, durable; and
//! `cargo xtask bench import`.

mod import;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bench::connection::{Connection, request};
use bench::load::{Outcome, Plan, run};
use bench::server::{Folder, Server, audit};
use serde_json::Value;

/// Variants of the uniform scenario.
const VARIANTS: usize = 1_000;
/// Units of each: more than can be sold.
const UNITS: i64 = 100_000_000;
const CONNECTIONS: usize = 256;
const ROUNDS: usize = 3;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let binary = PathBuf::from(
        args.next()
            .context("usage: stockhold-bench BINARY smoke [SECONDS] | import")?,
    );
    let which = args.next();
    let seconds = args.next().map_or(Ok(5), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match which.as_deref() {
        Some("smoke") => runtime.block_on(smoke(binary, Duration::from_secs(seconds))),
        Some("import") => runtime.block_on(import::import(binary)),
        other => bail!("there is no benchmark {other:?}"),
    }
}

#[expect(clippy::print_stdout, reason = "this is what a benchmark is for")]
fn say(line: &str) {
    println!("{line}");
}

async fn smoke(binary: PathBuf, span: Duration) -> Result<()> {
    let folder = Folder::new("bench")?;
    let server = Server::start(&binary, &folder.database(), &[])?;
    say(&format!("idle: {} KiB resident", server.resident_kib()?));
    let variants = Arc::new(fill(&server).await?);
    let hot = Arc::new(vec![variants[0].clone()]);
    say(&format!(
        "SQLite, synchronous=FULL, {CONNECTIONS} connections, {} s a run, medians of {ROUNDS}",
        span.as_secs()
    ));
    let mut runs: Vec<(&str, Vec<Outcome>)> =
        vec![("hot variant", vec![]), ("1,000 variants", vec![])];
    let mut sold = 0;
    for round in 0..ROUNDS {
        for (which, (name, outcomes)) in runs.iter_mut().enumerate() {
            let outcome = run(Plan {
                address: server.address().to_owned(),
                key: server.fact("secret_key").to_owned(),
                variants: if which == 0 {
                    Arc::clone(&hot)
                } else {
                    Arc::clone(&variants)
                },
                connections: CONNECTIONS,
                span,
                name: format!("{which}-{round}"),
            })
            .await?;
            if outcome.others > 0 {
                bail!("{name}: {} requests did not make an order", outcome.others);
            }
            sold += outcome.created;
            outcomes.push(outcome);
        }
    }
    for (name, outcomes) in &mut runs {
        outcomes.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
        let median = &outcomes[outcomes.len() / 2];
        let spread = (outcomes[0].rate(), outcomes[outcomes.len() - 1].rate());
        say(&format!(
            "{name:>15}: {:>7.0} orders/s ({:.0}–{:.0})  p50 {:.1} ms  p95 {:.1} ms  p99 {:.1} ms",
            median.rate(),
            spread.0,
            spread.1,
            median.percentile(50),
            median.percentile(95),
            median.percentile(99)
        ));
    }
    check(&server, &folder, &binary, &variants, sold).await
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
    folder: &Folder,
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
    let found = audit(binary, &folder.database())?;
    if found["ok"] != Value::Bool(true) {
        bail!("the audit found: {found}");
    }
    say(&format!(
        "reserved = acknowledged = {reserved}; audit clean over {} events",
        found["events"]
    ));
    Ok(())
}
