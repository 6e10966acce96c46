//! Short rounds in turn, medians, and the table.

use std::fmt;
use std::time::Instant;

use crate::keys::{Keys, Random};

/// Calls in a round: so few that most rounds are not interrupted by whatever else the machine does, and so many
/// that what the other side left in the caches is soon forgotten.
fn calls(keys: &Keys) -> usize {
    // Nothing is kept in the caches with that many keys, and a call takes several times as long.
    if keys.len() < 100_000 { 2_000 } else { 500 }
}

const ROUNDS: usize = 1_001;

/// Nanoseconds per call of the two sides of a comparison, round by round.
pub(crate) struct Samples {
    pub(crate) own: Vec<f64>,
    pub(crate) yardstick: Vec<f64>,
}

impl Samples {
    /// Nanoseconds that `own` takes longer than its neighbour in time.
    pub(crate) fn beyond(&self) -> f64 {
        let beyond: Vec<f64> =
            self.own.iter().zip(&self.yardstick).map(|(own, yard)| own - yard).collect();
        median(&beyond)
    }
}

/// Runs `own` and `yardstick` in turn on the same texts, drawn at random anew for each round.
///
/// Either side of a round comes first as often as the other, for the first to read a text pays for
/// fetching it from memory. The texts of a round are drawn twice, so that neither finds the other's.
pub(crate) fn pairs(keys: &Keys, own: impl Fn(&str), yardstick: impl Fn(&str)) -> Samples {
    let mut random = Random(7);
    let mut samples = Samples { own: Vec::new(), yardstick: Vec::new() };
    for round in 0..ROUNDS {
        for side in [round % 2, (round + 1) % 2] {
            let order: Vec<usize> = (0..calls(keys)).map(|_| random.below(keys.len())).collect();
            if side == 0 {
                samples.own.push(per_call(keys, &order, &own));
            } else {
                samples.yardstick.push(per_call(keys, &order, &yardstick));
            }
        }
    }
    samples
}

pub(crate) fn per_call(keys: &Keys, order: &[usize], call: impl Fn(&str)) -> f64 {
    let start = Instant::now();
    for n in order {
        call(keys.text(*n));
    }
    start.elapsed().as_nanos() as f64 / order.len() as f64
}

pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What the quickest tenth of the samples stays below.
pub(crate) fn low_tenth(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 10]
}

/// A line of the table.
pub(crate) struct Row {
    name: String,
    own: f64,
    yardstick: Option<f64>,
    ratio: Option<f64>,
    goal: String,
    met: Option<bool>,
}

pub(crate) const HEAD: &str = "| what                                                |      own | yardstick |  ratio |    goal |     |\n\
     |-----------------------------------------------------|---------:|----------:|-------:|--------:|-----|";

impl Row {
    /// Judged by the median of the rounds' ratios: each compares neighbours in time.
    pub(crate) fn ratio(name: &str, samples: &Samples, goal: f64) -> Self {
        let row = Self::plain(name, samples);
        let met = row.ratio.map(|ratio| ratio <= goal);
        Self { goal: format!("≤ {goal:.1} ×"), met, ..row }
    }

    /// Judged by its nanoseconds alone.
    pub(crate) fn nanoseconds(name: &str, samples: &Samples, goal: f64) -> Self {
        let row = Self::plain(name, samples);
        Self { goal: format!("≤ {goal:.0} ns"), met: Some(row.own <= goal), ..row }
    }

    /// Not judged.
    pub(crate) fn plain(name: &str, samples: &Samples) -> Self {
        let ratios: Vec<f64> =
            samples.own.iter().zip(&samples.yardstick).map(|(own, yard)| own / yard).collect();
        Self {
            name: name.to_owned(),
            own: median(&samples.own),
            yardstick: Some(median(&samples.yardstick)),
            ratio: Some(median(&ratios)),
            goal: String::new(),
            met: None,
        }
    }

    /// Two figures by themselves, not judged.
    pub(crate) fn beside(name: &str, own: f64, other: f64) -> Self {
        let (yardstick, ratio) = (Some(other), Some(own / other));
        Self { name: name.to_owned(), own, yardstick, ratio, goal: String::new(), met: None }
    }

    /// More is better: how many times as much `own` does as `yardstick`.
    pub(crate) fn speed_up(name: &str, own: f64, yardstick: f64, ratio: f64, goal: f64) -> Self {
        Self {
            name: name.to_owned(),
            own,
            yardstick: Some(yardstick),
            ratio: Some(ratio),
            goal: format!("≥ {goal:.1} ×"),
            met: Some(ratio >= goal),
        }
    }

    /// Less is better, and nothing is compared: the second figure is there to be added.
    pub(crate) fn bytes(name: &str, own: f64, other: f64, goal: f64) -> Self {
        Self {
            name: name.to_owned(),
            own,
            yardstick: Some(other),
            ratio: None,
            goal: format!("≤ {goal:.0} B"),
            met: Some(own <= goal),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yardstick = self.yardstick.map_or(String::new(), |ns| format!("{ns:.1}"));
        let ratio = self.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let met = self.met.map_or("", |met| if met { "met" } else { "NO" });
        write!(
            f,
            "| {:<51} | {:>8.1} | {yardstick:>9} | {ratio:>6} | {:>7} | {met:<3} |",
            self.name, self.own, self.goal
        )
    }
}
