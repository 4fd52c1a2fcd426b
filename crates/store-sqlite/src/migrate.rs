//! The schema, up and down, one numbered step at a time.

use rows::steps::{self, Dialect, MigrateError, Step, Taken};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

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
        name: "operators_controls",
        up: include_str!("../migrations/0002_operators_controls.up.sql"),
        down: include_str!("../migrations/0002_operators_controls.down.sql"),
        down_destroys: true,
    },
    Step {
        number: 3,
        name: "product_handles",
        up: include_str!("../migrations/0003_product_handles.up.sql"),
        down: include_str!("../migrations/0003_product_handles.down.sql"),
        down_destroys: true,
    },
    Step {
        number: 4,
        name: "copies",
        up: include_str!("../migrations/0004_copies.up.sql"),
        down: include_str!("../migrations/0004_copies.down.sql"),
        down_destroys: true,
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

/// How scripts for `sqlite3` say it.
pub const DIALECT: Dialect = Dialect {
    begin: "BEGIN IMMEDIATE",
    taken: "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, \
         taken_at INTEGER NOT NULL, taken_by TEXT NOT NULL) STRICT",
    now: "unixepoch() * 1000",
};

/// Whether `orders.idempotency_key` is there (seed 000 asks for it before a release).
pub fn has_idempotency_key(conn: &Connection) -> Result<bool> {
    let sql = "SELECT 1 FROM pragma_table_info('orders') WHERE name = 'idempotency_key'";
    Ok(conn.query_row(sql, [], |_| Ok(())).optional()?.is_some())
}

/// The steps taken so far, oldest first.
pub fn status(conn: &Connection) -> Result<Vec<Taken>> {
    let exists = "SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'";
    if conn.query_row(exists, [], |_| Ok(())).optional()?.is_none() {
        return Ok(Vec::new());
    }
    conn.prepare("SELECT number, taken_at, taken_by FROM schema_migrations ORDER BY number")?
        .query_map([], |row| {
            Ok(Taken {
                number: row.get(0)?,
                at: row.get(1)?,
                by: row.get(2)?,
            })
        })?
        .collect()
}

fn failed(error: rusqlite::Error) -> MigrateError {
    MigrateError::Failed(error.to_string())
}

/// Takes every missing step, each in a transaction of its own; returns their numbers.
pub fn up(conn: &mut Connection, now_millis: i64, by: &str) -> Result<Vec<i64>, MigrateError> {
    let missing = steps::missing(STEPS, &status(conn).map_err(failed)?)?;
    conn.execute_batch(DIALECT.taken).map_err(failed)?;
    let take = |conn: &mut Connection, step: Step| {
        let tx = conn.transaction()?;
        tx.execute_batch(step.up)?;
        tx.execute(
            "INSERT INTO schema_migrations (number, taken_at, taken_by) VALUES (?1, ?2, ?3)",
            params![step.number, now_millis, by],
        )?;
        tx.commit()?;
        Ok(step.number)
    };
    let taken = missing.into_iter().map(|step| take(conn, step));
    taken.collect::<Result<_>>().map_err(failed)
}

/// Takes back the last `count` steps, newest first; returns their numbers. A step whose way back
/// loses data wants `yes`.
pub fn down(conn: &mut Connection, count: usize, yes: bool) -> Result<Vec<i64>, MigrateError> {
    let back = steps::to_take_back(STEPS, &status(conn).map_err(failed)?, (count, yes))?;
    let take = |conn: &mut Connection, step: Step| {
        let tx = conn.transaction()?;
        tx.execute_batch(step.down)?;
        let sql = "DELETE FROM schema_migrations WHERE number = ?1";
        tx.execute(sql, [step.number])?;
        tx.commit()?;
        Ok(step.number)
    };
    let back = back.into_iter().map(|step| take(conn, step));
    back.collect::<Result<_>>().map_err(failed)
}

/// Refuses a schema that this program does not work with.
pub fn require_current(conn: &Connection) -> Result<(), MigrateError> {
    steps::require_current(STEPS, &status(conn).map_err(failed)?)
}
