//! What figures cost at any size: invented histories of different sizes side by side in one run,
//! rounds interleaved, medians, ratios.
//!
//! `cargo xtask bench figures` builds what this needs and runs it; `cargo bench -p rr-tests --bench figures --
//! --only writes` runs one of its parts (`reads`, `http`, `start`). The histories are made once and kept in
//! `target/bench`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that goes wrong should say so and stop"
)]

mod histories;
mod over_http;
mod reads;
mod start;
mod writes;

use std::time::{Duration, Instant};

use histories::History;
use rr_tests::measure::serve_if_asked;

fn main() {
    if serve_if_asked() {
        return;
    }
    let sizes = list("--sizes").unwrap_or_else(|| vec![1_000, 100_000, 1_000_000]);
    let rounds = list("--rounds").map_or(5, |rounds| rounds[0]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let only = argument("--only");
    let wants = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let histories: Vec<History> = sizes.into_iter().map(histories::kept).collect();
    runtime.block_on(async {
        if wants("reads") {
            reads::measure(&histories, rounds).await;
        }
        if wants("http") {
            over_http::measure(&histories, rounds).await;
        }
        if wants("start") {
            start::measure(&histories, rounds).await;
        }
        if wants("writes") {
            writes::measure(&histories, rounds).await;
        }
    });
}

fn list(name: &str) -> Option<Vec<u64>> {
    argument(name)?.split(',').map(|number| number.parse().ok()).collect()
}

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// How long something takes in nanoseconds, each of so many times.
fn nanos_each(times: u32, mut work: impl FnMut(u32)) -> u64 {
    let started = Instant::now();
    (0..times).for_each(&mut work);
    nanos(started.elapsed()) / u64::from(times)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn median(figures: &[u64]) -> u64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// Nanoseconds as people read them.
fn time(nanos: u64) -> String {
    match nanos {
        0..10_000 => format!("{nanos} ns"),
        10_000..10_000_000 => format!("{} µs", nanos / 1_000),
        _ => format!("{} ms", nanos / 1_000_000),
    }
}

/// A ratio with two decimals, in integers.
fn ratio(one: u64, other: u64) -> String {
    let hundredths = one.saturating_mul(100) / other.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// One row: the medians of each size, and the last of them over the first.
fn print_sizes(what: &str, figures: &[Vec<u64>]) {
    let medians: Vec<u64> = figures.iter().map(|figures| median(figures)).collect();
    let cells: Vec<String> = medians.iter().map(|nanos| format!("{:>11}", time(*nanos))).collect();
    let ends = medians.first().zip(medians.last());
    let ratio = ends.map_or_else(String::new, |(first, last)| ratio(*last, *first));
    println!("{what:<44}{} {ratio:>9}", cells.concat());
}
