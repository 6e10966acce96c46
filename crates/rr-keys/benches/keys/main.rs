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
use measure::{Row, Samples, pairs};
use memory::Weighed;
use rr_keys::KeyFormat;
use yardstick::PlainMap;

const HOT: usize = 64;
const MANY: usize = 1_000_000;

/// `cargo bench --bench keys -- hot` measures what has `hot` in its name, and nothing else.
fn main() {
    let parts: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| name.contains(part));
    println!("{}", measure::HEAD);

    // First, while nothing else has grown and shrunk the heap.
    if wanted("million") {
        let weighed = memory::weigh(MANY);
        println!("{}", weight("a million keys: bytes beside record / record", &weighed));
        let keys = weighed.keys;
        let samples = check_and_plain_map(&keys);
        println!("{}", Row::ratio("a million keys at random: warm check", &samples, 1.3));
        println!("{}", flat(&samples));
        println!("{}", yardsticks("a million keys: SHA-256 and map / SHA-256", &keys));
    }
    let keys = Keys::new(HOT);
    if wanted("hot") {
        let samples = check_and_plain_map(&keys);
        println!("{}", Row::ratio("64 hot keys: warm check", &samples, 1.5));
        println!("{}", yardsticks("64 hot keys: SHA-256 and map / SHA-256", &keys));
    }
    if wanted("threads") {
        println!("{}", threads::two_against_one(&keys, 1.8));
    }
    if wanted("garbage") {
        for kind in garbage(&keys) {
            println!("{kind}");
        }
    }
}

/// What the cache adds to a record, beside the record.
fn weight(name: &str, weighed: &Weighed) -> Row {
    Row::bytes(name, weighed.beside, weighed.record, 200.0)
}

/// A warm check against SHA-256 of the same bytes and one look-up in a plain map of the same size.
fn check_and_plain_map(keys: &Keys) -> Samples {
    let map = PlainMap::of(keys);
    pairs(
        keys,
        |text| assert!(keys.check(black_box(text)), "every key is good"),
        |text| {
            black_box(map.get(&yardstick::sha256(black_box(text))).unwrap());
        },
    )
}

/// Whether a check costs the same from one key to a million, but for the memory that the plain map reads too:
/// what it takes beyond the yardstick, with many keys and with one.
fn flat(many: &Samples) -> Row {
    let one = check_and_plain_map(&Keys::new(1));
    Row::beside("a million keys / one key: ns beyond the yardstick", many.beyond(), one.beyond())
}

/// Texts that nobody issued, each of a kind that needs no store to be refused.
fn garbage(keys: &Keys) -> Vec<Row> {
    let kind = |name: &str, spoil: &dyn Fn(&str) -> String| {
        let texts = keys.spoiled(spoil);
        let samples = pairs(
            &texts,
            |text| assert!(!texts.check(black_box(text)), "no garbage is a key"),
            |text| assert!(KeyFormat::REVENUE_RIPPLE.parse(black_box(text)).is_err()),
        );
        Row::nanoseconds(&format!("garbage, {name}: verifier / format alone"), &samples, 60.0)
    };
    vec![
        kind("wrong check digit", &|key| {
            let last = if key.ends_with('0') { '1' } else { '0' };
            format!("{}{last}", &key[..key.len() - 1])
        }),
        kind("wrong length", &|key| key[..key.len() - 2].to_owned()),
        kind("wrong prefix", &|key| key.replacen("rr_", "xx_", 1)),
    ]
}

/// The parts by themselves, for comparison with other machines.
fn yardsticks(name: &str, keys: &Keys) -> Row {
    let map = PlainMap::of(keys);
    let samples = pairs(
        keys,
        |text| {
            black_box(map.get(&yardstick::sha256(black_box(text))).unwrap());
        },
        |text| {
            black_box(yardstick::sha256(black_box(text)));
        },
    );
    Row::plain(name, &samples)
}
