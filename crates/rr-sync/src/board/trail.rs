//! What happened lately, for the windows that slide.
//!
//! A window of `d` days at `T` starts at `T` rounded down to the minute, less `d` × 24 hours, and
//! ends at `T`; both ends belong to it. What lies before it is kept as one sum and the rest by hours.
//! Single minutes are told apart in one hour of each window alone: the one its start is passing
//! through, which is [asked for](Trail::need) when the start comes to it.

use std::collections::BTreeMap;
use std::time::Duration;

use rr_domain::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// One measure and the `N` windows over it.
#[derive(Debug)]
pub(super) struct Trail<const N: usize> {
    hours: BTreeMap<Timestamp, i128>,
    /// The minutes of single hours.
    minutes: BTreeMap<Timestamp, BTreeMap<Timestamp, i128>>,
    edges: [Edge; N],
}

/// The hour in which a window started when it was settled, and the sum of everything before.
#[derive(Debug)]
struct Edge {
    length: Duration,
    hour: Timestamp,
    before: i128,
}

fn start(now: Timestamp, length: Duration) -> Timestamp {
    now.floor_to_minute().minus(length)
}

impl<const N: usize> Trail<N> {
    /// Windows of these lengths at `now` with nothing in them yet; `total` is the sum of all there
    /// is, which [`recount`](Self::recount) then takes apart.
    pub(super) fn new(lengths: [Duration; N], now: Timestamp, total: i128) -> Trail<N> {
        let edge =
            |length| Edge { length, hour: start(now, length).floor_to_hour(), before: total };
        Trail { hours: BTreeMap::new(), minutes: BTreeMap::new(), edges: lengths.map(edge) }
    }

    /// Of the total, this much belongs to the hour of an instant.
    pub(super) fn recount(&mut self, at: Timestamp, amount: i128) {
        for edge in &mut self.edges {
            edge.before -= amount;
        }
        self.add(at, amount);
    }

    pub(super) fn add(&mut self, at: Timestamp, amount: i128) {
        let hour = at.floor_to_hour();
        let mut within = false;
        for edge in &mut self.edges {
            if hour < edge.hour {
                edge.before += amount;
            } else {
                within = true;
            }
        }
        if within {
            // An hour that adds up to nothing stays: its minutes may not.
            *self.hours.entry(hour).or_default() += amount;
            if let Some(minutes) = self.minutes.get_mut(&hour) {
                *minutes.entry(at.floor_to_minute()).or_default() += amount;
            }
        }
    }

    /// The hour whose minutes have to be known at `now`.
    pub(super) fn need(&self, now: Timestamp) -> Option<Timestamp> {
        let hours = self.edges.iter().map(|edge| start(now, edge.length).floor_to_hour());
        let is_unknown =
            |hour: &Timestamp| self.hours.contains_key(hour) && !self.minutes.contains_key(hour);
        hours.into_iter().find(is_unknown)
    }

    /// Everything in an hour, by minute.
    pub(super) fn give(
        &mut self,
        hour: Timestamp,
        amounts: impl IntoIterator<Item = (Timestamp, i128)>,
    ) {
        let mut minutes = BTreeMap::new();
        for (minute, amount) in amounts {
            *minutes.entry(minute).or_default() += amount;
        }
        self.minutes.insert(hour, minutes);
    }

    /// The sum of everything before each window at `now`.
    pub(super) fn before(&self, now: Timestamp) -> [i128; N] {
        std::array::from_fn(|index| {
            let edge = &self.edges[index];
            let start = start(now, edge.length).max(edge.hour);
            let passed = self.minutes.get(&start.floor_to_hour()).into_iter().flatten();
            let passed = passed.take_while(|(minute, _)| **minute < start);
            self.before_hour(edge, now) + passed.map(|(_, amount)| amount).sum::<i128>()
        })
    }

    /// The sum of everything before the hour in which a window starts at `now`.
    fn before_hour(&self, edge: &Edge, now: Timestamp) -> i128 {
        let hour = start(now, edge.length).floor_to_hour().max(edge.hour);
        edge.before + self.hours.range(edge.hour..hour).map(|(_, amount)| amount).sum::<i128>()
    }

    /// Moves the windows on to `now` and lets go of the hours that all of them have left, and of the
    /// minutes that no start is passing through.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let before: [i128; N] =
            std::array::from_fn(|index| self.before_hour(&self.edges[index], now));
        for (edge, before) in self.edges.iter_mut().zip(before) {
            *edge = Edge {
                hour: start(now, edge.length).floor_to_hour().max(edge.hour),
                before,
                ..*edge
            };
        }
        if let Some(first) = self.edges.iter().map(|edge| edge.hour).min() {
            self.hours = self.hours.split_off(&first);
        }
        let edges = &self.edges;
        self.minutes.retain(|hour, _| {
            edges.iter().any(|edge| edge.hour <= *hour && *hour <= edge.hour.plus(HOUR))
        });
    }

    /// When the next minute leaves a window, or may: of hours that come later only their sum is known.
    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let leaves = |edge: &Edge| {
            let start = start(now, edge.length);
            let hour = start.floor_to_hour();
            let minutes = self.minutes.get(&hour);
            let within = minutes.and_then(|minutes| minutes.range(start..).next());
            let later = || self.hours.range(hour.plus(HOUR)..).next().map(|(hour, _)| *hour);
            let minute = within.map(|(minute, _)| *minute).or_else(later)?;
            Some(minute.plus(edge.length).plus(MINUTE)).filter(|moment| *moment > now)
        };
        self.edges.iter().filter_map(leaves).min()
    }
}
