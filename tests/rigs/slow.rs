//! A disk whose flush takes its time: what comes is taken as far as it may wait, the rest is told at
//! once, nobody is told of a success before its flush, and who writes nothing notices nothing.

use std::time::{Duration, Instant};

use rr_tests::client::Client;
use rr_tests::database::TestDatabase;
use rr_tests::load::Load;
use rr_tests::process::{Program, make_key};
use serde_json::json;

use crate::tally;

/// More than a batch and the queue hold together, and few enough to leave the processors idle.
const SENDERS: usize = 20;
const BATCH: u32 = 4;
const QUEUE: u32 = 8;
const PAUSE: Duration = Duration::from_millis(100);
const LENGTH: Duration = Duration::from_secs(8);

/// Each round with flushes of 200 ms and of 2 s; at the end once with the disk's own, which have to
/// let through what slow ones cannot, or the rig has slowed nothing.
pub(crate) async fn rig(rounds: u32) -> bool {
    let mut all_good = true;
    for _ in 0..rounds {
        for flush in [Duration::from_millis(200), Duration::from_secs(2)] {
            let seen = flood(Some(flush)).await;
            all_good &= seen.is_good() && seen.acknowledged <= at_most(flush);
        }
    }
    let usual = flood(None).await;
    let is_blind = usual.acknowledged <= at_most(Duration::from_millis(200));
    if is_blind {
        println!("VOID: without delay as little was acknowledged, so the rig sees nothing");
    }
    all_good && usual.whole && !is_blind
}

/// What so slow a disk can have flushed: a batch each time, the one that was under way included.
fn at_most(flush: Duration) -> u128 {
    (LENGTH.as_millis() / flush.as_millis() + 2) * u128::from(BATCH)
}

struct Seen {
    acknowledged: u128,
    whole: bool,
    /// Of the events that were offered beside the flood: refused as they have to be.
    shed: usize,
    /// How long each look at a figure with a key took, the quickest first.
    reads: Vec<Duration>,
    flush: Duration,
}

impl Seen {
    /// Half of the reads took less than a quarter of a long flush: they did not wait for it.
    fn is_good(&self) -> bool {
        let is_long = self.flush >= Duration::from_secs(1);
        let middle = self.reads.get(self.reads.len() / 2).copied().unwrap_or(Duration::MAX);
        self.whole && self.shed > 0 && (!is_long || middle < self.flush / 4)
    }
}

async fn flood(flush: Option<Duration>) -> Seen {
    let database = TestDatabase::migrated_sqlite().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let (_, other) = make_key(database.url(), &["read_metrics"]);
    let server = Program::new(database.url(), ["serve"]).with_log_file();
    let server = server.env("RR_DATABASE_BATCH", &BATCH.to_string());
    let mut server = server.env("RR_DATABASE_QUEUE", &QUEUE.to_string());
    let flush_is = flush.unwrap_or_default();
    if flush.is_some() {
        let fault = format!("inject=fsync,fdatasync:delay_exit={}", flush_is.as_micros());
        let strace = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e"];
        server = server.under(&[&strace[..], &[fault.as_str()]].concat());
    }
    let mut server = server.serve().await;
    let load = Load::start(&server.client().with_key(&key), SENDERS);
    let (reads, shed) = probe(&server.client(), &key, &other).await;
    let acknowledged = load.acknowledged_so_far();
    server.kill();
    drop(load.stop().await);
    let name = flush.map_or("usual flushes".to_owned(), |flush| format!("flushes of {flush:?}"));
    let whole = tally(&name, database.url(), &acknowledged).await.is_whole();
    println!(
        "    {shed} of {} shed; reads with a key: {:.1?} in the median, {:.1?} at worst",
        reads.len(),
        reads.get(reads.len() / 2).copied().unwrap_or_default(),
        reads.last().copied().unwrap_or_default(),
    );
    let count = u128::try_from(acknowledged.len()).unwrap();
    Seen { acknowledged: count, whole, shed, reads, flush: flush_is }
}

/// Reads, is refused for want of a permission, and offers an event, again and again.
async fn probe(client: &Client, key: &str, other: &str) -> (Vec<Duration>, usize) {
    let (writer, reader) = (client.with_key(key), client.with_key(other));
    let event = json!({ "event_type": "probe" });
    let (mut reads, mut shed) = (Vec::new(), 0);
    let started = Instant::now();
    while started.elapsed() < LENGTH {
        let before = Instant::now();
        reader.get("/api/devops/sync/users").await.expect(200);
        reads.push(before.elapsed());
        reader.post("/api/devops/webhook", &event).await.expect(403);
        // One that was taken waits for its flush, and nobody here for it.
        let offer = writer.post("/api/devops/webhook", &event).attempt();
        if let Ok(Ok(answer)) = tokio::time::timeout(PAUSE, offer).await
            && answer.code() == 503
        {
            assert!(answer.header("retry-after").is_some(), "{}", answer.text());
            shed += 1;
        }
        tokio::time::sleep(PAUSE).await;
    }
    reads.sort_unstable();
    (reads, shed)
}
