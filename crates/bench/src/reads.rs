//! `cargo xtask bench reads`: a thousand readers of lists and products at once, with and without a
//! streaming replica and a Redis; all of them, and the load, on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bench::connection::{Connection, request};
use bench::load::{Outcome, Plan, mixed, run};
use bench::server::Server;
use serde_json::{Value, json};
use throwaway::postgres::{Cluster, Durability};
use throwaway::redis::Redis;

use crate::{ROUNDS, Scenario, call, say};

const READERS: usize = 1_000;
const PRODUCTS: usize = 1_000;
/// Variants of each.
const VARIANTS: usize = 3;
/// Pages that readers look at, of 20 products each.
const PAGES: usize = 5;

/// A server with what stands beside it, and its runs.
struct Way {
    server: Server,
    lists: Scenario,
    products: Scenario,
}

/// What readers ask for.
struct Paths {
    lists: Vec<String>,
    products: Vec<String>,
}

pub(crate) async fn reads(binary: PathBuf, span: Duration) -> Result<()> {
    let cluster = Cluster::start(Durability::Full)?;
    let database = cluster.database()?;
    let url = cluster.url(&database);
    let paths = fill(&Server::start(&binary, &url, &[])?).await?;
    cluster.sql(&database, "ANALYZE")?;
    let (standby, redis) = (cluster.standby()?, Redis::start()?);
    let replica = standby.url(&database);
    let (read, share) = (["--database-read", &replica], [redis.url()]);
    let share = ["--redis", &share[0]];
    let mut ways = [
        way(&binary, &url, ("primary", &[]))?,
        way(&binary, &url, ("primary, replica", &read))?,
        way(&binary, &url, ("primary, Redis", &share))?,
        way(
            &binary,
            &url,
            ("primary, replica, Redis", &[read, share].concat()),
        )?,
    ];
    say(&format!(
        "PostgreSQL, {PRODUCTS} products of {VARIANTS} variants, {READERS} readers at once, {} s a \
         run, medians of {ROUNDS}",
        span.as_secs()
    ));
    // Replica and Redis are looked for in the background.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for _ in 0..ROUNDS {
        for way in &mut ways {
            let lists = look(&way.server, &paths.lists, span).await?;
            way.lists.outcomes.push(lists);
            let products = look(&way.server, &paths.products, span).await?;
            way.products.outcomes.push(products);
        }
    }
    for way in &mut ways {
        way.lists.tell("lists");
    }
    for way in &mut ways {
        way.products.tell("products");
    }
    for way in &ways {
        tell_cache(way).await?;
    }
    Ok(())
}

/// What became of looking into the Redis, where there is one.
async fn tell_cache(way: &Way) -> Result<()> {
    let mut connection = Connection::open(way.server.address()).await?;
    let metrics = connection.send(&request("GET", "/metrics", "", "")).await?;
    let text = String::from_utf8_lossy(&metrics.body).into_owned();
    let counts: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("stockhold_cache_"))
        .collect();
    if !counts.is_empty() {
        say(&format!("{:>26}: {}", way.lists.name, counts.join(", ")));
    }
    Ok(())
}

fn way(binary: &Path, url: &str, (name, more): (&str, &[&str])) -> Result<Way> {
    Ok(Way {
        server: Server::start(binary, url, more)?,
        lists: Scenario::new(name),
        products: Scenario::new(name),
    })
}

/// Makes the catalogue.
async fn fill(server: &Server) -> Result<Paths> {
    let mut products = Vec::new();
    for number in 0..PRODUCTS {
        let variants: Vec<Value> = (0..VARIANTS)
            .map(|size| json!({"title": format!("Size {size}"), "unit_price": 1_999, "stock_quantity": 50}))
            .collect();
        let body = json!({"title": format!("Thing {number}"), "description": "A thing to look at",
            "variants": variants});
        let made = call(server, "POST", "/api/v1/products", &body.to_string()).await?;
        let id = made["id"].as_str().context("no id")?;
        products.push(format!("/api/v1/products/{id}"));
    }
    let mut lists = vec!["/api/v1/products?limit=20".to_owned()];
    while lists.len() < PAGES {
        let last = lists.last().context("a page")?;
        let page = call(server, "GET", last, "").await?;
        let next = page["next_cursor"].as_str().context("no further page")?;
        lists.push(format!("/api/v1/products?limit=20&cursor={next}"));
    }
    Ok(Paths { lists, products })
}

async fn look(server: &Server, paths: &[String], span: Duration) -> Result<Outcome> {
    let headers = format!("authorization: Bearer {}\r\n", server.fact("secret_key"));
    let ask = |path: &String| request("GET", path, &headers, "");
    let requests: Vec<String> = paths.iter().map(ask).collect();
    let make = move |number| {
        let count = requests.len() as u64;
        let at = usize::try_from((mixed(number) >> 32) % count).unwrap_or(0);
        requests[at].clone()
    };
    let outcome = run(Plan {
        address: server.address().to_owned(),
        make: Arc::new(make),
        success: 200,
        connections: READERS,
        span,
    })
    .await?;
    if outcome.others > 0 {
        bail!("{} reads failed", outcome.others);
    }
    Ok(outcome)
}
