//! A file as a sequence of products: the rows of each gathered from wherever they stand, without
//! the file being held in memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use csv::Position;
use domain::rejection::Fault;
use wire::input::{BodyError, ImportLine, parse};

use super::layout::{Defaults, Found, Group, Layout};
use super::table::{BadRow, Header, Table, head};

/// What one step through a file gives.
pub(crate) type Step = std::result::Result<Found, Vec<BadRow>>;

/// A file that can be gone through as often as one likes.
pub(crate) enum Source {
    /// Rows in columns.
    Csv {
        path: PathBuf,
        layout: Layout,
        header: Header,
        /// Where the rows of each product stand, products in the order of their first row.
        groups: Vec<Vec<Position>>,
        /// What was passed over, for people.
        notes: Vec<String>,
        defaults: Defaults,
    },
    /// A product a line.
    Ndjson { path: PathBuf, lines: usize },
}

impl Source {
    /// Looks through a file: what it is, and how many products it has.
    pub(crate) fn open(path: &Path, layout: Option<Layout>, defaults: Defaults) -> Result<Self> {
        let mut file =
            File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        if layout.is_none() && head(&mut file)?.first() == Some(&b'{') {
            let full = |line: &std::io::Result<Vec<u8>>| {
                line.as_ref()
                    .map_or(true, |line| !line.trim_ascii().is_empty())
            };
            let lines = BufReader::new(file).split(b'\n').filter(full).count();
            let path = path.to_owned();
            return Ok(Self::Ndjson { path, lines });
        }
        let mut table = Table::open(path)?;
        let header = table.header.clone();
        let Some(layout) = layout.or_else(|| Layout::of(&header)) else {
            bail!(
                "the columns of {} are none that are known; see docs/importing.md, or name them with --layout",
                path.display()
            );
        };
        let (groups, notes) = index(&mut table, layout)?;
        Ok(Self::Csv {
            path: path.to_owned(),
            layout,
            header,
            groups,
            notes,
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

    /// What was passed over.
    pub(crate) fn notes(&self) -> Vec<String> {
        match self {
            Self::Csv { notes, .. } => notes.clone(),
            Self::Ndjson { .. } => Vec::new(),
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
                layout,
                header,
                groups,
                defaults,
                notes: _,
            } => {
                let mut table = Table::open(path)?;
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
fn index(table: &mut Table, layout: Layout) -> Result<(Vec<Vec<Position>>, Vec<String>)> {
    let mut groups: Vec<Vec<Position>> = Vec::new();
    let mut notes = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    while let Some((at, row)) = table.next()? {
        if row.is_blank() {
            continue;
        }
        let names = match layout.group(&row) {
            Group::PassOver(why) => {
                notes.push(format!("line {}: {why}", row.line));
                continue;
            }
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
    Ok((groups, notes))
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
    let lines = BufReader::new(File::open(path)?).split(b'\n');
    for (number, bytes) in (1..).zip(lines) {
        let bytes = bytes?;
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        each(read_line(bytes, number))?;
    }
    Ok(())
}

fn read_line(bytes: &[u8], number: u64) -> Step {
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
    let read = value.and_then(ImportLine::read);
    let faults = |faults: Vec<Fault>| faults.into_iter().map(bad).collect::<Vec<_>>();
    let line = read.map_err(faults)?;
    Ok(Found {
        variants_at: vec![number; line.variants.len()],
        line,
        at: number,
        notes: Vec::new(),
    })
}

/// Where each handle and code of a file was seen first: two products cannot share one.
#[derive(Default)]
pub(crate) struct Names {
    handles: HashMap<String, u64>,
    skus: HashMap<String, u64>,
}

impl Names {
    /// What is wrong with the names of a product, given those before it: the variant's place or
    /// none, the field, and why.
    pub(crate) fn check(&mut self, found: &Found) -> Vec<(String, String)> {
        let mut bad = Vec::new();
        if let Some(handle) = &found.line.handle {
            let first = *self.handles.entry(handle.clone()).or_insert(found.at);
            if first != found.at {
                let why = format!("the handle {handle:?} stands on line {first} already");
                bad.push(("/handle".to_owned(), why));
            }
        }
        let variants = found.line.variants.iter().zip(&found.variants_at);
        for (place, (variant, line)) in variants.enumerate() {
            let Some(sku) = &variant.sku else { continue };
            let first = *self.skus.entry(sku.clone()).or_insert(*line);
            if first != *line {
                let why = format!("the SKU {sku:?} stands on line {first} already");
                bad.push((format!("/variants/{place}/sku"), why));
            }
        }
        bad
    }
}
