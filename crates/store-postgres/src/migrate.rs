//! The schema, up and down, one numbered step at a time. Servers that start together wait for each
//! other behind an advisory lock.

use rows::Columns as _;
use rows::steps::{self, Dialect, MigrateError, Step, Taken};
use tokio_postgres::Client;

use crate::address::Address;
use crate::columns::{RowColumns, read_all};
use crate::error::Error;
use crate::tls;

/// All steps, oldest first.
pub const STEPS: &[Step] = &[
    Step {
        number: 1,
        name: "checkout_core",
        up: include_str!("../migrations/0001_checkout_core.up.sql"),
        down: include_str!("../migrations/0001_checkout_core.down.sql"),
        down_destroys: true,
    },
    Step {
        number: 2,
        name: "tenants_apart",
        up: include_str!("../migrations/0002_tenants_apart.up.sql"),
        down: include_str!("../migrations/0002_tenants_apart.down.sql"),
        down_destroys: false,
    },
    Step {
        number: 3,
        name: "copies",
        up: include_str!("../migrations/0003_copies.up.sql"),
        down: include_str!("../migrations/0003_copies.down.sql"),
        down_destroys: false,
    },
    Step {
        number: 4,
        name: "planned_anywhere",
        up: include_str!("../migrations/0004_planned_anywhere.up.sql"),
        down: include_str!("../migrations/0004_planned_anywhere.down.sql"),
        down_destroys: false,
    },
    Step {
        number: 5,
        name: "ledger",
        up: include_str!("../migrations/0005_ledger.up.sql"),
        down: include_str!("../migrations/0005_ledger.down.sql"),
        down_destroys: false,
    },
    Step {
        number: 6,
        name: "webhook_events",
        up: include_str!("../migrations/0006_webhook_events.up.sql"),
        down: include_str!("../migrations/0006_webhook_events.down.sql"),
        down_destroys: true,
    },
    Step {
        number: 7,
        name: "providers",
        up: include_str!("../migrations/0007_providers.up.sql"),
        down: include_str!("../migrations/0007_providers.down.sql"),
        down_destroys: true,
    },
];

/// How scripts for `psql` say it.
pub const DIALECT: Dialect = Dialect {
    begin: "BEGIN",
    taken: "CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY, \
         taken_at BIGINT NOT NULL, taken_by TEXT NOT NULL)",
    now: "(EXTRACT(EPOCH FROM now()) * 1000)::bigint",
};

/// The advisory lock of whoever migrates: "stockhol" as a number.
const LOCK: &str = "SELECT pg_advisory_lock(8319106112064745324)";

/// Runs work on a connection of its own, as the role that has logged in.
pub(crate) async fn connected<T>(
    address: &Address,
    work: impl AsyncFnOnce(&mut Client) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    let tls = tls::connector(address).map_err(failed)?;
    let connected = address.config.connect(tls).await;
    let (mut client, connection) = connected.map_err(|error| failed(Error::from(error)))?;
    tokio::select! {
        done = work(&mut client) => done,
        ended = connection => Err(MigrateError::Failed(match ended {
            Ok(()) => "the connection was closed".to_owned(),
            Err(error) => Error::from(error).to_string(),
        })),
    }
}

pub(crate) fn failed(error: impl Into<Error>) -> MigrateError {
    MigrateError::Failed(error.into().to_string())
}

/// The steps taken so far, oldest first.
pub async fn status(address: &Address) -> Result<Vec<Taken>, MigrateError> {
    connected(address, async |client: &mut Client| taken(client).await).await
}

async fn taken(client: &Client) -> Result<Vec<Taken>, MigrateError> {
    let there = "SELECT to_regclass('schema_migrations') IS NOT NULL";
    let there = client.query_one(there, &[]).await.map_err(failed)?;
    if !there.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let sql = "SELECT number, taken_at, taken_by FROM schema_migrations ORDER BY number";
    let rows = client.query(sql, &[]).await.map_err(failed)?;
    let read = |c: &mut RowColumns| {
        Ok(Taken {
            number: c.int()?,
            at: c.int()?,
            by: c.text()?,
        })
    };
    read_all(rows, read).map_err(failed)
}

/// Refuses a schema that this program does not work with.
pub async fn require_current(address: &Address) -> Result<(), MigrateError> {
    steps::require_current(STEPS, &status(address).await?)
}

/// Takes every missing step, each in a transaction of its own; returns their numbers.
pub async fn up(address: &Address, now_millis: i64, by: &str) -> Result<Vec<i64>, MigrateError> {
    connected(address, async |client: &mut Client| {
        client.batch_execute(LOCK).await.map_err(failed)?;
        let missing = steps::missing(STEPS, &taken(client).await?)?;
        client.batch_execute(DIALECT.taken).await.map_err(failed)?;
        let mut numbers = Vec::new();
        for step in missing {
            let sql = "INSERT INTO schema_migrations (number, taken_at, taken_by) \
                 VALUES ($1, $2, $3)";
            let tx = client.transaction().await.map_err(failed)?;
            tx.batch_execute(step.up).await.map_err(failed)?;
            let row = tx.execute(sql, &[&step.number, &now_millis, &by]).await;
            row.map_err(failed)?;
            tx.commit().await.map_err(failed)?;
            numbers.push(step.number);
        }
        Ok(numbers)
    })
    .await
}

/// Takes back the last `count` steps, newest first; returns their numbers. A step whose way back
/// loses data wants `yes`.
pub async fn down(address: &Address, count: usize, yes: bool) -> Result<Vec<i64>, MigrateError> {
    connected(address, async |client: &mut Client| {
        client.batch_execute(LOCK).await.map_err(failed)?;
        let back = steps::to_take_back(STEPS, &taken(client).await?, (count, yes))?;
        let mut numbers = Vec::new();
        for step in back {
            let sql = "DELETE FROM schema_migrations WHERE number = $1";
            let tx = client.transaction().await.map_err(failed)?;
            tx.batch_execute(step.down).await.map_err(failed)?;
            tx.execute(sql, &[&step.number]).await.map_err(failed)?;
            tx.commit().await.map_err(failed)?;
            numbers.push(step.number);
        }
        Ok(numbers)
    })
    .await
}

/// Does work that only one server at a time may do, such as making a demo shop.
pub async fn alone<T, E: From<MigrateError>>(
    address: &Address,
    work: impl AsyncFnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let done = connected(address, async |client: &mut Client| {
        client.batch_execute(LOCK).await.map_err(failed)?;
        Ok(work().await)
    });
    done.await?
}

/// Whether `orders.idempotency_key` is there (seed 000 asks for it before a release).
pub async fn has_idempotency_key(address: &Address) -> Result<bool, MigrateError> {
    let sql = "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('orders') \
         AND attname = 'idempotency_key'";
    connected(address, async |client: &mut Client| {
        let row = client.query_one(sql, &[]).await.map_err(failed)?;
        Ok(row.get::<_, i64>(0) > 0)
    })
    .await
}
