//! A file as a sequence of products: the rows of each gathered from wherever they stand, without
//! the file being held in memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use csv::Position;
use domain::rejection::Fault;
use wire::input::{BodyError, ImportLine, Shape, parse};

use super::layout::{Defaults, Found, Group, Layout};
use super::table::{BadRow, Header, Table};

/// What one step through a file gives.
pub(crate) type Step = std::result::Result<Found, Vec<BadRow>>;

/// A file that can be gone through as often as one likes.
pub(crate) enum Source {
    /// Rows in columns.
    Csv {
        path: PathBuf,
        delimiter: u8,
        layout: Layout,
        header: Header,
        /// Where the rows of each product stand, products in the order of their first row.
        groups: Vec<Vec<Position>>,
        defaults: Defaults,
    },
    /// A product a line.
    Ndjson { path: PathBuf, lines: usize },
}

impl Source {
    /// Looks through a file: what it is, and how many products it has.
    pub(crate) fn open(path: &Path, layout: Option<Layout>, defaults: Defaults) -> Result<Self> {
        let file =
            File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let mut reader = BufReader::new(file);
        let start = reader.fill_buf()?;
        let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
        if layout.is_none() && first == Some(&b'{') {
            let full = |line: &std::io::Result<Vec<u8>>| {
                line.as_ref()
                    .map_or(true, |line| !line.trim_ascii().is_empty())
            };
            let lines = reader.split(b'\n').filter(full).count();
            let path = path.to_owned();
            return Ok(Self::Ndjson { path, lines });
        }
        let head = start
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let count = |wanted: u8| head.split(|byte| *byte == wanted).count();
        let delimiter = [b',', b';', b'\t']
            .into_iter()
            .max_by_key(|byte| (count(*byte), *byte == b','));
        let delimiter = delimiter.unwrap_or(b',');
        let mut table = Table::open(path, delimiter)?;
        let header = table.header.clone();
        let Some(layout) = layout.or_else(|| Layout::of(&header)) else {
            bail!(
                "the columns of {} are none that are known; see docs/importing.md, or name them with --layout",
                path.display()
            );
        };
        let groups = index(&mut table, layout)?;
        Ok(Self::Csv {
            path: path.to_owned(),
            delimiter,
            layout,
            header,
            groups,
            defaults,
        })
    }

    /// How many products there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Csv { groups, .. } => groups.len(),
            Self::Ndjson { lines, .. } => *lines,
        }
    }

    /// What the file is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Csv { layout, .. } => match layout {
                Layout::Stockhold => "CSV in our own layout",
                Layout::Shopify => "CSV in Shopify's layout",
                Layout::Woocommerce => "CSV in WooCommerce's layout",
            },
            Self::Ndjson { .. } => "NDJSON",
        }
    }

    /// The locations that its columns name.
    pub(crate) fn locations(&self) -> Vec<String> {
        match self {
            Self::Csv { header, .. } => super::layout::locations(header),
            Self::Ndjson { .. } => Vec::new(),
        }
    }

    /// Where a fault of a product stands in the file.
    pub(crate) fn place(&self, found: &Found, pointer: &str) -> (u64, String) {
        let mut parts = pointer.split('/').skip(1);
        let variant = match (parts.next(), parts.next()) {
            (Some("variants"), Some(index)) => index.parse::<usize>().ok(),
            _ => None,
        };
        let line = variant.and_then(|index| found.variants_at.get(index));
        let column = match self {
            Self::Csv { layout, .. } => layout.column(pointer),
            Self::Ndjson { .. } => pointer.to_owned(),
        };
        (*line.unwrap_or(&found.at), column)
    }

    /// Goes through the products once, in the file's order.
    pub(crate) fn walk(&self, mut each: impl FnMut(Step) -> Result<()>) -> Result<()> {
        match self {
            Self::Csv {
                path,
                delimiter,
                layout,
                header,
                groups,
                defaults,
            } => {
                let mut table = Table::open(path, *delimiter)?;
                for rows in groups {
                    each(gather(&mut table, rows, *layout, (header, defaults))?)?;
                }
                Ok(())
            }
            Self::Ndjson { path, .. } => walk_lines(path, each),
        }
    }
}

/// Where the rows of each product stand.
fn index(table: &mut Table, layout: Layout) -> Result<Vec<Vec<Position>>> {
    let mut groups: Vec<Vec<Position>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    while let Some((at, row)) = table.next()? {
        let names = match layout.group(&row) {
            Group::Skip => continue,
            Group::Alone => Vec::new(),
            Group::Of(name) => vec![name],
            Group::Is(names) => names,
        };
        let group = names.iter().find_map(|name| known.get(name).copied());
        let group = group.unwrap_or(groups.len());
        if group == groups.len() {
            groups.push(Vec::with_capacity(1));
        }
        for name in names {
            known.entry(name).or_insert(group);
        }
        groups[group].push(at);
    }
    Ok(groups)
}

/// One product of its rows; all that is wrong with them.
fn gather(
    table: &mut Table,
    rows: &[Position],
    layout: Layout,
    (header, defaults): (&Header, &Defaults),
) -> Result<Step> {
    let mut found = Found::default();
    let mut bad = Vec::new();
    for at in rows {
        let taken = match table.read(at)? {
            Ok(row) => layout.take(&mut found, header, &row, defaults),
            Err(bad) => Err(bad),
        };
        bad.extend(taken.err());
    }
    Ok(if bad.is_empty() { Ok(found) } else { Err(bad) })
}

fn walk_lines(path: &Path, mut each: impl FnMut(Step) -> Result<()>) -> Result<()> {
    let shape = Shape::compile(&ImportLine::schema());
    let lines = BufReader::new(File::open(path)?).split(b'\n');
    for (number, bytes) in (1..).zip(lines) {
        let bytes = bytes?;
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        each(read_line(&bytes, number, &shape))?;
    }
    Ok(())
}

fn read_line(bytes: &[u8], number: u64, shape: &Shape) -> Step {
    let bad = |fault: Fault| BadRow {
        line: number,
        column: fault.pointer,
        reason: fault.message,
    };
    let malformed = |message: String| {
        let pointer = String::new();
        vec![Fault { pointer, message }]
    };
    let value = parse(bytes).map_err(|error| match error {
        BodyError::Malformed(why) => malformed(why),
        BodyError::Invalid(faults) => faults,
    });
    let read = value.and_then(|value| ImportLine::read(value, shape));
    let faults = |faults: Vec<Fault>| faults.into_iter().map(bad).collect::<Vec<_>>();
    let line = read.map_err(faults)?;
    Ok(Found {
        variants_at: vec![number; line.variants.len()],
        line,
        at: number,
        notes: Vec::new(),
    })
}

/// Where each code of a file was seen first: two products cannot share one.
#[derive(Default)]
pub(crate) struct Codes(HashMap<String, u64>);

impl Codes {
    /// What is wrong with the codes of a product, given those before it.
    pub(crate) fn check(&mut self, found: &Found, column: &str) -> Vec<BadRow> {
        let mut bad = Vec::new();
        for (variant, line) in found.line.variants.iter().zip(&found.variants_at) {
            let Some(sku) = &variant.sku else { continue };
            let first = *self.0.entry(sku.clone()).or_insert(*line);
            if first != *line {
                bad.push(BadRow {
                    line: *line,
                    column: column.to_owned(),
                    reason: format!("the SKU {sku:?} stands on line {first} already"),
                });
            }
        }
        bad
    }
}
