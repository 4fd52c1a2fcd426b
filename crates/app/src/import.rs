//! `stockhold import`: a catalogue from a file, first thought through, then written.

mod layout;
mod money;
mod report;
mod source;
mod table;
mod target;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use domain::limits::STOCK_MAX;
use engine::clock::Entropy as _;

use wire::input::LevelLine;

use crate::cli::ImportArgs;
use crate::clock::SystemEntropy;
use crate::commands::bar;
use crate::commands::session::Session;
use crate::remote::Remote;

pub(crate) use layout::Layout;
pub(crate) use money::decimal;

use layout::{Defaults, Found};
use report::Report;
use source::{Names, Source};
use table::BadRow;
use target::{Outcome, Rules, Target};

/// Products that are handed over together.
const TOGETHER: usize = 100;

pub(crate) fn run(args: &ImportArgs) -> Result<ExitCode> {
    let spooled = spool(&args.file)?;
    let path = spooled
        .as_ref()
        .map_or(args.file.as_path(), |file| file.0.as_path());
    let mut target = target(args)?;
    if report::is_locations(path) {
        return locations(path, args, &mut target);
    }
    let currency = match &args.currency {
        Some(code) => domain::money::Currency::parse(code)
            .ok_or_else(|| anyhow::anyhow!("{code:?} is no ISO 4217 currency"))?,
        None => target.currency()?,
    };
    let location = args.location.clone();
    let source = Source::open(path, args.layout, Defaults { currency, location })?;
    let missing = missing_locations(&source, args, &mut target)?;
    let mut import = Import {
        new_locations: missing.len(),
        missing,
        args,
        source,
        target,
    };
    import.run()
}

/// Standard input is kept in a file, so that it can be read twice.
fn spool(file: &Path) -> Result<Option<Spooled>> {
    if file != Path::new("-") {
        return Ok(None);
    }
    let name = format!("stockhold-import-{:016x}", SystemEntropy.word());
    let spooled = Spooled(std::env::temp_dir().join(name));
    let mut file = std::fs::File::create_new(&spooled.0)?;
    std::io::copy(&mut std::io::stdin(), &mut file)?;
    Ok(Some(spooled))
}

/// A file that goes when it is no longer needed.
struct Spooled(PathBuf);

impl Drop for Spooled {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn target(args: &ImportArgs) -> Result<Target> {
    if let Some((url, key)) = args.shop.server() {
        return Ok(Target::Server(Remote::new(url, key)?));
    }
    let session = Session::open(&args.shop.at.database)?;
    let tenant = session.only_tenant(args.shop.tenant.as_deref())?;
    Ok(Target::Database(Box::new(session), tenant))
}

/// Locations that the file's columns name and the shop has not.
fn missing_locations(
    source: &Source,
    args: &ImportArgs,
    target: &mut Target,
) -> Result<Vec<String>> {
    let known = target.locations()?;
    let mut missing = source.locations();
    missing.retain(|code| !known.contains(code));
    if !missing.is_empty() && !args.create_locations {
        bail!(
            "the shop has no location {}; add it with --create-locations, or import a locations file first",
            missing.join(", ")
        );
    }
    Ok(missing)
}

/// Adds the locations of a file `code,name,priority` that the shop has not.
fn locations(path: &Path, args: &ImportArgs, target: &mut Target) -> Result<ExitCode> {
    let known = target.locations()?;
    let mut added = 0_usize;
    let mut unchanged = 0_usize;
    for place in report::read_locations(path)? {
        if known.contains(&place.code) {
            unchanged += 1;
            continue;
        }
        added += 1;
        if !args.dry_run {
            target.add_location(&place.code, &place.name, place.priority)?;
        }
    }
    report::say_locations(added, unchanged, args);
    Ok(ExitCode::SUCCESS)
}

struct Import<'a> {
    args: &'a ImportArgs,
    source: Source,
    target: Target,
    /// Locations that are still to be added.
    missing: Vec<String>,
    /// How many there were to begin with.
    new_locations: usize,
}

impl Import<'_> {
    fn run(&mut self) -> Result<ExitCode> {
        let args = self.args;
        let thought = if args.skip_bad && !args.dry_run {
            None
        } else {
            Some(self.pass(true, "checking")?)
        };
        if let Some(thought) = thought
            && (args.dry_run || !thought.bad.is_empty())
        {
            thought.say(args, self.source.kind(), true);
            return Ok(thought.exit_code());
        }
        for (place, code) in (1_i64..).zip(&self.missing) {
            self.target.add_location(code, code, 1_000 + place)?;
        }
        self.missing.clear();
        let written = self.pass(false, "importing")?;
        written.say(args, self.source.kind(), false);
        Ok(if args.skip_bad {
            ExitCode::SUCCESS
        } else {
            written.exit_code()
        })
    }

    /// Goes through the file once.
    fn pass(&mut self, dry_run: bool, word: &'static str) -> Result<Report> {
        let stock = self.args.stock;
        let rules = Rules { stock, dry_run };
        let count = u64::try_from(self.source.len()).unwrap_or(u64::MAX);
        let bar = bar(count, word, "products");
        let mut report = Report::new(self.new_locations, self.source.notes());
        let mut names = Names::default();
        let mut together: Vec<Found> = Vec::with_capacity(TOGETHER);
        let (source, target, missing) = (&self.source, &mut self.target, &self.missing);
        source.walk(|step| {
            bar.inc(1);
            match step {
                Err(bad) => report.refuse(bad),
                Ok(mut found) => {
                    let mut faults = names.check(&found);
                    faults.extend(leave_out(&mut found, missing));
                    if faults.is_empty() {
                        report.notes.append(&mut found.notes);
                        together.push(found);
                    } else {
                        report.refuse(placed(source, &found, faults));
                    }
                }
            }
            if together.len() == TOGETHER {
                hand_over(&mut together, source, target, rules, &mut report)?;
            }
            Ok(())
        })?;
        hand_over(&mut together, source, target, rules, &mut report)?;
        bar.finish_and_clear();
        report.end();
        Ok(report)
    }
}

/// Faults at their places in the file.
fn placed(source: &Source, found: &Found, faults: Vec<(String, String)>) -> Vec<BadRow> {
    let place = |(pointer, reason): (String, String)| {
        let (line, column) = source.place(found, &pointer);
        BadRow {
            line,
            column,
            reason,
        }
    };
    faults.into_iter().map(place).collect()
}

/// While a file is only checked, locations that will be added are not there yet: their levels
/// are checked here, and left out. Returns what is wrong with them.
fn leave_out(found: &mut Found, missing: &[String]) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for (index, variant) in found.line.variants.iter_mut().enumerate() {
        let there =
            |level: &LevelLine| level.location.as_ref().is_none_or(|c| !missing.contains(c));
        let gone: Vec<LevelLine> = variant
            .stock
            .extract_if(.., |level| !there(level))
            .collect();
        let least = |level: &LevelLine| -level.backorder_limit.unwrap_or(0);
        for level in gone {
            let limits = [level.backorder_limit, level.low_stock_threshold];
            let bounded = limits
                .iter()
                .flatten()
                .all(|units| (0..=STOCK_MAX).contains(units));
            let stock = level.stock_quantity.unwrap_or(0);
            if !bounded || stock < least(&level) || stock > STOCK_MAX {
                let code = level.location.unwrap_or_default();
                let why = format!("the stock at {code:?} is out of bounds");
                faults.push((format!("/variants/{index}/stock/0/stock_quantity"), why));
            }
        }
    }
    faults
}

fn hand_over(
    together: &mut Vec<Found>,
    source: &Source,
    target: &mut Target,
    rules: Rules,
    report: &mut Report,
) -> Result<()> {
    if together.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = together.iter().map(|found| found.line.clone()).collect();
    let outcomes = target.take(&lines, rules)?;
    for (found, outcome) in together.drain(..).zip(outcomes) {
        match outcome {
            Outcome::Done(done) => report.count(&done),
            Outcome::Bad(faults) => {
                let faults = faults
                    .into_iter()
                    .map(|fault| (fault.pointer, fault.message));
                report.refuse(placed(source, &found, faults.collect()));
            }
        }
    }
    Ok(())
}
