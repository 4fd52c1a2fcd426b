//! `stockhold audit`.

use std::process::ExitCode;

use anyhow::Result;
use engine::audit::audit;
use serde_json::json;

use super::output;
use crate::cli::DatabaseArgs;
use crate::database::Location;
use crate::serve::codec;

/// Exits 0 when nothing is found, 1 otherwise.
pub(crate) fn run(args: &DatabaseArgs) -> Result<ExitCode> {
    let mut snapshot = args.database.parse::<Location>()?.freeze()?;
    // Neither tokens nor addresses take part in what is proved.
    let report = audit(&mut *snapshot, &codec(&[0; 32], String::new()))?;
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
