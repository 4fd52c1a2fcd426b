//! What a user would write by hand on PostgreSQL, on the same rows as an order of ours: order, line,
//! hold, event, idempotency record and stock, one transaction an order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bench::load::Outcome;
use tokio::task::JoinSet;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

/// Connections of a baseline.
const CONNECTIONS: usize = 64;
/// How often the optimistic one tries an order.
const TRIES: usize = 20;

/// How an order keeps others away from its stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `SELECT … FOR UPDATE`.
    ForUpdate,
    /// Read, then `UPDATE … WHERE version = …`, and again when another was first (seed 003).
    Optimistic,
}

impl Way {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ForUpdate => "FOR UPDATE",
            Self::Optimistic => "optimistic",
        }
    }
}

const TABLES: &str = "
CREATE TABLE stock (tenant_id UUID, variant_id UUID, stock BIGINT NOT NULL, reserved BIGINT NOT NULL,
    version BIGINT NOT NULL, PRIMARY KEY (tenant_id, variant_id), CHECK (stock >= reserved));
CREATE TABLE orders (tenant_id UUID, order_id UUID, customer_id TEXT, status TEXT, total BIGINT,
    created_at TIMESTAMPTZ DEFAULT now(), PRIMARY KEY (tenant_id, order_id));
CREATE TABLE items (tenant_id UUID, order_id UUID, variant_id UUID, quantity BIGINT, price BIGINT,
    PRIMARY KEY (tenant_id, order_id, variant_id));
CREATE TABLE holds (tenant_id UUID, order_id UUID, variant_id UUID, quantity BIGINT,
    expires_at TIMESTAMPTZ DEFAULT now() + interval '15 minutes',
    PRIMARY KEY (tenant_id, order_id, variant_id));
CREATE TABLE events (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id UUID,
    type TEXT, order_id UUID, payload TEXT);
CREATE TABLE keys (tenant_id UUID, key TEXT, answer TEXT, created_at TIMESTAMPTZ DEFAULT now(),
    PRIMARY KEY (tenant_id, key));
";

/// The statements of one connection.
struct Statements {
    lock: Statement,
    read: Statement,
    reserve: Statement,
    compare: Statement,
    inserts: [Statement; 5],
}

impl Statements {
    async fn prepare(client: &Client) -> Result<Self> {
        let read = "SELECT stock - reserved, version FROM stock WHERE tenant_id = $1 AND variant_id = $2";
        let reserve = "UPDATE stock SET reserved = reserved + 1, version = version + 1 \
             WHERE tenant_id = $1 AND variant_id = $2";
        let order = "INSERT INTO orders (tenant_id, order_id, customer_id, status, total) \
             VALUES ($1, $2, 'c', 'pending', 1000)";
        let item = "INSERT INTO items VALUES ($1, $2, $3, 1, 1000)";
        let hold = "INSERT INTO holds (tenant_id, order_id, variant_id, quantity) VALUES ($1, $2, $3, 1)";
        let event = "INSERT INTO events (tenant_id, type, order_id, payload) \
             VALUES ($1, 'order.placed', $2, $3)";
        let key = "INSERT INTO keys (tenant_id, key, answer) VALUES ($1, $2, $3)";
        Ok(Self {
            lock: client.prepare(&format!("{read} FOR UPDATE")).await?,
            read: client.prepare(read).await?,
            reserve: client.prepare(reserve).await?,
            compare: client.prepare(&format!("{reserve} AND version = $3")).await?,
            inserts: [
                client.prepare(order).await?,
                client.prepare(item).await?,
                client.prepare(hold).await?,
                client.prepare(event).await?,
                client.prepare(key).await?,
            ],
        })
    }
}

/// A database with the stock of a baseline.
pub(crate) struct Baseline {
    url: String,
    tenant: Uuid,
    variants: Arc<Vec<Uuid>>,
}

/// Connects, and keeps the connection going for as long as its client lives.
async fn connect(url: &str, tasks: &mut JoinSet<()>) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tasks.spawn(async move { drop(connection.await) });
    Ok(client)
}

impl Baseline {
    pub(crate) async fn new(url: String, variants: usize, units: i64) -> Result<Self> {
        let mut tasks = JoinSet::new();
        let client = connect(&url, &mut tasks).await?;
        client.batch_execute(TABLES).await?;
        let tenant = Uuid::now_v7();
        let variants: Vec<Uuid> = (0..variants).map(|_| Uuid::now_v7()).collect();
        let fill = "INSERT INTO stock SELECT $1, unnest($2::uuid[]), $3, 0, 1";
        client.execute(fill, &[&tenant, &variants, &units]).await?;
        client.batch_execute("ANALYZE").await?;
        Ok(Self {
            url,
            tenant,
            variants: Arc::new(variants),
        })
    }

    /// A closed loop of orders on the first `many` variants.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    pub(crate) async fn run(&self, way: Way, many: usize, span: Duration) -> Result<Outcome> {
        let next = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        let mut connections = JoinSet::new();
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let client = connect(&self.url, &mut connections).await?;
            let statements = Statements::prepare(&client).await?;
            clients.push((client, statements));
        }
        let begun = Instant::now();
        for (mut client, statements) in clients {
            let (next, variants, tenant) = (Arc::clone(&next), Arc::clone(&self.variants), self.tenant);
            tasks.spawn(async move {
                let mut outcome = Outcome::default();
                while begun.elapsed() < span {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let place = usize::try_from(number)? % many;
                    let variant = variants.get(place).context("a variant")?;
                    let sent = Instant::now();
                    let made = order(&mut client, &statements, way, (&tenant, variant)).await?;
                    outcome.latencies.push(u32::try_from(sent.elapsed().as_micros())?);
                    *if made { &mut outcome.created } else { &mut outcome.others } += 1;
                }
                anyhow::Ok(outcome)
            });
        }
        let mut outcome = Outcome::default();
        while let Some(done) = tasks.join_next().await {
            let one = done??;
            outcome.created += one.created;
            outcome.others += one.others;
            outcome.latencies.extend(one.latencies);
        }
        outcome.seconds = begun.elapsed().as_secs_f64();
        outcome.latencies.sort_unstable();
        Ok(outcome)
    }
}

/// One order; false when every try met another's.
async fn order(
    client: &mut Client,
    statements: &Statements,
    way: Way,
    (tenant, variant): (&Uuid, &Uuid),
) -> Result<bool> {
    for _ in 0..TRIES {
        let id = Uuid::now_v7();
        let tx = client.transaction().await?;
        match way {
            Way::ForUpdate => {
                tx.query_one(&statements.lock, &[tenant, variant]).await?;
                tx.execute(&statements.reserve, &[tenant, variant]).await?;
            }
            Way::Optimistic => {
                let row = tx.query_one(&statements.read, &[tenant, variant]).await?;
                let version: i64 = row.get(1);
                let params: [&(dyn ToSql + Sync); 3] = [tenant, variant, &version];
                if tx.execute(&statements.compare, &params).await? == 0 {
                    tx.rollback().await?;
                    continue;
                }
            }
        }
        let [order, item, hold, event, key] = &statements.inserts;
        let answer = "x".repeat(300);
        tx.execute(order, &[tenant, &id]).await?;
        tx.execute(item, &[tenant, &id, variant]).await?;
        tx.execute(hold, &[tenant, &id, variant]).await?;
        tx.execute(event, &[tenant, &id, &answer]).await?;
        tx.execute(key, &[tenant, &id.to_string(), &answer]).await?;
        tx.commit().await?;
        return Ok(true);
    }
    Ok(false)
}
