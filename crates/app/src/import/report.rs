//! What an import came to, for people and for machines.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::table::{BadRow, Header, Table};
use crate::cli::ImportArgs;
use crate::commands::{Stopwatch, line};

/// Bad rows that are listed; all are counted.
const BAD_SHOWN: usize = 50;
/// Notes that are listed.
const NOTES_SHOWN: usize = 10;

/// Counts of one pass.
pub(crate) struct Report {
    created: u64,
    updated: u64,
    unchanged: u64,
    variants_created: u64,
    variants_updated: u64,
    levels_set: u64,
    locations_added: usize,
    /// Products that were refused.
    refused: u64,
    /// What is wrong with them.
    pub(crate) bad: Vec<BadRow>,
    /// What was changed on the way.
    pub(crate) notes: Vec<String>,
    watch: Stopwatch,
    seconds: f64,
}

impl Report {
    pub(crate) fn new(locations_added: usize, notes: Vec<String>) -> Self {
        Self {
            created: 0,
            updated: 0,
            unchanged: 0,
            variants_created: 0,
            variants_updated: 0,
            levels_set: 0,
            locations_added,
            refused: 0,
            bad: Vec::new(),
            notes,
            watch: Stopwatch::start(),
            seconds: 0.0,
        }
    }

    /// Takes in what a product came to.
    pub(crate) fn count(&mut self, done: &Value) {
        match done["outcome"].as_str() {
            Some("created") => self.created += 1,
            Some("updated") => self.updated += 1,
            _ => self.unchanged += 1,
        }
        let number = |name: &str| done[name].as_u64().unwrap_or(0);
        self.variants_created += number("variants_created");
        self.variants_updated += number("variants_updated");
        self.levels_set += number("levels_set");
    }

    /// Takes in what is wrong with a product.
    pub(crate) fn refuse(&mut self, bad: Vec<BadRow>) {
        self.refused += 1;
        self.bad.extend(bad);
    }

    pub(crate) fn end(&mut self) {
        self.seconds = self.watch.seconds();
    }

    /// 1 when something is wrong with the file.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.bad.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        }
    }

    /// Prints it. `thought`: nothing was written.
    pub(crate) fn say(&self, args: &ImportArgs, kind: &str, thought: bool) {
        if args.shop.json {
            line(&self.json(thought).to_string());
            return;
        }
        for bad in self.bad.iter().take(BAD_SHOWN) {
            line(&format!(
                "line {}, {}: {}",
                bad.line, bad.column, bad.reason
            ));
        }
        if self.bad.len() > BAD_SHOWN {
            line(&format!("… and {} more.", self.bad.len() - BAD_SHOWN));
        }
        for note in self.notes.iter().take(NOTES_SHOWN) {
            line(&format!("note: {note}"));
        }
        if self.notes.len() > NOTES_SHOWN {
            line(&format!(
                "… and {} more notes.",
                self.notes.len() - NOTES_SHOWN
            ));
        }
        let would = if thought { "would be " } else { "" };
        line(&format!(
            "{kind}: {} products {would}created, {} updated, {} unchanged; {} variants {would}created, \
             {} updated; {} stock levels {would}set; {} locations {would}added; {:.1} s.",
            self.created,
            self.updated,
            self.unchanged,
            self.variants_created,
            self.variants_updated,
            self.levels_set,
            self.locations_added,
            self.seconds,
        ));
        if !self.bad.is_empty() {
            let refused = self.refused;
            line(&if thought && !args.dry_run {
                format!(
                    "{refused} products are bad: nothing was written. Mend them, or take the others with --skip-bad."
                )
            } else if thought {
                format!("{refused} products are bad.")
            } else {
                format!("{refused} bad products were left out.")
            });
        }
    }

    fn json(&self, thought: bool) -> Value {
        let bad =
            |bad: &BadRow| json!({"line": bad.line, "column": bad.column, "reason": bad.reason});
        json!({
            "written": !thought,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "variants_created": self.variants_created,
            "variants_updated": self.variants_updated,
            "levels_set": self.levels_set,
            "locations_added": self.locations_added,
            "refused": self.refused,
            "bad": self.bad.iter().map(bad).collect::<Vec<_>>(),
            "notes": self.notes,
            "seconds": self.seconds,
        })
    }
}

/// A location of a file.
pub(crate) struct Place {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) priority: i64,
}

fn has_locations(header: &Header) -> bool {
    header.has(&["code"]) && header.has(&["priority"])
}

/// Whether a file lists locations, as `stockhold export locations` writes them.
pub(crate) fn is_locations(path: &Path) -> bool {
    let table = Table::open(path);
    table.is_ok_and(|table| has_locations(&table.header))
}

/// The locations of a file.
pub(crate) fn read_locations(path: &Path) -> Result<Vec<Place>> {
    let mut table = Table::open(path)?;
    let mut places: Vec<Place> = Vec::new();
    while let Some((_, row)) = table.next()? {
        let code = row.text(&["code"]).to_owned();
        let twice = places.iter().any(|known| known.code == code);
        if code.is_empty() || twice {
            let why = if twice { "stands twice" } else { "is required" };
            bail!("line {}, code: {why}", row.line);
        }
        let name = row.filled(&["name"]).unwrap_or_else(|| code.clone());
        let priority = row.integer(&["priority"]);
        let priority =
            priority.map_err(|bad| anyhow::anyhow!("line {}: {}", bad.line, bad.reason))?;
        places.push(Place {
            code,
            name,
            priority: priority.unwrap_or_default(),
        });
    }
    Ok(places)
}

/// Prints what became of a file of locations.
pub(crate) fn say_locations(added: usize, unchanged: usize, args: &ImportArgs) {
    if args.shop.json {
        let written = !args.dry_run;
        line(
            &json!({"written": written, "locations_added": added, "unchanged": unchanged})
                .to_string(),
        );
    } else {
        let would = if args.dry_run { "would be " } else { "" };
        line(&format!(
            "{added} locations {would}added, {unchanged} there already."
        ));
    }
}
