//! What happened lately, minute by minute, for the windows that slide.
//!
//! A window of `d` days at `T` starts at `T` rounded down to the minute, less `d` × 24 hours, and
//! ends at `T`; both ends belong to it. What lies before it is kept as one sum, and the minutes since
//! then beside it, so that a window costs the minutes by which it moved since it was last settled.

use std::collections::BTreeMap;
use std::time::Duration;

use rr_domain::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);

/// One measure and the `N` windows over it.
#[derive(Debug)]
pub(super) struct Trail<const N: usize> {
    minutes: BTreeMap<Timestamp, i128>,
    edges: [Edge; N],
}

/// The start of a window as it was settled, and the sum of everything before.
#[derive(Debug)]
struct Edge {
    length: Duration,
    start: Timestamp,
    before: i128,
}

fn start(now: Timestamp, length: Duration) -> Timestamp {
    now.floor_to_minute().minus(length)
}

impl<const N: usize> Trail<N> {
    /// Windows of these lengths at `now` with nothing in them yet; `total` is the sum of all there
    /// is, which [`recount`](Self::recount) then takes apart.
    pub(super) fn new(lengths: [Duration; N], now: Timestamp, total: i128) -> Trail<N> {
        let edge = |length| Edge { length, start: start(now, length), before: total };
        Trail { minutes: BTreeMap::new(), edges: lengths.map(edge) }
    }

    /// Of the total, this much belongs to a minute.
    pub(super) fn recount(&mut self, minute: Timestamp, amount: i128) {
        for edge in &mut self.edges {
            edge.before -= amount;
        }
        self.add(minute, amount);
    }

    pub(super) fn add(&mut self, at: Timestamp, amount: i128) {
        let minute = at.floor_to_minute();
        let mut within = false;
        for edge in &mut self.edges {
            if minute < edge.start {
                edge.before += amount;
            } else {
                within = true;
            }
        }
        if within {
            let sum = self.minutes.entry(minute).or_default();
            *sum += amount;
            if *sum == 0 {
                self.minutes.remove(&minute);
            }
        }
    }

    /// The sum of everything before each window at `now`.
    pub(super) fn before(&self, now: Timestamp) -> [i128; N] {
        std::array::from_fn(|index| {
            let edge = &self.edges[index];
            let passed = edge.start..start(now, edge.length).max(edge.start);
            edge.before + self.minutes.range(passed).map(|(_, amount)| amount).sum::<i128>()
        })
    }

    /// Moves the windows on to `now` and lets go of the minutes that all of them have left.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let before = self.before(now);
        for (edge, before) in self.edges.iter_mut().zip(before) {
            *edge = Edge { start: start(now, edge.length).max(edge.start), before, ..*edge };
        }
        if let Some(first) = self.edges.iter().map(|edge| edge.start).min() {
            self.minutes = self.minutes.split_off(&first);
        }
    }

    /// When the next minute leaves a window.
    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let leaves = |edge: &Edge| {
            let (minute, _) = self.minutes.range(start(now, edge.length)..).next()?;
            Some(minute.plus(edge.length).plus(MINUTE)).filter(|moment| *moment > now)
        };
        self.edges.iter().filter_map(leaves).min()
    }
}
