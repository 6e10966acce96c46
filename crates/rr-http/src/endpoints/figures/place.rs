//! Where a page of entries ended.

use rr_domain::Timestamp;
use rr_store::EntryPlace;
use rr_sync::metrics::Metric;

use super::asked::Asked;
use crate::seal::{Numbers, Seal};

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

/// The seal of a question to a ledger that was made anew so often: then there are other entries.
pub(super) fn seal(metric: &Metric, asked: Asked, rebuilds: i64) -> Seal {
    let asked = match asked {
        Asked::Now => "now".to_owned(),
        Asked::At(at) => format!("at {at}"),
        Asked::Within(range) if range.is_open => format!("from {}", range.from),
        Asked::Within(range) => format!("from {} to {}", range.from, range.to),
    };
    Seal::of(format!("{} {asked} {rebuilds}", metric.name))
}

impl Place {
    pub(super) fn numbers(&self) -> Numbers {
        let Place { last: EntryPlace { at, seq: posting, n }, before, seq, running, total } = *self;
        Numbers { short: [at.micros(), posting, n, before.micros(), seq], long: [running, total] }
    }

    pub(super) fn of(numbers: Numbers) -> Option<Place> {
        let Numbers { short: [at, posting, n, before, seq], long: [running, total] } = numbers;
        let at = Timestamp::from_micros(at).ok()?;
        let before = Timestamp::from_micros(before).ok()?;
        Some(Place { last: EntryPlace { at, seq: posting, n }, before, seq, running, total })
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
        let seal_of = |name, asked| seal(metrics::find(name).unwrap(), asked, 0);
        let text = seal_of("mrr", Asked::Now).close(place.numbers());
        assert_eq!(seal_of("mrr", Asked::Now).open(&text, Place::of).unwrap(), place);
        let range = Range { from: at(0), to: at(60), is_open: true };
        for other in [
            seal_of("arr", Asked::Now),
            seal_of("mrr", Asked::At(at(90))),
            seal_of("mrr", Asked::Within(range)),
            seal(metrics::find("mrr").unwrap(), Asked::Now, 1),
        ] {
            assert!(other.open(&text, Place::of).is_err());
        }
        let open = seal_of("mrr", Asked::Within(range));
        let later = seal_of("mrr", Asked::Within(Range { to: at(61), ..range }));
        let text = open.close(place.numbers());
        assert_eq!(later.open(&text, Place::of).unwrap(), place, "its end is in the place");
    }
}
