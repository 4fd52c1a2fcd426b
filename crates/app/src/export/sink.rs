//! Rows on their way out, as CSV or as NDJSON.

use std::io::{BufWriter, Write};

use anyhow::Result;
use serde_json::{Map, Value};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated, with a header (RFC 4180)
    Csv,
    /// A JSON object a line
    Ndjson,
}

impl Format {
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// Where rows go.
pub(super) struct Sink {
    pub(super) format: Format,
    columns: Vec<String>,
    out: Out,
    rows: u64,
}

enum Out {
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    Lines(BufWriter<Box<dyn Write>>),
}

impl Sink {
    pub(super) fn new(out: Box<dyn Write>, format: Format) -> Self {
        let out = match format {
            Format::Csv => Out::Csv(Box::new(csv::Writer::from_writer(out))),
            Format::Ndjson => Out::Lines(BufWriter::new(out)),
        };
        Self {
            format,
            columns: Vec::new(),
            out,
            rows: 0,
        }
    }

    /// Names the columns of the rows that follow.
    pub(super) fn columns<S: AsRef<str>>(&mut self, names: &[S]) -> Result<()> {
        self.columns = names.iter().map(|name| name.as_ref().to_owned()).collect();
        if let Out::Csv(csv) = &mut self.out {
            csv.write_record(&self.columns)?;
        }
        Ok(())
    }

    /// Writes a row, a value a column.
    pub(super) fn row(&mut self, values: &[Value]) -> Result<()> {
        self.rows += 1;
        match &mut self.out {
            Out::Csv(csv) => csv.write_record(values.iter().map(cell))?,
            Out::Lines(lines) => {
                let members: Map<String, Value> = self
                    .columns
                    .iter()
                    .cloned()
                    .zip(values.iter().cloned())
                    .collect();
                writeln!(lines, "{}", Value::Object(members))?;
            }
        }
        Ok(())
    }

    /// Writes an object as a line of its own.
    pub(super) fn object(&mut self, bytes: &[u8]) -> Result<()> {
        self.rows += 1;
        if let Out::Lines(lines) = &mut self.out {
            lines.write_all(bytes)?;
            lines.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Ends; how many rows there were.
    pub(super) fn finish(self) -> Result<u64> {
        match self.out {
            Out::Csv(mut csv) => csv.flush()?,
            Out::Lines(mut lines) => lines.flush()?,
        }
        Ok(self.rows)
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
