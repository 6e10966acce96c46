//! `import`: the CSV files that the old database exports.
//!
//! Two passes. The first reads every file and writes nothing: what is wrong is named by file,
//! line, column and reason, and one bad row stops the import. The second writes in batches. What a
//! row becomes has ids derived from the row, so a second import, or the rest of one that was
//! stopped, changes nothing that is there. Memory is bounded by a batch, and sixteen bytes for
//! each value that must not occur twice.

mod check;
mod fault;
mod field;
mod lines;
mod reader;
mod rejects;
mod seen;
mod tables;
mod write;

pub(crate) use check::{Checked, check};
pub(crate) use write::write;

#[cfg(test)]
mod tests;
