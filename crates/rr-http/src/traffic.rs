//! Requests, counted by every worker for itself and added up when somebody asks.
//!
//! Processors that count in one place pass it to and fro, which takes longer than all the rest of the counting.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

/// The requests that all workers have answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic(Arc<Mutex<Vec<Arc<Series>>>>);

/// What one worker counts at one route: as many series as the route has methods and statuses.
#[derive(Debug, Default)]
pub(crate) struct Counters(RefCell<Vec<Arc<Series>>>);

/// A request as it is counted. Routes come from the table, so their number is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) status: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

/// Requests of the same labels, as one worker counts them.
#[derive(Debug)]
struct Series {
    labels: RequestLabels,
    durations: [AtomicU64; DURATIONS.len() + 1],
    micros: AtomicU64,
}

/// Upper bounds in microseconds, and the same in seconds: from a figure in memory to a login.
const DURATIONS: [(u128, f64); 12] = [
    (200, 0.0002),
    (500, 0.0005),
    (1_000, 0.001),
    (2_500, 0.0025),
    (5_000, 0.005),
    (10_000, 0.01),
    (25_000, 0.025),
    (50_000, 0.05),
    (100_000, 0.1),
    (500_000, 0.5),
    (1_000_000, 1.0),
    (5_000_000, 5.0),
];

/// How long requests took.
#[derive(Default)]
struct Histogram {
    buckets: [u64; DURATIONS.len() + 1],
    micros: u64,
}

impl Traffic {
    /// Counts an answered request among those of the worker.
    pub(crate) fn answered(&self, own: &Counters, labels: RequestLabels, took: Duration) {
        let mut own = own.0.borrow_mut();
        match own.iter().find(|series| series.labels == labels) {
            Some(series) => series.count(took),
            None => {
                let series = Arc::new(Series::new(labels));
                series.count(took);
                self.lock().push(Arc::clone(&series));
                own.push(series);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Series>>> {
        // A push that panicked has added nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    fn new(labels: RequestLabels) -> Series {
        Series { labels, durations: Default::default(), micros: AtomicU64::new(0) }
    }

    fn count(&self, took: Duration) {
        let micros = took.as_micros();
        let bucket = DURATIONS.iter().take_while(|(bound, _)| micros > *bound).count();
        add(&self.durations[bucket], 1);
        add(&self.micros, u64::try_from(micros).unwrap_or(u64::MAX));
    }
}

/// Only one worker writes here, so a load and a store will do, and no processor is locked out.
fn add(sum: &AtomicU64, more: u64) {
    sum.store(sum.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

impl Histogram {
    fn add(&mut self, series: &Series) {
        for (sum, count) in self.buckets.iter_mut().zip(&series.durations) {
            *sum += count.load(Ordering::Relaxed);
        }
        self.micros = self.micros.wrapping_add(series.micros.load(Ordering::Relaxed));
    }

    fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The upper bounds in seconds, and how many lie between each and the one before.
    fn bounded(&self) -> Vec<(f64, u64)> {
        let bounds = DURATIONS.iter().map(|(_, seconds)| *seconds).chain([f64::INFINITY]);
        bounds.zip(self.buckets).collect()
    }
}

impl Collector for Traffic {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut requests = BTreeMap::<RequestLabels, Histogram>::new();
        let mut durations = BTreeMap::<RouteLabels, Histogram>::new();
        for series in &*self.lock() {
            let RequestLabels { method, route, .. } = series.labels;
            requests.entry(series.labels).or_default().add(series);
            durations.entry(RouteLabels { method, route }).or_default().add(series);
        }
        let kind = MetricType::Counter;
        let mut family =
            encoder.encode_descriptor("rr_http_requests", "Requests answered.", None, kind)?;
        for (labels, histogram) in &requests {
            ConstCounter::new(histogram.count()).encode(family.encode_family(labels)?)?;
        }
        let mut family = encoder.encode_descriptor(
            "rr_http_request_duration_seconds",
            "Time from a request's head to its answer's head.",
            None,
            MetricType::Histogram,
        )?;
        for (labels, histogram) in &durations {
            let seconds = Duration::from_micros(histogram.micros).as_secs_f64();
            family.encode_family(labels)?.encode_histogram::<NoLabelSet>(
                seconds,
                histogram.count(),
                &histogram.bounded(),
                None,
            )?;
        }
        Ok(())
    }
}
