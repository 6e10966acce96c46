//! `cargo xtask bench timing`: whether the time that an answer takes tells anything about stored keys.
//!
//! After dudect: two classes of input are measured in random order, and Welch's t-test says whether their
//! times come from one distribution. Beyond ±4.5 they do not. The first row is the alarm's own test: a
//! comparison that stops at the first difference, which must be noticed. `docs/benchmarks.md` says more.
//!
//! A row that says what it should not is measured again, up to three times in all; it ends the program with 1
//! when it never said what it should.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench reads the clock and prints figures, and stops when something is odd"
)]

mod measure;
mod rows;

use std::process::ExitCode;

use measure::measure;
use rows::Measurer;

/// Measurements of each row.
const MEASUREMENTS: usize = 200_000;
/// How often a row is measured that does not say what it should.
const TRIES: usize = 3;

fn main() -> ExitCode {
    println!("| what | class A | class B | t | |\n|---|---:|---:|---:|---|");
    let mut table = Table { all_well: true };
    rows::show(&mut table);
    if table.all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints each measurement, and remembers whether every row came to say what it should.
struct Table {
    all_well: bool,
}

impl Measurer for Table {
    fn row(&mut self, name: &str, must_differ: bool, call: impl Fn(bool)) {
        self.all_well &= (0..TRIES).any(|_| {
            let times = measure(MEASUREMENTS, &call);
            let verdict = match (times.differs(), must_differ) {
                (true, true) => "noticed",
                (false, true) => "NOT NOTICED",
                (true, false) => "DIFFERS",
                (false, false) => "same",
            };
            let (a, b, t) = (times.a, times.b, times.t);
            println!("| {name} | {a:.1} ns | {b:.1} ns | {t:.1} | {verdict} |");
            times.differs() == must_differ
        });
    }
}
