//! `cargo xtask bench keys`: what a check costs, beside what its parts would cost without us.
//!
//! Every row and its yardstick are measured in turn, round by round, in one run, because two runs on one
//! machine differ by more than the things compared. `docs/benchmarks.md` says how to read the table.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a bench prints ratios of nanoseconds, and stops when something is odd"
)]

mod keys;
mod measure;
mod memory;
mod threads;
mod yardstick;

use std::hint::black_box;

use keys::Keys;
use measure::{Row, pairs};
use rr_keys::KeyFormat;
use yardstick::PlainMap;

const HOT: usize = 64;
const MANY: usize = 1_000_000;

fn main() {
    // First, while nothing else has grown and shrunk the heap.
    let (many, bytes) = memory::per_key(MANY);
    let hot = Keys::new(HOT);

    println!("{}", measure::HEAD);
    row(&against_plain_map("warm check, 64 hot keys", &hot, 1.5));
    row(&against_plain_map("warm check, 10^6 keys at random", &many, 1.3));
    row(&threads::two_against_one(&hot, 1.8));
    for garbage in garbage() {
        row(&garbage);
    }
    row(&Row::figure("memory of a cached key, bytes", bytes, 200.0));
    yardsticks(&hot, "64 hot");
    yardsticks(&many, "10^6 random");
}

fn row(row: &Row) {
    println!("{row}");
}

/// A warm check against SHA-256 of the same bytes and one look-up in a plain map of the same size.
fn against_plain_map(name: &str, keys: &Keys, goal: f64) -> Row {
    let map = PlainMap::of(keys);
    let samples = pairs(
        keys,
        |text| assert!(keys.check(black_box(text)), "every key is good"),
        |text| {
            black_box(map.get(&yardstick::sha256(black_box(text))).unwrap());
        },
    );
    Row::ratio(name, &samples, goal)
}

/// Texts that nobody issued, each of a kind that needs no look-up to be refused.
fn garbage() -> Vec<Row> {
    let keys = Keys::new(HOT);
    let odd = |name: &str, spoil: &dyn Fn(&str) -> String| {
        let texts = keys.spoiled(spoil);
        let samples = pairs(
            &texts,
            |text| assert!(!texts.check(black_box(text)), "no garbage is a key"),
            |text| assert!(KeyFormat::REVENUE_RIPPLE.parse(black_box(text)).is_err()),
        );
        Row::nanoseconds(&format!("garbage refused | by the format alone: {name}"), &samples, 60.0)
    };
    vec![
        odd("one wrong check digit", &|key| {
            let last = if key.ends_with('0') { '1' } else { '0' };
            format!("{}{last}", &key[..key.len() - 1])
        }),
        odd("another length", &|key| key[..key.len() - 2].to_owned()),
        odd("another prefix", &|key| key.replacen("rr_", "xx_", 1)),
    ]
}

/// The parts by themselves, for comparison with other machines.
fn yardsticks(keys: &Keys, name: &str) {
    let map = PlainMap::of(keys);
    let samples = pairs(
        keys,
        |text| {
            black_box(yardstick::sha256(black_box(text)));
        },
        |text| {
            black_box(map.get(&yardstick::sha256(black_box(text))).unwrap());
        },
    );
    println!("{}", Row::plain(&format!("yardstick: SHA-256 | and a plain map, {name}"), &samples));
}
