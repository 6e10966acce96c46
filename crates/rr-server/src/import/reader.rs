//! One CSV file: its header matched to the columns we know, its rows one at a time.

use std::fs::File;
use std::io;
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::fault::{BadRow, Fault, FileError};
use super::lines::Lines;

/// A column of an old table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Whether the file is refused without it. (A required column may still hold empty fields.)
    pub(super) is_required: bool,
}

/// A column that must be there.
pub(super) const fn needed(name: &'static str) -> Column {
    Column { name, is_required: true }
}

/// A column that may be absent.
pub(super) const fn optional(name: &'static str) -> Column {
    Column { name, is_required: false }
}

/// A CSV file that is being read.
pub(super) struct CsvFile {
    name: &'static str,
    reader: Reader<Lines<File>>,
    header: Header,
    record: ByteRecord,
    /// Columns of the file that the old table did not have.
    pub(super) ignored: Vec<String>,
}

/// Where each known column stands in this file.
struct Header {
    positions: Vec<(&'static str, usize)>,
    width: usize,
}

/// One row of the file.
pub(super) struct Row<'a> {
    header: &'a Header,
    record: &'a ByteRecord,
    /// The line of the file on which it begins.
    pub(super) line: u64,
}

impl CsvFile {
    /// Opens `path` and reads the header.
    pub(super) fn open(
        name: &'static str,
        path: &Path,
        columns: &[Column],
    ) -> Result<CsvFile, FileError> {
        let unreadable = |error: io::Error| FileError::Unreadable { name, source: error };
        let file = File::open(path).map_err(unreadable)?;
        // Row lengths are checked by us, so that a short row is a bad row and not the end.
        let mut reader =
            ReaderBuilder::new().flexible(true).has_headers(false).from_reader(Lines::new(file));
        let mut titles = ByteRecord::new();
        let has_header = reader
            .read_byte_record(&mut titles)
            .map_err(|error| FileError::Unreadable { name, source: error.into() })?;
        if !has_header {
            return Err(FileError::Empty { name });
        }
        let (header, ignored) = match_columns(name, &titles, columns)?;
        Ok(CsvFile { name, reader, header, record: ByteRecord::new(), ignored })
    }

    /// The next row that has as many fields as the header, or what is wrong with it.
    pub(super) fn next(&mut self) -> Result<Option<Result<Row<'_>, BadRow>>, FileError> {
        let name = self.name;
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| FileError::Unreadable { name, source: error.into() })?;
        if !more {
            return Ok(None);
        }
        let from = self.record.position().map_or(0, csv::Position::byte);
        let line = self.reader.get_mut().line_from(from);
        if self.record.len() != self.header.width {
            let reason = format!(
                "has {} fields where the header has {}",
                self.record.len(),
                self.header.width
            );
            let fault = Fault { column: "", reason };
            return Ok(Some(Err(BadRow { file: name, line, fault })));
        }
        Ok(Some(Ok(Row { header: &self.header, record: &self.record, line })))
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The present row as it stood in the file, field by field, for the file of rejects.
    pub(super) fn present(&self) -> Vec<String> {
        self.record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect()
    }
}

impl<'a> Row<'a> {
    /// The text of a column, without surrounding space; `None` when it is empty or the file does
    /// not have the column.
    pub(super) fn text(&self, column: &'static str) -> Result<Option<&'a str>, Fault> {
        let position = self.header.positions.iter().find(|(name, _)| *name == column);
        let Some(field) = position.and_then(|(_, position)| self.record.get(*position)) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(field).map_err(|_| Fault::new(column, "is not UTF-8"))?;
        if text.contains('\0') {
            return Err(Fault::new(column, "holds a NUL character"));
        }
        Ok(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    /// A column read by `parse`; `None` when it is empty.
    pub(super) fn optional<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        parse(text).map(Some).map_err(|reason| Fault { column, reason })
    }

    /// A column read by `parse`; an empty field is a fault.
    pub(super) fn required<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Fault> {
        self.optional(column, parse)?.ok_or_else(|| Fault::new(column, "is empty"))
    }
}

fn match_columns(
    name: &'static str,
    titles: &ByteRecord,
    columns: &[Column],
) -> Result<(Header, Vec<String>), FileError> {
    let mut positions: Vec<(&'static str, usize)> = Vec::new();
    let mut ignored = Vec::new();
    for (position, title) in titles.iter().enumerate() {
        let title = String::from_utf8_lossy(title).trim().to_lowercase();
        match columns.iter().find(|column| column.name == title) {
            Some(column) if positions.iter().any(|(known, _)| *known == column.name) => {
                return Err(FileError::Twice { name, column: column.name });
            }
            Some(column) => positions.push((column.name, position)),
            None => ignored.push(title),
        }
    }
    let is_there = |column: &Column| positions.iter().any(|(known, _)| *known == column.name);
    match columns.iter().find(|column| column.is_required && !is_there(column)) {
        Some(column) => Err(FileError::Missing { name, column: column.name }),
        None => Ok((Header { positions, width: titles.len() }, ignored)),
    }
}
