//! `cargo xtask bench import`: a catalogue of 100,000 variants in Shopify's layout, brought in over
//! HTTP while orders are made, again unchanged, and straight into a database; beside it what a
//! user would write: a request a product.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bench::connection::{Connection, request};
use bench::load::{Outcome, Plan, orders, run};
use bench::server::{Folder, Server, audit};
use serde_json::{Value, json};

use crate::{call, say};

const PRODUCTS: usize = 25_000;
const VARIANTS: usize = 4;
const ROUNDS: usize = 3;
/// Connections that order while the file comes in.
const BUYERS: usize = 8;
/// Products of the baseline: enough to see its rate.
const BASELINE: usize = 2_000;
const BASELINE_CONNECTIONS: usize = 32;

/// What one import took.
struct Taken {
    seconds: f64,
    peak_kib: u64,
    done: Value,
}

pub(crate) async fn import(binary: PathBuf) -> Result<()> {
    let folder = Folder::new("bench-import")?;
    let file = catalogue(&folder)?;
    let size = std::fs::metadata(&file)?.len() / (1 << 20);
    say(&format!(
        "{PRODUCTS} products, {} variants, {size} MiB of CSV; medians of {ROUNDS}",
        PRODUCTS * VARIANTS
    ));
    let mut over_http = Vec::new();
    let mut again = Vec::new();
    let mut straight = Vec::new();
    let mut baseline = Vec::new();
    let mut quiet = Vec::new();
    let mut busy = Vec::new();
    let mut server_kib = 0;
    for _ in 0..ROUNDS {
        let folder = Folder::new("bench-import-server")?;
        let server = Server::start(&binary, &folder.database(), &[])?;
        let alone = buy(&server, Duration::from_secs(2)).await?;
        let buying = buy(&server, Duration::from_secs(5));
        let (first, bought) = tokio::join!(take(&binary, &file, on(&server)), buying);
        over_http.push(first?);
        quiet.push(alone);
        busy.push(bought?);
        again.push(take(&binary, &file, on(&server)).await?);
        server_kib = server_kib.max(server.resident_kib()?);
        baseline.push(one_by_one(&server).await?);
        let found = audit(&binary, &folder.database())?;
        if found["ok"] != json!(true) {
            bail!("the audit found: {found}");
        }
        drop(server);
        let folder = Folder::new("bench-import-straight")?;
        for args in [&["migrate", "up"][..], &["tenant", "create", "shop"]] {
            let database = folder.database();
            Command::new(&binary)
                .args(args)
                .args(["--database", &database])
                .output()?;
        }
        let database = vec!["--database".to_owned(), folder.database()];
        straight.push(take(&binary, &file, database).await?);
    }
    tell("over HTTP, orders beside it", &mut over_http);
    tell("over HTTP again, unchanged", &mut again);
    tell("straight into a database", &mut straight);
    baseline.sort_by(f64::total_cmp);
    say(&format!(
        "{:>28}: {:>7.0} products/s ({BASELINE_CONNECTIONS} connections, POST /products each)",
        "baseline",
        baseline[ROUNDS / 2]
    ));
    tell_orders("orders without the import", &mut quiet);
    tell_orders("orders while it comes in", &mut busy);
    say(&format!(
        "server: {server_kib} KiB resident at most; audits clean"
    ));
    Ok(())
}

/// A file in Shopify's layout.
fn catalogue(folder: &Folder) -> Result<PathBuf> {
    let mut text = "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,\
         Variant Inventory Qty,Variant Inventory Policy,Variant Price,Status\n"
        .to_owned();
    for product in 0..PRODUCTS {
        for variant in 0..VARIANTS {
            let (title, body, status) = if variant == 0 {
                (
                    format!("Product {product}"),
                    "<p>Made for measuring</p>",
                    "active",
                )
            } else {
                (String::new(), "", "")
            };
            writeln!(
                text,
                "product-{product},{title},{body},Size,{variant},P{product}-{variant},100,deny,{}.90,{status}",
                1 + product % 90
            )?;
        }
    }
    let path = folder.path().join("catalogue.csv");
    std::fs::write(&path, text)?;
    Ok(path)
}

fn on(server: &Server) -> Vec<String> {
    let (url, key) = (server.fact("listening"), server.fact("secret_key"));
    ["--url", url, "--key", key].map(str::to_owned).to_vec()
}

/// Runs `stockhold import`, watching its memory.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
async fn take(binary: &Path, file: &Path, shop: Vec<String>) -> Result<Taken> {
    let begun = Instant::now();
    let mut child = Command::new(binary)
        .args(["import", "--json"])
        .arg(file)
        .args(shop)
        .stdout(Stdio::piped())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let output = child.wait_with_output()?;
    let done: Value = serde_json::from_slice(&output.stdout).context("import printed no JSON")?;
    let count = |name: &str| done[name].as_u64().unwrap_or(0);
    if count("created") + count("unchanged") != u64::try_from(PRODUCTS)? {
        bail!("the import came to {done}");
    }
    Ok(Taken {
        seconds,
        peak_kib,
        done,
    })
}

/// Orders of one variant for so long.
async fn buy(server: &Server, span: Duration) -> Result<Outcome> {
    let body = r#"{"title":"Bench","unit_price":1000,"stock_quantity":100000000}"#;
    let made = call(server, "POST", "/api/v1/products", body).await?;
    let variant = made["variants"][0]["id"].as_str().context("no variant")?;
    run(Plan {
        address: server.address().to_owned(),
        make: orders(
            server.fact("secret_key"),
            &Arc::new(vec![variant.to_owned()]),
            variant,
        ),
        success: 201,
        connections: BUYERS,
        span,
    })
    .await
}

/// Products a second, made by a request each.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
async fn one_by_one(server: &Server) -> Result<f64> {
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..BASELINE_CONNECTIONS {
        let address = server.address().to_owned();
        let headers = format!("authorization: Bearer {}\r\n", server.fact("secret_key"));
        tasks.spawn(async move {
            let mut stream = Connection::open(&address).await?;
            for number in (connection..BASELINE).step_by(BASELINE_CONNECTIONS) {
                let variant = |size: usize| {
                    json!({"sku": format!("B{number}-{size}"), "options": {"Size": size.to_string()}, "unit_price": 1990, "stock_quantity": 100})
                };
                let variants: Vec<Value> = (0..VARIANTS).map(variant).collect();
                let body = json!({"title": format!("Product {number}"), "variants": variants});
                let text = request("POST", "/products", &headers, &body.to_string());
                let answer = stream.send(&text).await?;
                if answer.status != 201 && answer.status != 422 {
                    bail!("{}", String::from_utf8_lossy(&answer.body));
                }
            }
            Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    Ok(BASELINE as f64 / begun.elapsed().as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn tell(name: &str, taken: &mut [Taken]) {
    taken.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let median = &taken[taken.len() / 2];
    let variants = (PRODUCTS * VARIANTS) as f64;
    let peak = taken.iter().map(|taken| taken.peak_kib).max().unwrap_or(0);
    say(&format!(
        "{name:>28}: {:.2} s ({:.2}–{:.2}), {:.0} products/s, {:.0} variants/s, {} KiB at most; {} created, {} unchanged",
        median.seconds,
        taken[0].seconds,
        taken[taken.len() - 1].seconds,
        PRODUCTS as f64 / median.seconds,
        variants / median.seconds,
        peak,
        median.done["created"],
        median.done["unchanged"],
    ));
}

fn tell_orders(name: &str, outcomes: &mut [Outcome]) {
    outcomes.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
    let median = &outcomes[outcomes.len() / 2];
    say(&format!(
        "{name:>28}: {:.0} orders/s on {BUYERS} connections, p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms",
        median.rate(),
        median.percentile(50),
        median.percentile(95),
        median.percentile(99)
    ));
}
