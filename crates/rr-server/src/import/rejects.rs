//! The file of rejects: what `--skip-bad` did not take, and why.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use csv::{Writer, WriterBuilder};

use super::fault::BadRow;

/// A CSV file with the columns file, line, column, reason, followed by the row as it stood.
pub(super) struct Rejects {
    path: PathBuf,
    writer: Writer<File>,
}

impl Rejects {
    /// Makes the file, or empties the one of an earlier import.
    pub(super) fn create(path: &Path) -> anyhow::Result<Rejects> {
        let writer = WriterBuilder::new()
            .flexible(true)
            .from_path(path)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        let mut rejects = Rejects { path: path.to_path_buf(), writer };
        rejects.write(&["file", "line", "column", "reason", "row"].map(str::to_owned))?;
        Ok(rejects)
    }

    pub(super) fn add(&mut self, bad: &BadRow, fields: &[String]) -> anyhow::Result<()> {
        let mut record = vec![
            bad.file.to_owned(),
            bad.line.to_string(),
            bad.fault.column.to_owned(),
            bad.fault.reason.clone(),
        ];
        record.extend_from_slice(fields);
        self.write(&record)
    }

    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.writer.flush().with_context(|| format!("{} cannot be written", self.path.display()))
    }

    fn write(&mut self, record: &[String]) -> anyhow::Result<()> {
        self.writer
            .write_record(record)
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }
}
