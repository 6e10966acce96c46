//! Two classes of input, measured in random order, and whether their times differ.

use std::time::{Duration, Instant};

/// Calls in each measurement, so that it takes longer than the clock's own step.
const CALLS: usize = 16;
/// Beyond this the two classes differ beyond doubt.
const LIMIT: f64 = 4.5;
/// A smaller difference of the means, in nanoseconds a call, nobody can use: so near, the t-test notices how
/// the two classes happen to lie in memory.
const USEFUL: f64 = 0.5;

/// The mean time of a call in each class, and Welch's t-value.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) t: f64,
}

impl Comparison {
    /// Of the times that so many calls took, in nanoseconds.
    pub(crate) fn of(times: [Vec<u64>; 2]) -> Self {
        // The slowest tenth was interrupted by something else. One bound for both classes.
        let mut all = times.concat();
        all.sort_unstable();
        let bound = all[all.len() / 10 * 9];
        let [a, b] =
            times.map(|times| Moments::of(times.into_iter().filter(|time| *time <= bound)));
        let t = (a.mean - b.mean) / (a.variance / a.count + b.variance / b.count).sqrt();
        Self { a: a.mean / CALLS as f64, b: b.mean / CALLS as f64, t }
    }

    /// Whether they differ beyond doubt and by enough to be of use.
    pub(crate) fn differs(&self) -> bool {
        self.t.abs() > LIMIT && (self.a - self.b).abs() > USEFUL
    }
}

/// Measures both classes so many times in all.
pub(crate) fn measure(measurements: usize, call: impl Fn(bool)) -> Comparison {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut times: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..measurements {
        let class = random.bit();
        let started = Instant::now();
        (0..CALLS).for_each(|_| call(class));
        times[usize::from(class)].push(nanoseconds(started.elapsed()));
    }
    Comparison::of(times)
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(times: impl Iterator<Item = u64>) -> Self {
        let times: Vec<f64> = times.map(|time| time as f64).collect();
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let squares: f64 = times.iter().map(|time| (time - mean) * (time - mean)).sum();
        Self { count, mean, variance: squares / (count - 1.0) }
    }
}

/// Xorshift: which class comes next needs no secret, only no pattern.
struct Random(u64);

impl Random {
    fn bit(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 63 == 1
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
