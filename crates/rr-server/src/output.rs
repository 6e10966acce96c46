//! What a command prints: results on standard output, everything else on standard error.
//!
//! A reader that goes away (`… | head`) is no error. Colour appears on a terminal only, and not
//! there when `NO_COLOR` is set.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::Failure;

/// A line of the result.
pub(crate) fn line(text: impl AsRef<str>) {
    // A closed pipe means that nobody wants to know.
    let _ = try_line(text);
}

/// The same for who would go on for ever without a reader.
pub(crate) fn try_line(text: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.as_ref())?;
    out.flush()
}

/// A remark that is not part of the result.
pub(crate) fn note(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// The result for a program.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(text),
        Err(error) => note(format!("error: the result has no JSON form: {error}")),
    }
}

/// Why the command failed: the failure, then its causes.
pub(crate) fn complain(failure: &Failure) {
    let mut lines = failure.lines().into_iter();
    if let Some(first) = lines.next() {
        note(format!("error: {first}"));
    }
    for cause in lines {
        note(format!("  because: {cause}"));
    }
}

/// Whether people look at standard output and want colour.
pub(crate) fn is_colourful() -> bool {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !is_unwanted
}

/// How something stands, which gives a cell its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// As it should be.
    Ok,
    /// Not there, and not needed.
    Off,
    /// It works, and something should be done.
    Warning,
    /// Needed and broken.
    Broken,
}

/// A table that takes its width from the terminal, plain where there is none.
pub(crate) struct Grid {
    table: Table,
    is_colourful: bool,
}

impl Grid {
    pub(crate) fn new(titles: &[&str]) -> Grid {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let is_colourful = is_colourful();
        if is_colourful {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.force_no_tty();
        }
        table.set_header(titles.iter().map(Cell::new));
        Grid { table, is_colourful }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().collect::<Vec<_>>());
    }

    /// A cell in the colour of its standing.
    pub(crate) fn standing(&self, text: impl ToString, standing: Standing) -> Cell {
        let cell = Cell::new(text.to_string());
        if !self.is_colourful {
            return cell;
        }
        cell.fg(match standing {
            Standing::Ok => Color::Green,
            Standing::Off => Color::DarkGrey,
            Standing::Warning => Color::Yellow,
            Standing::Broken => Color::Red,
        })
    }

    pub(crate) fn print(self) {
        for text in self.table.lines() {
            line(text.trim_end());
        }
    }
}

/// A cell with text on the left.
pub(crate) fn text(content: impl ToString) -> Cell {
    Cell::new(content.to_string())
}

/// A cell with a number on the right.
pub(crate) fn number(content: impl ToString) -> Cell {
    Cell::new(content.to_string()).set_alignment(CellAlignment::Right)
}
