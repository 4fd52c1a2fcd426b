//! What commands print.

use std::io::Write as _;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// Prints a line on standard output. Whoever reads it may have seen enough and be gone.
pub(crate) fn line(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Prints rows under their titles, each column as wide as its widest cell.
pub(crate) fn table(titles: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells.chain([titles[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let print = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        line(padded.join("  ").trim_end());
    };
    print(&mut titles.iter().copied());
    for row in rows {
        print(&mut row.iter().map(String::as_str));
    }
}

/// Measures how long something takes, for people to read.
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "shown to people, decides nothing"
    )]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// A bar on standard error, with the rate and the time left; hidden where nobody looks.
pub(crate) fn bar(count: u64, word: &'static str, unit: &str) -> ProgressBar {
    let bar = ProgressBar::new(count);
    let template = format!("{{msg}} [{{bar:40}}] {{pos}}/{{len}} {unit}  {{rate}}/s  {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // What cannot be shown is left out.
            let _written = write!(out, "{:.0}", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
    }
    bar.set_message(word);
    bar
}
