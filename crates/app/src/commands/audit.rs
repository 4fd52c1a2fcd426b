//! `stockhold audit`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use engine::audit::audit;
use serde_json::json;
use store_sqlite::snapshot::SqliteSnapshot;

use super::output;
use crate::cli::DatabaseArgs;
use crate::config::sqlite_path;
use crate::serve::codec;

/// Exits 0 when nothing is found, 1 otherwise.
pub(crate) fn run(args: &DatabaseArgs) -> Result<ExitCode> {
    let path = sqlite_path(&args.database)?;
    if !path.exists() {
        bail!("{} does not exist", path.display());
    }
    let mut snapshot = SqliteSnapshot::open(&path)?;
    // Neither tokens nor addresses take part in what is proved.
    let report = audit(&mut snapshot, &codec(&[0; 32], String::new()))?;
    let ok = report.findings.is_empty();
    if args.json {
        let line = json!({"ok": ok, "events": report.events, "findings": report.findings});
        output::line(&line.to_string());
    } else if ok {
        output::line(&format!(
            "{} events folded; the database says what they say.",
            report.events
        ));
    } else {
        for finding in &report.findings {
            output::line(finding);
        }
        output::line(&format!(
            "{} events, {} findings.",
            report.events,
            report.findings.len()
        ));
    }
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
