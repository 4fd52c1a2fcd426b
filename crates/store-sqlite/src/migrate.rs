//! The schema, up and down, one numbered step at a time.

use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its number, from 1.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// The SQL that takes it.
    pub up: &'static str,
    /// The SQL that takes it back.
    pub down: &'static str,
    /// Whether taking it back loses data.
    pub down_destroys: bool,
}

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
];

/// The table of the steps that have been taken.
const TAKEN: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, \
     taken_at INTEGER NOT NULL, taken_by TEXT NOT NULL) STRICT";

impl Step {
    /// The step as a script for `sqlite3`: what [`up`] does with it.
    #[must_use]
    pub fn script_up(&self) -> String {
        let (number, name, up) = (self.number, self.name, self.up);
        format!(
            "-- Step {number}, {name}: up\nBEGIN IMMEDIATE;\n{TAKEN};\n{up}\
             INSERT INTO schema_migrations (number, taken_at, taken_by)\n    \
             VALUES ({number}, unixepoch() * 1000, 'by hand');\nCOMMIT;\n"
        )
    }

    /// The way back as a script: what [`down`] does.
    #[must_use]
    pub fn script_down(&self) -> String {
        let (number, name, down) = (self.number, self.name, self.down);
        let loses = if self.down_destroys {
            " (loses data)"
        } else {
            ""
        };
        format!(
            "-- Step {number}, {name}: down{loses}\nBEGIN IMMEDIATE;\n{down}\
             DELETE FROM schema_migrations WHERE number = {number};\nCOMMIT;\n"
        )
    }
}

/// Whether `orders.idempotency_key` is there (seed 000 asks for it before a release).
pub fn has_idempotency_key(conn: &Connection) -> Result<bool> {
    let sql = "SELECT 1 FROM pragma_table_info('orders') WHERE name = 'idempotency_key'";
    Ok(conn.query_row(sql, [], |_| Ok(())).optional()?.is_some())
}

/// Why a schema could not be changed or used.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Steps are missing.
    #[error("the database has {found} of {wanted} migrations; run `stockhold migrate up` first")]
    Behind {
        /// Steps taken.
        found: i64,
        /// Steps known.
        wanted: i64,
    },
    /// A newer program has taken steps that this one does not know.
    #[error(
        "the database has migration {found}, this program knows {known}; use the newer program"
    )]
    Newer {
        /// The last step taken.
        found: i64,
        /// The last step known.
        known: i64,
    },
    /// Taking a step back would lose data, and nobody said yes.
    #[error("taking back migration {number} ({name}) destroys data; repeat with --yes to do it")]
    Destroys {
        /// The step.
        number: i64,
        /// Its name.
        name: &'static str,
    },
    /// SQLite failed.
    #[error("migration failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// A step that has been taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number.
    pub number: i64,
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// The version of the program that took it.
    pub by: String,
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

/// Takes every missing step, each in a transaction of its own; returns their numbers.
pub fn up(conn: &mut Connection, now_millis: i64, by: &str) -> Result<Vec<i64>, MigrateError> {
    let done = last_taken(conn)?;
    conn.execute_batch(TAKEN)?;
    let mut taken = Vec::new();
    for step in STEPS.iter().filter(|step| step.number > done) {
        let tx = conn.transaction()?;
        tx.execute_batch(step.up)?;
        tx.execute(
            "INSERT INTO schema_migrations (number, taken_at, taken_by) VALUES (?1, ?2, ?3)",
            params![step.number, now_millis, by],
        )?;
        tx.commit()?;
        taken.push(step.number);
    }
    Ok(taken)
}

/// Takes back the last `count` steps, newest first; returns their numbers. A step whose way back
/// loses data wants `yes`.
pub fn down(conn: &mut Connection, count: usize, yes: bool) -> Result<Vec<i64>, MigrateError> {
    let done = last_taken(conn)?;
    let mut back = Vec::new();
    for step in STEPS
        .iter()
        .rev()
        .filter(|step| step.number <= done)
        .take(count)
    {
        if step.down_destroys && !yes {
            return Err(MigrateError::Destroys {
                number: step.number,
                name: step.name,
            });
        }
        let tx = conn.transaction()?;
        tx.execute_batch(step.down)?;
        tx.execute(
            "DELETE FROM schema_migrations WHERE number = ?1",
            [step.number],
        )?;
        tx.commit()?;
        back.push(step.number);
    }
    Ok(back)
}

/// Refuses a schema that this program does not work with.
pub fn require_current(conn: &Connection) -> Result<(), MigrateError> {
    let found = last_taken(conn)?;
    let wanted = STEPS.last().map_or(0, |step| step.number);
    if found < wanted {
        Err(MigrateError::Behind { found, wanted })
    } else {
        Ok(())
    }
}

fn last_taken(conn: &Connection) -> Result<i64, MigrateError> {
    let found = status(conn)?.last().map_or(0, |taken| taken.number);
    let known = STEPS.last().map_or(0, |step| step.number);
    if found > known {
        Err(MigrateError::Newer { found, known })
    } else {
        Ok(found)
    }
}
