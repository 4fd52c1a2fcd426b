//! `stockhold migrate`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use domain::time::Timestamp;
use engine::clock::Clock as _;
use serde_json::json;
use store_sqlite::database::open_for_migration;
use store_sqlite::migrate::{STEPS, down, has_idempotency_key, status, up};

use super::output;
use crate::cli::{MigrateArgs, MigrateWay};
use crate::clock::SystemClock;
use crate::config::sqlite_path;

pub(crate) fn run(args: MigrateArgs) -> Result<ExitCode> {
    let path = sqlite_path(&args.database.database)?;
    let as_json = args.database.json;
    match args.way {
        MigrateWay::Status => return show_status(&path, as_json),
        MigrateWay::Print { down, step } => return print(down, step),
        MigrateWay::Up | MigrateWay::Down { .. } => {}
    }
    let (mut conn, _lock) = open_for_migration(&path)?;
    let (done, word) = match args.way {
        MigrateWay::Up => {
            let now = SystemClock::new().now().millis();
            (up(&mut conn, now, env!("CARGO_PKG_VERSION"))?, "taken")
        }
        MigrateWay::Down { steps, yes } => (down(&mut conn, steps, yes)?, "taken back"),
        MigrateWay::Status | MigrateWay::Print { .. } => (Vec::new(), ""),
    };
    if as_json {
        output::line(&json!({"migrations": done}).to_string());
    } else if done.is_empty() {
        output::line("Nothing to do.");
    } else {
        let numbers: Vec<_> = done.iter().map(ToString::to_string).collect();
        output::line(&format!("Migrations {word}: {}.", numbers.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints each step as a transaction that `sqlite3` can run, with the note that it was taken.
fn print(down: bool, only: Option<i64>) -> Result<ExitCode> {
    let mut steps: Vec<_> = STEPS.iter().collect();
    steps.retain(|step| only.is_none_or(|only| step.number == only));
    if steps.is_empty() {
        bail!("there is no such step; `stockhold migrate status` lists them");
    }
    if down {
        steps.reverse();
    }
    for step in steps {
        output::line(&if down {
            step.script_down()
        } else {
            step.script_up()
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// Exits 1 when steps are missing, so that scripts can ask. A missing file is not made.
fn show_status(path: &std::path::Path, as_json: bool) -> Result<ExitCode> {
    let (taken, has_key) = if path.exists() {
        let conn = store_sqlite::database::open_to_look(path)?;
        (status(&conn)?, has_idempotency_key(&conn)?)
    } else {
        (Vec::new(), false)
    };
    let rows: Vec<_> = STEPS
        .iter()
        .map(|step| {
            let taken = taken.iter().find(|taken| taken.number == step.number);
            let at = taken.map(|taken| wire::time::format(Timestamp::from_millis(taken.at)));
            (step, at, taken.map(|taken| taken.by.clone()))
        })
        .collect();
    let current = rows.iter().all(|(_, at, _)| at.is_some());
    if as_json {
        let steps: Vec<_> = rows
            .iter()
            .map(|(step, at, by)| {
                json!({"number": step.number, "name": step.name, "taken_at": at, "taken_by": by})
            })
            .collect();
        output::line(
            &json!({"current": current, "orders_idempotency_key": has_key, "migrations": steps})
                .to_string(),
        );
    } else {
        let cells = rows.iter().map(|(step, at, by)| {
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            vec![
                step.number.to_string(),
                step.name.to_owned(),
                or_dash(at),
                or_dash(by),
            ]
        });
        output::table(
            &["NUMBER", "NAME", "TAKEN AT", "BY"],
            &cells.collect::<Vec<_>>(),
        );
        let there = if has_key { "there" } else { "missing" };
        output::line(&format!("orders.idempotency_key: {there}"));
    }
    Ok(if current {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
