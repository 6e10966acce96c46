//! What is counted, and its Prometheus text.

use std::fmt::{self, Write};
use std::sync::Arc;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;
use rr_keys::CacheStats;
use rr_store::{BATCH_BUCKETS, FactCheck, Present, ReaderStats, StoreStats};
use rr_sync::ledger::Account;
use rr_sync::metrics::{Kind, METRICS, Unit};

use crate::live::LiveStats;
use crate::traffic::Traffic;
use crate::verifications::Verified;

/// What is counted, and where it is told.
pub struct Metrics {
    registry: Registry,
    pub(crate) traffic: Traffic,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let traffic = Traffic::default();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(traffic.clone()));
        Metrics { registry, traffic }
    }

    /// Everything as text, with the numbers that store, verifier and connections keep themselves.
    pub(crate) fn render(
        &self,
        store: &StoreStats,
        cache: &CacheStats,
        connections: usize,
        live: LiveStats,
        ledger: &LedgerNumbers,
    ) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        encode_registry(&mut text, &self.registry)?;
        write_gauge(&mut text, "rr_http_connections", "Open connections", connections)?;
        let readers = live.readers;
        write_gauge(&mut text, "rr_stream_readers", "Readers of the live stream", readers)?;
        let slow = "Readers of the live stream that were let go because they were too slow";
        write_counter(&mut text, "rr_stream_dropped", slow, live.dropped)?;
        write_cache(&mut text, cache)?;
        write_store(&mut text, store)?;
        write_ledger(&mut text, ledger)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// What is told of the ledger. The figures are missing while the database is away: an old number under
/// a new time would be a wrong one.
pub(crate) struct LedgerNumbers {
    pub(crate) present: Option<Arc<Present>>,
    pub(crate) verified: Option<Verified>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

fn write_cache(text: &mut String, cache: &CacheStats) -> fmt::Result {
    write_counter(text, "rr_key_cache_hits", "Keys answered from memory", cache.hits)?;
    write_counter(text, "rr_key_cache_misses", "Keys looked up in the store", cache.misses)?;
    write_counter(
        text,
        "rr_key_cache_negative_hits",
        "Unknown keys refused from memory",
        cache.negative_hits,
    )?;
    write_gauge(text, "rr_key_cache_entries", "Keys in memory", cache.entries)
}

fn write_store(text: &mut String, store: &StoreStats) -> fmt::Result {
    let database = store.database;
    head(text, "rr_store", "The database in use", "gauge")?;
    writeln!(text, "rr_store{{database=\"{database}\"}} 1")?;
    let depth = store.writer_queue_depth;
    write_gauge(text, "rr_store_writer_queue", "Writes that wait", depth)?;
    let capacity = store.writer_queue_capacity;
    write_gauge(text, "rr_store_writer_queue_capacity", "Writes that may wait", capacity)?;
    write_counter(text, "rr_store_writes", "Writes answered", store.jobs)?;
    write_counter(text, "rr_store_failed_commits", "Commits that failed", store.failed_commits)?;
    write_batches(text, store)?;
    head(text, "rr_store_commit_seconds", "Time spent in commits", "counter")?;
    let micros = store.commit_micros;
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    writeln!(text, "rr_store_commit_seconds_total {seconds}.{rest:06}")?;
    let ReaderStats { threads, busy, waiting, queue_capacity, reads } = store.readers;
    write_gauge(text, "rr_store_pool_size", "Reader threads and connections", threads)?;
    write_gauge(text, "rr_store_pool_busy", "Reader threads at work", busy)?;
    write_gauge(text, "rr_store_read_queue", "Reads that wait", waiting)?;
    write_gauge(text, "rr_store_read_queue_capacity", "Reads that may wait", queue_capacity)?;
    write_counter(text, "rr_store_reads", "Reads answered", reads)?;
    let ReaderStats { threads, busy, waiting, queue_capacity, reads } = store.long_readers;
    write_gauge(text, "rr_store_long_pool_size", "Threads for reads that may take long", threads)?;
    write_gauge(text, "rr_store_long_pool_busy", "Those of them at work", busy)?;
    write_gauge(text, "rr_store_long_read_queue", "Long reads that wait", waiting)?;
    let help = "Long reads that may wait";
    write_gauge(text, "rr_store_long_read_queue_capacity", help, queue_capacity)?;
    write_counter(text, "rr_store_long_reads", "Long reads answered", reads)?;
    write_counter(
        text,
        "rr_store_refused",
        "Calls refused because too much waited",
        store.refused,
    )?;
    write_counter(text, "rr_store_connections", "Connections made", store.connections)?;
    let broken = store.connections_broken;
    write_counter(text, "rr_store_connections_broken", "Connections that broke", broken)?;
    let chores = store.failed_chores;
    write_counter(text, "rr_store_failed_chores", "Removals of what is over that failed", chores)?;
    let checks = store.ledger_checks;
    write_counter(text, "rr_ledger_checks", "Days of the ledger compared", checks)?;
    let faults = store.ledger_faults;
    write_gauge(text, "rr_ledger_faults", "Sums of the ledger that are wrong", faults)?;
    store.fact_check.as_ref().map_or(Ok(()), |check| write_fact_check(text, check))
}

/// How far the running check of the ledger by the facts is, and what it found.
fn write_fact_check(text: &mut String, check: &FactCheck) -> fmt::Result {
    let name = "rr_ledger_check_seq";
    head(text, name, "The last fact that this round of the check came to", "gauge")?;
    writeln!(text, "{name} {}", check.fact)?;
    if let Some(at) = check.round_ended_at {
        let name = "rr_ledger_check_round_timestamp_seconds";
        head(text, name, "When a round of the check through all facts last ended", "gauge")?;
        writeln!(text, "{name} {}", at.seconds())?;
    }
    let name = "rr_ledger_check_faults";
    head(text, name, "Groups whose entries are not what the facts say", "gauge")?;
    for account in Account::ALL {
        writeln!(text, "{name}{{account=\"{account}\"}} {}", check.faults(account))?;
    }
    Ok(())
}

/// Every figure that looks back on nothing but the beginning, the ledger's version, and how the last verification
/// ended.
fn write_ledger(text: &mut String, ledger: &LedgerNumbers) -> fmt::Result {
    if let Some(present) = &ledger.present {
        for metric in METRICS.iter().filter(|metric| metric.kind != Kind::Rate) {
            let name = format!("rr_figure_{}", metric.name);
            head(text, &name, metric.definition.trim_end_matches('.'), "gauge")?;
            let labels = match metric.unit {
                Unit::Money => format!("{{currency=\"{}\"}}", rr_sync::CURRENCY),
                _ => String::new(),
            };
            writeln!(text, "{name}{labels} {}", metric.show(metric.exact(&present.balances)))?;
        }
        head(text, "rr_ledger_seq", "The version of the ledger: its last fact", "gauge")?;
        writeln!(text, "rr_ledger_seq {}", present.seq)?;
    }
    if let Some(Verified { at, faults }) = ledger.verified {
        let name = "rr_ledger_verified_timestamp_seconds";
        head(text, name, "When the last verification began", "gauge")?;
        writeln!(text, "{name} {}", at.seconds())?;
        write_gauge(text, "rr_ledger_verified_faults", "Values that it found to differ", faults)?;
    }
    Ok(())
}

fn write_batches(text: &mut String, store: &StoreStats) -> fmt::Result {
    let name = "rr_store_batch_size";
    head(text, name, "Writes that shared one commit", "histogram")?;
    for (bound, count) in BATCH_BUCKETS.iter().zip(store.batch_sizes) {
        writeln!(text, "{name}_bucket{{le=\"{bound}.0\"}} {count}")?;
    }
    writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {}", store.commits)?;
    writeln!(text, "{name}_sum {}", store.jobs_committed)?;
    writeln!(text, "{name}_count {}", store.commits)
}

fn write_gauge(text: &mut String, name: &str, help: &str, value: usize) -> fmt::Result {
    head(text, name, help, "gauge")?;
    writeln!(text, "{name} {value}")
}

fn write_counter(text: &mut String, name: &str, help: &str, value: u64) -> fmt::Result {
    head(text, name, help, "counter")?;
    writeln!(text, "{name}_total {value}")
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) -> fmt::Result {
    writeln!(text, "# HELP {name} {help}.\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rr_domain::Timestamp;

    use super::*;
    use crate::traffic::{Counters, RequestLabels};

    /// The demo, verified on its first day.
    fn ledger() -> LedgerNumbers {
        let facts = rr_sync::demo::facts();
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let present = Present {
            seq: 5,
            rebuilds: 0,
            figures: Arc::new(rr_sync::compute(&facts, now)),
            balances: rr_sync::ledger::posting(&[], &facts).unwrap().iter().collect(),
        };
        let at = Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
        LedgerNumbers {
            present: Some(Arc::new(present)),
            verified: Some(Verified { at, faults: 3 }),
        }
    }

    #[test]
    fn the_text_has_every_number_once_and_an_end() {
        let metrics = Metrics::new();
        let labels = RequestLabels { method: "GET", route: "/healthz", status: 200 };
        let workers = [Counters::default(), Counters::default()];
        let [one, other] = &workers;
        for (counters, took) in [(one, 3), (other, 3), (one, 6_000)] {
            let took = Duration::from_millis(took);
            metrics.traffic.answered(counters, labels, took);
            metrics.traffic.answered(counters, RequestLabels { status: 503, ..labels }, took);
        }
        let store = StoreStats {
            database: "sqlite",
            commits: 3,
            jobs_committed: 5,
            commit_micros: 1_000_007,
            fact_check: Some(FactCheck::default()),
            ..StoreStats::default()
        };
        let text = metrics
            .render(&store, &CacheStats::default(), 4, LiveStats::default(), &ledger())
            .unwrap();
        for line in [
            "rr_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 3",
            "rr_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"503\"} 3",
            "rr_http_request_duration_seconds_count{method=\"GET\",route=\"/healthz\"} 6",
            "rr_http_request_duration_seconds_sum{method=\"GET\",route=\"/healthz\"} 12.012",
            "rr_http_request_duration_seconds_bucket{le=\"0.0025\",method=\"GET\",route=\"/healthz\"} 0",
            "rr_http_request_duration_seconds_bucket{le=\"0.005\",method=\"GET\",route=\"/healthz\"} 4",
            "rr_http_request_duration_seconds_bucket{le=\"5.0\",method=\"GET\",route=\"/healthz\"} 4",
            "rr_http_request_duration_seconds_bucket{le=\"+Inf\",method=\"GET\",route=\"/healthz\"} 6",
            "rr_http_connections 4",
            "rr_key_cache_hits_total 0",
            "rr_store{database=\"sqlite\"} 1",
            "rr_store_batch_size_count 3",
            "rr_store_batch_size_sum 5",
            "rr_store_commit_seconds_total 1.000007",
            "rr_figure_total_users 2",
            "rr_figure_mrr{currency=\"USD\"} 47",
            "rr_figure_commissions_payable{currency=\"USD\"} 23.5",
            "rr_ledger_check_seq 0",
            "rr_ledger_check_faults{account=\"affiliates\"} 0",
            "rr_ledger_seq 5",
            "rr_ledger_verified_timestamp_seconds 1704067200",
            "rr_ledger_verified_faults 3",
        ] {
            assert_eq!(text.lines().filter(|other| *other == line).count(), 1, "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
        let mut types: Vec<&str> = text.lines().filter(|l| l.starts_with("# TYPE")).collect();
        let all = types.len();
        types.dedup();
        assert_eq!(types.len(), all);
    }
}
