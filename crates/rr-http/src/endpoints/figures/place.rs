//! Where a page of entries ended, as a text that its reader gives back for the next one.

use rr_domain::Timestamp;
use rr_store::EntryPlace;
use rr_sync::metrics::Metric;

use super::asked::Asked;
use crate::problem::{Outcome, Problem};

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The last entry that was looked at.
    pub(super) last: EntryPlace,
    /// Where the entries end.
    pub(super) before: Timestamp,
    /// The version of the ledger that all pages are of.
    pub(super) seq: i64,
    /// The exact sum until there.
    pub(super) running: i128,
    /// The exact sum at the end.
    pub(super) total: i128,
}

/// What a question is told by. A place in the answer to one means nothing in that to another, nor in a
/// ledger that was made anew. It catches slips and not forgery: whoever makes up a place learns nothing
/// that the question does not tell.
pub(super) struct Seal(String);

/// Five numbers of 16 hexadecimal digits, two of 32, and the seal of 8.
const LENGTH: usize = 5 * 16 + 2 * 32 + 8;

impl Seal {
    /// The seal of a question to a ledger that was made anew so often.
    pub(super) fn of(metric: &Metric, asked: Asked, rebuilds: i64) -> Seal {
        let asked = match asked {
            Asked::Now => "now".to_owned(),
            Asked::At(at) => format!("at {at}"),
            Asked::Within(range) if range.is_open => format!("from {}", range.from),
            Asked::Within(range) => format!("from {} to {}", range.from, range.to),
        };
        Seal(format!("{} {asked} {rebuilds}", metric.name))
    }

    /// Writes a place.
    pub(super) fn close(&self, place: &Place) -> String {
        let Place { last, before, seq, running, total } = place;
        let EntryPlace { at, seq: posting, n } = last;
        let (at, before) = (at.micros(), before.micros());
        let text = format!(
            "{at:016x}{posting:016x}{n:016x}{before:016x}{seq:016x}{running:032x}{total:032x}"
        );
        let seal = self.over(&text);
        format!("{text}{seal:08x}")
    }

    /// Reads what it wrote.
    pub(super) fn open(&self, text: &str) -> Outcome<Place> {
        let wrong = || Problem::parameter("cursor", "must be the next_cursor of an earlier page");
        self.read(text).ok_or_else(wrong)
    }

    fn read(&self, text: &str) -> Option<Place> {
        let is_digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() != LENGTH || !is_digits {
            return None;
        }
        let (numbers, seal) = text.split_at(LENGTH - 8);
        if u32::from_str_radix(seal, 16).ok()? != self.over(numbers) {
            return None;
        }
        let short = |index: usize| {
            let digits = numbers.get(index * 16..(index + 1) * 16)?;
            u64::from_str_radix(digits, 16).ok().map(u64::cast_signed)
        };
        let long = |index: usize| {
            let digits = numbers.get(80 + index * 32..80 + (index + 1) * 32)?;
            u128::from_str_radix(digits, 16).ok().map(u128::cast_signed)
        };
        Some(Place {
            last: EntryPlace {
                at: Timestamp::from_micros(short(0)?).ok()?,
                seq: short(1)?,
                n: short(2)?,
            },
            before: Timestamp::from_micros(short(3)?).ok()?,
            seq: short(4)?,
            running: long(0)?,
            total: long(1)?,
        })
    }

    /// FNV-1a over the question and the numbers.
    fn over(&self, numbers: &str) -> u32 {
        let bytes = self.0.bytes().chain(numbers.bytes());
        bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }
}

#[cfg(test)]
mod tests {
    use rr_sync::metrics;

    use super::super::asked::Range;
    use super::*;

    #[test]
    fn a_place_reads_back_under_its_own_question_alone() {
        let at = |second| Timestamp::from_seconds(second).unwrap();
        let place = Place {
            last: EntryPlace { at: at(-5), seq: 7, n: 3 },
            before: at(90),
            seq: 12,
            running: -1,
            total: i128::MAX,
        };
        let seal = |name, asked| Seal::of(metrics::find(name).unwrap(), asked, 0);
        let own = seal("mrr", Asked::Now);
        let text = own.close(&place);
        assert_eq!(own.read(&text), Some(place));
        let range = Range { from: at(0), to: at(60), is_open: true };
        for other in [
            seal("arr", Asked::Now),
            seal("mrr", Asked::At(at(90))),
            seal("mrr", Asked::Within(range)),
            Seal::of(metrics::find("mrr").unwrap(), Asked::Now, 1),
        ] {
            assert_eq!(other.read(&text), None);
        }
        let open = seal("mrr", Asked::Within(range));
        let later = seal("mrr", Asked::Within(Range { to: at(61), ..range }));
        assert_eq!(later.read(&open.close(&place)), Some(place), "its end is in the place");
        for position in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[position] = if changed[position] == b'0' { b'1' } else { b'0' };
            assert_eq!(own.read(&String::from_utf8(changed).unwrap()), None);
        }
        for bad in ["", "0", &"0".repeat(LENGTH), &"é".repeat(LENGTH / 2), &text.to_uppercase()] {
            assert_eq!(own.read(bad), None, "{bad}");
        }
    }
}
