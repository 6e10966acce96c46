//! How far a long command is: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// The progress of one command, shown on standard error.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    label: &'static str,
    total: u64,
    /// The next tenth that is worth a line.
    next: u64,
}

impl Progress {
    /// Counts up to `total`, which is what is shown as 100 %.
    pub(crate) fn new(label: &'static str, total: u64) -> Progress {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total).with_prefix(label);
            let template = "{prefix} {wide_bar} {percent:>3} %  {elapsed} (about {eta} left)";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Progress { bar, label, total, next: 1 }
    }

    /// So much is done.
    pub(crate) fn at(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let tenth = u128::from(done) * 10 / u128::from(self.total.max(1));
        let tenth = u64::try_from(tenth).unwrap_or(10).min(10);
        if tenth >= self.next {
            output::note(format!("{}: {} %", self.label, tenth * 10));
            self.next = tenth + 1;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
