//! `stockhold migrate`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use domain::time::Timestamp;
use rows::steps::{Step, Taken};
use serde_json::json;
use tokio::runtime::Runtime;

use super::output;
use crate::cli::{MigrateArgs, MigrateWay};
use crate::database::Location;

pub(crate) fn run(args: MigrateArgs) -> Result<ExitCode> {
    let location: Location = args.database.database.parse()?;
    let as_json = args.database.json;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (done, word) = match args.way {
        MigrateWay::Status => return show_status(&runtime, &location, as_json),
        MigrateWay::Print { down, step } => return print(&location, down, step),
        MigrateWay::Distribute {
            without_row_level_security: true,
        } => return distribute(&runtime, &location, as_json),
        MigrateWay::Distribute { .. } => bail!(
            "Citus does not work under row-level security: on it the program alone keeps tenants \
             apart, and the database no longer does. Say --without-row-level-security if that is \
             what you want (docs/scaling.md)"
        ),
        MigrateWay::Roles => {
            output::line(store_postgres::roles::CREATE);
            return Ok(ExitCode::SUCCESS);
        }
        MigrateWay::Up => (runtime.block_on(location.migrate_up())?, "taken"),
        MigrateWay::Down { steps, yes } => {
            let down = location.migrate_down(steps, yes);
            (runtime.block_on(down)?, "taken back")
        }
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

fn distribute(runtime: &Runtime, location: &Location, as_json: bool) -> Result<ExitCode> {
    let done = runtime.block_on(location.distribute())?;
    if as_json {
        output::line(&json!({"distributed": done}).to_string());
    } else if done.is_empty() {
        output::line("Nothing to do.");
    } else {
        output::line(&format!("Distributed by tenant_id: {}.", done.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints each step as a transaction that the database's own shell can run, with the note that it
/// was taken.
fn print(location: &Location, down: bool, only: Option<i64>) -> Result<ExitCode> {
    let (steps, dialect) = location.steps();
    let mut steps: Vec<&Step> = steps.iter().collect();
    steps.retain(|step| only.is_none_or(|only| step.number == only));
    if steps.is_empty() {
        bail!("there is no such step; `stockhold migrate status` lists them");
    }
    if down {
        steps.reverse();
    }
    for step in steps {
        output::line(&if down {
            step.script_down(dialect)
        } else {
            step.script_up(dialect)
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// Exits 1 when steps are missing, so that scripts can ask.
fn show_status(runtime: &Runtime, location: &Location, as_json: bool) -> Result<ExitCode> {
    let (taken, has_key) = runtime.block_on(location.schema())?;
    let (steps, _) = location.steps();
    let current = steps
        .iter()
        .all(|step| taken.iter().any(|taken| taken.number == step.number));
    if as_json {
        let steps: Vec<_> = rows(steps, &taken)
            .map(|(step, at, by)| {
                json!({"number": step.number, "name": step.name, "taken_at": at, "taken_by": by})
            })
            .collect();
        output::line(
            &json!({"current": current, "orders_idempotency_key": has_key, "migrations": steps})
                .to_string(),
        );
    } else {
        let cells = rows(steps, &taken).map(|(step, at, by)| {
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
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

/// Each step with when and by which version it was taken.
fn rows<'a>(
    steps: &'a [Step],
    taken: &'a [Taken],
) -> impl Iterator<Item = (&'a Step, Option<String>, Option<String>)> {
    steps.iter().map(move |step| {
        let taken = taken.iter().find(|taken| taken.number == step.number);
        let at = taken.map(|taken| wire::time::format(Timestamp::from_millis(taken.at)));
        (step, at, taken.map(|taken| taken.by.clone()))
    })
}
