//! A CSV file as rows that can be read in any order: an index of where each row stands, and the
//! cells of a row by the names of their columns.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use csv::{ByteRecord, Position, Reader, ReaderBuilder, Terminator};

/// What is wrong with a row, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadRow {
    /// The line on which the row begins, from 1.
    pub(crate) line: u64,
    /// The column, by its title.
    pub(crate) column: String,
    /// What is wrong.
    pub(crate) reason: String,
}

/// Whether the rest of a title is a name of the shop's own, which keeps its case and blanks.
fn is_exact(title: &str) -> bool {
    let kinds = ["option:", "stock:", "low_stock:", "backorder:"];
    kinds.iter().any(|kind| title.starts_with(kind))
}

/// What a title is found by.
fn key(title: &str) -> String {
    if is_exact(title) {
        title.to_owned()
    } else {
        title.to_lowercase()
    }
}

/// The titles of a file's columns.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    places: BTreeMap<String, usize>,
    /// The titles as they stand.
    pub(crate) titles: Vec<String>,
}

impl Header {
    fn new(record: &ByteRecord) -> Result<Self> {
        let mut places = BTreeMap::new();
        let mut titles = Vec::new();
        for (place, title) in record.iter().enumerate() {
            let title = std::str::from_utf8(title).context("the header is not UTF-8")?;
            let title = title
                .trim_start_matches('\u{feff}')
                .trim_end_matches('\r')
                .to_owned();
            let title = if is_exact(&title) {
                title
            } else {
                title.trim().to_owned()
            };
            if !title.is_empty() && places.insert(key(&title), place).is_some() {
                bail!("the column {title:?} stands twice in the header");
            }
            titles.push(title);
        }
        Ok(Self { places, titles })
    }

    /// Whether there is a column of one of these titles, whatever their case.
    pub(crate) fn has(&self, titles: &[&str]) -> bool {
        self.place(titles).is_some()
    }

    fn place(&self, titles: &[&str]) -> Option<usize> {
        titles
            .iter()
            .find_map(|title| self.places.get(&key(title)).copied())
    }
}

/// A row of cells.
pub(crate) struct Row<'a> {
    header: &'a Header,
    record: &'a ByteRecord,
    /// The line on which it begins.
    pub(crate) line: u64,
}

impl Row<'_> {
    /// The text of the column of one of these titles; empty when there is none.
    fn exact(&self, titles: &[&str]) -> &str {
        let cell = self
            .header
            .place(titles)
            .and_then(|place| self.record.get(place));
        // `Table::read` has seen to it that the row is UTF-8.
        let text = cell.and_then(|cell| std::str::from_utf8(cell).ok());
        text.unwrap_or_default().trim_end_matches('\r')
    }

    /// The same without blanks around it.
    pub(crate) fn text(&self, titles: &[&str]) -> &str {
        self.exact(titles).trim()
    }

    /// The same, `None` when it is empty.
    pub(crate) fn filled(&self, titles: &[&str]) -> Option<String> {
        let text = self.text(titles);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The text with the blanks around it, `None` when it is empty.
    pub(crate) fn as_it_is(&self, titles: &[&str]) -> Option<String> {
        let text = self.exact(titles);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whether all its cells are blank.
    pub(crate) fn is_blank(&self) -> bool {
        self.record.iter().all(|cell| cell.trim_ascii().is_empty())
    }

    /// What is wrong with a cell.
    pub(crate) fn bad(&self, titles: &[&str], reason: impl Into<String>) -> BadRow {
        let known = self
            .header
            .place(titles)
            .and_then(|at| self.header.titles.get(at).cloned());
        BadRow {
            line: self.line,
            column: known.unwrap_or_else(|| titles.first().copied().unwrap_or("").to_owned()),
            reason: reason.into(),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, titles: &[&str]) -> Result<Option<i64>, BadRow> {
        let text = self.text(titles);
        if text.is_empty() {
            return Ok(None);
        }
        let plain = text.trim_end_matches('0').strip_suffix('.').unwrap_or(text);
        let parsed = plain.parse().or_else(|_| text.parse());
        let wrong = |_| self.bad(titles, format!("{text:?} is not a whole number"));
        parsed.map(Some).map_err(wrong)
    }
}

/// An open file.
pub(crate) struct Table {
    reader: Reader<BufReader<File>>,
    pub(crate) header: Header,
    record: ByteRecord,
    /// Where the file ends, if its last line has no end of line.
    open_end: Option<u64>,
}

impl Table {
    /// Opens a file; what parts its cells is seen in its first line.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file =
            File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let open_end = open_end(&mut file)?;
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter(&mut file)?)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(BufReader::new(file));
        let header = Header::new(reader.byte_headers()?)?;
        Ok(Self {
            reader,
            header,
            record: ByteRecord::new(),
            open_end,
        })
    }

    /// The next row in the file, with where it stands.
    pub(crate) fn next(&mut self) -> Result<Option<(Position, Row<'_>)>> {
        let at = self.reader.position().clone();
        if !self.reader.read_byte_record(&mut self.record)? {
            return Ok(None);
        }
        // The line after the row, less its own: blank lines before it are not its own.
        let own = self
            .record
            .iter()
            .flatten()
            .filter(|byte| **byte == b'\n')
            .count();
        let after = self.reader.position();
        let ended = self.open_end != Some(after.byte());
        let own = u64::try_from(own).unwrap_or(0) + u64::from(ended);
        let line = after.line().saturating_sub(own);
        let row = Row {
            header: &self.header,
            record: &self.record,
            line,
        };
        Ok(Some((at, row)))
    }

    /// The row that stands at a place, checked: as many cells as the header, all of them UTF-8.
    pub(crate) fn read(&mut self, at: &Position) -> Result<Result<Row<'_>, BadRow>> {
        if self.reader.position().byte() != at.byte() {
            self.reader.seek(at.clone())?;
        }
        let Some((_, row)) = self.next()? else {
            bail!("the file has become shorter while it was read");
        };
        let (cells, wanted) = (row.record.len(), row.header.titles.len());
        if cells != wanted {
            let reason = format!("the row has {cells} cells, the header {wanted}");
            return Ok(Err(row.bad(&[""], reason)));
        }
        let broken = row
            .record
            .iter()
            .position(|cell| std::str::from_utf8(cell).is_err());
        if let Some(place) = broken {
            let title = row.header.titles.get(place).map_or("", String::as_str);
            return Ok(Err(row.bad(&[title], "is not UTF-8")));
        }
        Ok(Ok(row))
    }
}

/// Bytes that are looked at to tell what a file is.
const HEAD: u64 = 64 * 1024;

/// The length of a file whose last line has no end of line.
fn open_end(file: &mut File) -> Result<Option<u64>> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
    }
    file.rewind()?;
    Ok((last != *b"\n").then_some(length))
}

/// How a file begins: as much as tells what it is.
pub(crate) fn head(file: &mut File) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    file.rewind()?;
    let text = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&head);
    Ok(text.trim_ascii_start().to_vec())
}

/// What stands between the cells of a file: the mark that its first line has most of.
fn delimiter(file: &mut File) -> Result<u8> {
    let head = head(file)?;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| line.split(|byte| *byte == wanted).count();
    let marks = [b'\t', b';', b','];
    let most = marks.into_iter().max_by_key(|mark| count(*mark));
    Ok(most.unwrap_or(b','))
}
