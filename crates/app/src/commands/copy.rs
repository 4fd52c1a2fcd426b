//! `stockhold copy`: from one database into another, with everything in it.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use engine::audit::audit;
use engine::clock::Clock as _;
use rows::copy::{self, Compared};
use serde_json::json;

use super::output::{self, bar};
use crate::cli::CopyArgs;
use crate::clock::SystemClock;
use crate::database::Location;
use crate::serve::codec;

/// Exits 0 when both databases are the same afterwards and the audit finds nothing, 1 otherwise.
pub(crate) fn run(args: &CopyArgs) -> Result<ExitCode> {
    let (from, to): (Location, Location) = (args.from.parse()?, args.to.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let kept = args.idempotency_hours.saturating_mul(3_600_000);
    let expired = SystemClock::new().now().plus_millis(-kept);
    let mut source = runtime.block_on(from.source(expired))?;
    let mut target = runtime.block_on(to.target())?;
    copy::begin(&mut *source, &mut *target, &mut || to.copied())
        .map_err(|why| anyhow!("{} {why}", to.shown()))?;
    let size = copy::size(&mut *source)?;
    let copying = bar(size, "Copying", "rows");
    copy::copy(&mut *source, &mut *target, &|rows| copying.inc(rows))?;
    copying.finish();
    let comparing = bar(size, "Comparing", "rows");
    let mut there = to.copied()?;
    let compared = copy::compare(&mut *source, &mut *there, &|rows| comparing.inc(rows))?;
    comparing.finish();
    let report = audit(&mut *to.freeze()?, &codec(&[0; 32], String::new()))?;
    let same = compared.iter().all(Compared::same);
    let ok = same && report.findings.is_empty();
    if ok {
        target.finish(&source.lanes()?)?;
    }
    let show = if args.json { show_json } else { show };
    show(&compared, &report, ok);
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn show(compared: &[Compared], report: &engine::audit::Report, ok: bool) {
    let rows = compared.iter().map(|table| {
        let same = if table.same() { "same" } else { "DIFFERS" };
        let (ours, theirs) = (table.source.rows, table.target.rows);
        vec![
            table.table.to_owned(),
            ours.to_string(),
            theirs.to_string(),
            same.to_owned(),
        ]
    });
    let titles = ["TABLE", "SOURCE", "TARGET", "EVERY CELL"];
    output::table(&titles, &rows.collect::<Vec<_>>());
    output::line("");
    let balances = compared
        .iter()
        .flat_map(balances)
        .map(|(name, ours, theirs)| vec![name.to_owned(), ours.to_string(), theirs.to_string()]);
    output::table(
        &["BALANCE", "SOURCE", "TARGET"],
        &balances.collect::<Vec<_>>(),
    );
    output::line("");
    report
        .findings
        .iter()
        .for_each(|finding| output::line(finding));
    output::line(&format!(
        "{} events folded on the target, {} findings. {}",
        report.events,
        report.findings.len(),
        if ok {
            "The copy is done."
        } else {
            "The copy is not right: no server will work on it."
        }
    ));
}

/// Each balance, in the source and in the target.
fn balances(table: &Compared) -> impl Iterator<Item = (&str, i128, i128)> {
    let (ours, theirs) = (&table.source.balances, &table.target.balances);
    let of = |sums: &std::collections::BTreeMap<String, i128>, name| {
        sums.get(name).copied().unwrap_or(0)
    };
    let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    names
        .into_iter()
        .map(move |name| (name.as_str(), of(ours, name), of(theirs, name)))
}

fn show_json(compared: &[Compared], report: &engine::audit::Report, ok: bool) {
    let tables: Vec<_> = compared
        .iter()
        .map(|table| {
            let (ours, theirs) = (table.source.rows, table.target.rows);
            json!({"table": table.table, "source": ours, "target": theirs, "same": table.same()})
        })
        .collect();
    // Sums may be larger than a JSON reader's numbers.
    let balances: Vec<_> = compared
        .iter()
        .flat_map(balances)
        .map(|(name, ours, theirs)| {
            json!({"balance": name, "source": ours.to_string(), "target": theirs.to_string()})
        })
        .collect();
    let said = json!({"ok": ok, "tables": tables, "balances": balances,
        "events": report.events, "findings": report.findings});
    output::line(&said.to_string());
}
