//! The timing test of `cargo xtask bench timing`, without its verdict: a busy machine can make any time differ,
//! so what it says about ours is read by whoever runs it on a quiet one. Here its rows run, and what it would
//! say of times is held against times that are made up.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench reads the clock, and stops when something is odd"
)]

#[path = "../benches/timing/measure.rs"]
mod measure;
#[path = "../benches/timing/rows.rs"]
mod rows;

use measure::{Comparison, measure};
use rows::Measurer;

/// Counts the rows; those must be that differ.
#[derive(Default)]
struct Count {
    rows: usize,
    that_must_differ: usize,
}

impl Measurer for Count {
    fn row(&mut self, _: &str, must_differ: bool, call: impl Fn(bool)) {
        self.rows += 1;
        self.that_must_differ += usize::from(must_differ);
        measure(1_000, call);
    }
}

/// Each row checks in every call that it is answered as its name says.
#[test]
fn every_row_measures_what_it_names() {
    let mut count = Count::default();
    rows::show(&mut count);
    assert_eq!((count.rows, count.that_must_differ), (4, 1));
}

/// Times of 16 calls with noise, and those of the second class longer by so much. Some of either were interrupted.
fn made_up(longer: u64) -> Comparison {
    let times = |longer: u64| {
        (0..10_000_u64).map(move |n| {
            let interrupted = if n % 11 == 0 { 50_000 } else { 0 };
            1_000 + longer + n * 7_919 % 40 + interrupted
        })
    };
    Comparison::of([times(0).collect(), times(longer).collect()])
}

#[test]
fn a_difference_of_use_is_noticed_and_no_other() {
    assert!(!made_up(0).differs());
    assert!(made_up(0).t.abs() < 0.01);
    let small = made_up(6);
    assert!(small.t.abs() > 4.5 && !small.differs(), "less than half a nanosecond: {small:?}");
    let leak = made_up(16);
    assert!(leak.differs() && leak.a < leak.b && leak.t < -4.5, "a nanosecond a call: {leak:?}");
}
