//! The second pass: write what the first one found to be good.

use rr_store::{Audit, Store};

use super::check::{Checked, trouble};
use super::fault::FileError;
use super::reader::CsvFile;
use super::seen::Seen;
use super::tables::TABLES;
use crate::bulk::{self, Sink, Unwanted, Written};
use crate::failure::Failure;
use crate::interrupt::Stop;
use crate::progress::Progress;

/// Writes the good rows of the checked files; without `skip_bad` all of them must be good.
pub(crate) async fn write(
    checked: Checked,
    skip_bad: bool,
    store: &Store,
    audit: &Audit,
    stop: &Stop,
) -> Result<Written, Failure> {
    let (written, outcome) =
        bulk::write(store, audit, stop, move |sink| read(&checked, skip_bad, sink)).await?;
    match outcome {
        Some(Ok(())) => Ok(written),
        Some(Err(failure)) => Err(failure),
        None => Err(Failure::trouble(format!(
            "stopped after {} users and {} facts; import again to bring in the rest",
            written.users, written.facts
        ))),
    }
}

/// Hands every good row to the sink. The outer error is "nobody wants more", the inner one is ours.
fn read(
    checked: &Checked,
    skip_bad: bool,
    sink: &mut Sink,
) -> Result<Result<(), Failure>, Unwanted> {
    let mut progress = Progress::new("writing", checked.bytes());
    let mut before = 0;
    for report in &checked.files {
        let Some(table) = TABLES.iter().find(|table| table.file == report.file) else { continue };
        let path = checked.dir.join(table.file);
        let mut file = match CsvFile::open(table.file, &path, table.columns) {
            Ok(file) => file,
            Err(error) => return Ok(Err(trouble(error))),
        };
        let mut seen = Seen::new();
        let mut rows = 0_u64;
        loop {
            let items = match file.next() {
                Ok(Some(Ok(row))) => (table.convert)(&row, &mut seen).ok(),
                Ok(Some(Err(_))) => None,
                Ok(None) => break,
                Err(error) => return Ok(Err(trouble(error))),
            };
            match items {
                Some(items) => sink.push(items)?,
                None if skip_bad => {}
                None => return Ok(Err(changed(table.file))),
            }
            rows += 1;
            if rows.is_multiple_of(1_024) {
                progress.at(before + file.position());
            }
        }
        before += report.bytes;
    }
    Ok(Ok(()))
}

/// The first pass found every row good, so this is not the file it read.
fn changed(name: &'static str) -> Failure {
    let source = std::io::Error::other("it was changed while it was being imported");
    trouble(FileError::Unreadable { name, source })
}
