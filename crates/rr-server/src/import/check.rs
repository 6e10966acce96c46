//! The first pass: read everything, write nothing.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::fault::{BadRow, FileError};
use super::reader::CsvFile;
use super::rejects::Rejects;
use super::seen::Seen;
use super::tables::{TABLES, Table};
use crate::failure::Failure;
use crate::interrupt::Stop;
use crate::progress::Progress;

/// How many bad rows are named one by one.
const NAMED: usize = 20;

/// A folder whose files have all been read.
pub(crate) struct Checked {
    pub(super) dir: PathBuf,
    /// One report for each file that is there.
    pub(crate) files: Vec<FileReport>,
    /// The first bad rows, as text.
    pub(crate) named: Vec<String>,
}

/// What a file holds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FileReport {
    pub(crate) file: &'static str,
    pub(crate) rows: u64,
    pub(crate) bad: u64,
    /// Columns that are not those of the old table; they are left out.
    pub(crate) ignored: Vec<String>,
    #[serde(skip)]
    pub(super) bytes: u64,
}

impl Checked {
    /// How many rows cannot be taken.
    pub(crate) fn bad(&self) -> u64 {
        self.files.iter().map(|file| file.bad).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Reads the files of `dir`. Bad rows also go to `rejects`, when there is such a file.
pub(crate) fn check(dir: &Path, rejects: Option<&Path>, stop: &Stop) -> Result<Checked, Failure> {
    let mut checked = Checked { dir: dir.to_path_buf(), files: Vec::new(), named: Vec::new() };
    let mut rejects = rejects.map(Rejects::create).transpose()?;
    let tables = present(dir)?;
    let total = tables.iter().map(|(_, bytes)| bytes).sum();
    let mut progress = Progress::new("checking", total);
    let mut before = 0;
    for (table, bytes) in tables {
        let path = dir.join(table.file);
        let mut file = CsvFile::open(table.file, &path, table.columns).map_err(trouble)?;
        let mut report = FileReport {
            file: table.file,
            rows: 0,
            bad: 0,
            ignored: std::mem::take(&mut file.ignored),
            bytes,
        };
        let mut seen = Seen::new();
        while let Some(fault) = check_row(table, &mut file, &mut seen).map_err(trouble)? {
            report.rows += 1;
            if let Err(bad) = fault {
                report.bad += 1;
                if checked.named.len() < NAMED {
                    checked.named.push(bad.to_string());
                }
                if let Some(rejects) = &mut rejects {
                    rejects.add(&bad, &file.present())?;
                }
            }
            if report.rows.is_multiple_of(1_024) {
                progress.at(before + file.position());
                if stop.is_asked() {
                    return Err(Failure::trouble("stopped before anything was written"));
                }
            }
        }
        before += bytes;
        checked.files.push(report);
    }
    if let Some(rejects) = rejects {
        rejects.finish()?;
    }
    Ok(checked)
}

/// The next row's fault, if it has one; `None` at the end of the file.
fn check_row(
    table: &Table,
    file: &mut CsvFile,
    seen: &mut Seen,
) -> Result<Option<Result<(), BadRow>>, FileError> {
    let Some(row) = file.next()? else { return Ok(None) };
    Ok(Some(row.and_then(|row| {
        (table.convert)(&row, seen).map(drop).map_err(|fault| BadRow {
            file: table.file,
            line: row.line,
            fault,
        })
    })))
}

/// The tables whose files are in the folder, and the files' sizes.
fn present(dir: &Path) -> Result<Vec<(&'static Table, u64)>, Failure> {
    let readable = |error: std::io::Error| {
        Failure::Trouble(
            anyhow::Error::new(error).context(format!("{} cannot be read", dir.display())),
        )
    };
    if !fs::metadata(dir).map_err(readable)?.is_dir() {
        return Err(Failure::trouble(format!("{} is not a folder", dir.display())));
    }
    let mut tables = Vec::new();
    for table in &TABLES {
        match fs::metadata(dir.join(table.file)) {
            Ok(metadata) => tables.push((table, metadata.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(readable(error)),
        }
    }
    if tables.is_empty() {
        let names: Vec<&str> = TABLES.iter().map(|table| table.file).collect();
        return Err(Failure::trouble(format!(
            "{} holds none of the files {}",
            dir.display(),
            names.join(", ")
        )));
    }
    Ok(tables)
}

pub(super) fn trouble(error: FileError) -> Failure {
    Failure::Trouble(error.into())
}
