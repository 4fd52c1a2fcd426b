//! What a user would write by hand on PostgreSQL: one transaction an order, prepared statements, on
//! the same tables and the same rows as an order of ours, as a role that row-level security does not
//! bind: order, line, hold, two events, idempotency record and stock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
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

/// An event `order.placed`, an event `stock.reserved` and an answer are about so long.
const BYTES: [usize; 3] = [1_144, 483, 1_413];

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
        let read = "SELECT stock_quantity - reserved_stock, version FROM stock_levels \
             WHERE tenant_id = $1 AND variant_id = $2 AND location_id = $1";
        let reserve = "UPDATE stock_levels SET reserved_stock = reserved_stock + 1, \
             version = version + 1 WHERE tenant_id = $1 AND variant_id = $2 AND location_id = $1";
        let order = "INSERT INTO orders (tenant_id, order_id, order_number, status, \
             payment_status, financial_status, currency, subtotal, discount_amount, tax_amount, \
             shipping_fee, total_amount, customer_id, payment_expires_at, hold_extended_millis, \
             idempotency_key, version, created_at, updated_at) VALUES ($1, $2, $3, 'pending', \
             'pending', 'draft', 'EUR', 1000, 0, 0, 0, 1000, 'c', $3, 0, 'key', 1, $3, $3)";
        let item = "INSERT INTO order_items (tenant_id, order_id, position, item_id, product_id, \
             variant_id, location_id, location_forced, title, variant_title, options, quantity, \
             unit_price, discount, total_price) VALUES ($1, $2, 0, $2, $3, $3, $1, false, \
             'Bench', 'Default', '[]', 1, 1000, 0, 1000)";
        let hold = "INSERT INTO stock_reservations (tenant_id, order_id, reservation_id, \
             product_id, variant_id, location_id, quantity, deducted, reserved_at, expires_at, \
             status, created_at, updated_at) \
             VALUES ($1, $2, $2, $3, $3, $1, 1, false, $4, $4, 'active', $4, $4)";
        let event = "INSERT INTO events (tenant_id, seq, at, type, order_id, payload, movements) \
             VALUES ($1, $3, $3, $4, $2, $5, '[]')";
        let key = "INSERT INTO idempotency_keys (tenant_id, key, fingerprint, status, body, seq, \
             created_at) VALUES ($1, $2, $3, 201, $4, $5, $5)";
        Ok(Self {
            lock: client.prepare(&format!("{read} FOR UPDATE")).await?,
            read: client.prepare(read).await?,
            reserve: client.prepare(reserve).await?,
            compare: client
                .prepare(&format!("{reserve} AND version = $3"))
                .await?,
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
    runs: AtomicI64,
}

/// Connects, and keeps the connection going for as long as its client lives.
async fn connect(url: &str, tasks: &mut JoinSet<()>) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tasks.spawn(async move { drop(connection.await) });
    Ok(client)
}

impl Baseline {
    pub(crate) async fn new(url: String, variants: usize, units: i64) -> Result<Self> {
        store_postgres::migrate::up(&url.parse()?, 0, "bench").await?;
        let mut tasks = JoinSet::new();
        let client = connect(&url, &mut tasks).await?;
        let tenant = Uuid::now_v7();
        let variants: Vec<Uuid> = (0..variants).map(|_| Uuid::now_v7()).collect();
        let fill = "INSERT INTO stock_levels (tenant_id, variant_id, location_id, \
             stock_quantity, reserved_stock, backorder_limit, version, last_seq) \
             SELECT $1, unnest($2::uuid[]), $1, $3, 0, 0, 1, 0";
        client.execute(fill, &[&tenant, &variants, &units]).await?;
        client.batch_execute("ANALYZE").await?;
        Ok(Self {
            url,
            tenant,
            variants: Arc::new(variants),
            runs: AtomicI64::new(1),
        })
    }

    /// A closed loop of orders on the first `many` variants.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    pub(crate) async fn run(&self, way: Way, many: usize, span: Duration) -> Result<Outcome> {
        let next = Arc::new(AtomicU64::new(0));
        let first = self.runs.fetch_add(1, Ordering::Relaxed) * 1_000_000_000;
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
            let (next, variants, tenant) =
                (Arc::clone(&next), Arc::clone(&self.variants), self.tenant);
            tasks.spawn(async move {
                let mut outcome = Outcome::default();
                while begun.elapsed() < span {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let place = usize::try_from(number)? % many;
                    let variant = variants.get(place).context("a variant")?;
                    let sent = Instant::now();
                    // Runs on one database must not meet in order and event numbers.
                    let number = first + i64::try_from(number)?;
                    let which = (&tenant, variant, number);
                    let made = order(&mut client, &statements, way, which).await?;
                    outcome
                        .latencies
                        .push(u32::try_from(sent.elapsed().as_micros())?);
                    outcome.done += u64::from(made);
                    outcome.others += u64::from(!made);
                }
                anyhow::Ok(outcome)
            });
        }
        let mut outcome = Outcome::default();
        while let Some(done) = tasks.join_next().await {
            let one = done??;
            outcome.done += one.done;
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
    (tenant, variant, number): (&Uuid, &Uuid, i64),
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
        let [placed, reserved, answer] = BYTES.map(|bytes| "x".repeat(bytes));
        let second = number + 500_000_000;
        tx.execute(order, &[tenant, &id, &number]).await?;
        tx.execute(item, &[tenant, &id, variant]).await?;
        tx.execute(hold, &[tenant, &id, variant, &number]).await?;
        let kinds = ["order.placed", "stock.reserved"];
        let placed: [&(dyn ToSql + Sync); 5] = [tenant, &id, &number, &kinds[0], &placed];
        tx.execute(event, &placed).await?;
        let reserved: [&(dyn ToSql + Sync); 5] = [tenant, &id, &second, &kinds[1], &reserved];
        tx.execute(event, &reserved).await?;
        let print = [0_u8; 32].as_slice();
        let kept = answer.as_bytes();
        tx.execute(key, &[tenant, &Uuid::new_v4(), &print, &kept, &number])
            .await?;
        tx.commit().await?;
        return Ok(true);
    }
    Ok(false)
}
