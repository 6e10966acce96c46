//! Durable events per second over HTTP, against a bare handler that reads the same body and against
//! the same server made to commit one event at a time; the time of an answer at half of that load;
//! how soon a thousand readers of the live stream have an event; and what a flush takes on this disk.
//! `RR_TEST_DATABASE` says on which database.
//!
//! `cargo xtask bench events` builds what this needs and runs it on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that goes wrong should say so and stop"
)]

mod live;

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rr_tests::database::{TestDatabase, is_postgres};
use rr_tests::measure::{
    BARE, Bare, Connection, Target, list, median, option, post_event, resident_kib, serve_if_asked,
};
use rr_tests::process::{Program, RealServer, make_key};

const WEBHOOK: &str = "/api/devops/webhook";

fn main() {
    if serve_if_asked() {
        return;
    }
    let round = Duration::from_secs(option("--seconds").unwrap_or(3));
    let rounds = option("--rounds").unwrap_or(5);
    let connections = list("--connections").unwrap_or_else(|| vec![1, 16, 64, 256]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(round, rounds, &connections));
}

async fn measure(round: Duration, rounds: u64, connections: &[u64]) {
    println!("events on {}", if is_postgres() { "PostgreSQL" } else { "SQLite" });
    let flush = flush_micros();
    println!("a flush of 4 KiB: {} µs (median), {} µs (99 %)", median(&flush), tail(&flush));
    let (together, one_by_one, bare) =
        (Ours::start("256").await, Ours::start("1").await, Bare::start());
    println!();
    println!(
        "{rounds} rounds of {} s, medians; `alone` commits one event at a time",
        round.as_secs()
    );
    println!(
        "| connections | bare/s | alone/s | events/s | of bare | of alone | CPU µs/event \
         | half load: 50 % | 99 % | in flushes |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for connections in connections {
        let mut targets = [
            Target::new("bare", bare.address, bare.pid(), post_event(BARE, "")),
            one_by_one.target("alone"),
            together.target("events"),
        ];
        for _ in 0..rounds {
            for target in &mut targets {
                target.round(*connections, round).await;
            }
        }
        let [bare, alone, events] =
            targets.map(|target| (median(&target.rates), median(&target.micros_per_request)));
        let times = together.at_rate(events.0 / 2, *connections, round).await;
        println!(
            "| {connections} | {} | {} | {} | {} % | {} % | {} | {} µs | {} µs | {} |",
            bare.0,
            alone.0,
            events.0,
            events.0 * 100 / bare.0.max(1),
            events.0 * 100 / alone.0.max(1),
            events.1,
            median(&times),
            tail(&times),
            tail(&times) / median(&flush).max(1),
        );
    }
    println!();
    println!("memory after the load: {} KiB", resident_kib(together.server.pid()));
    println!();
    live::measure().await;
}

/// A real server with a database of its own.
struct Ours {
    server: RealServer,
    address: SocketAddr,
    key: String,
    database: TestDatabase,
}

impl Ours {
    /// At most so many writes share a commit.
    async fn start(batch: &str) -> Ours {
        let database = TestDatabase::migrated().await;
        let (_, key) = make_key(database.url(), &["write_webhooks"]);
        let server = Program::new(database.url(), ["serve"]).env("RR_DATABASE_BATCH", batch);
        let server = server.env("RR_LOG", "info").with_log_file().serve().await;
        let address = server.client().address().parse().unwrap();
        Ours { server, address, key, database }
    }

    fn target(&self, name: &'static str) -> Target {
        Target::new(name, self.address, self.server.pid(), post_event(WEBHOOK, &self.key))
    }

    /// Sends so many events a second whether or not earlier ones are answered, and gives how long
    /// each waited for its answer in microseconds. An event that is due while its connection still
    /// waits has been waiting since it was due.
    async fn at_rate(&self, rate: u64, connections: u64, length: Duration) -> Vec<u64> {
        let request = Arc::new(post_event(WEBHOOK, &self.key));
        let every = Duration::from_secs(1) * u32::try_from(connections).unwrap()
            / u32::try_from(rate.max(1)).unwrap();
        let began = Instant::now() + Duration::from_millis(50);
        let senders: Vec<_> = (0..connections)
            .map(|number| {
                let (address, request) = (self.address, Arc::clone(&request));
                let share = u32::try_from(number).unwrap();
                let first = began + every * share / u32::try_from(connections).unwrap();
                tokio::spawn(send(address, request, first, every, began + length))
            })
            .collect();
        let mut times = Vec::new();
        for sender in senders {
            times.extend(sender.await.unwrap());
        }
        times
    }
}

async fn send(
    address: SocketAddr,
    request: Arc<Vec<u8>>,
    first: Instant,
    every: Duration,
    end: Instant,
) -> Vec<u64> {
    let mut connection = Connection::open(address).await;
    let mut times = Vec::new();
    let mut due = first;
    while due < end {
        // The timer is as coarse as a millisecond; that lateness is ours and not the server's.
        let since = if Instant::now() < due {
            tokio::time::sleep_until(due.into()).await;
            Instant::now()
        } else {
            due
        };
        connection.ask(&request).await;
        times.push(u64::try_from(since.elapsed().as_micros()).unwrap());
        due += every;
    }
    times
}

/// What it takes to get a page onto this disk, in a file that is long enough already.
fn flush_micros() -> Vec<u64> {
    let file = tempfile::tempfile().unwrap();
    let page = |file: &File, number: u64| file.write_all_at(&[7; 4096], number * 4096).unwrap();
    (0..200).for_each(|number| page(&file, number));
    file.sync_all().unwrap();
    let times = (0..200).map(|number| {
        page(&file, number);
        let started = Instant::now();
        file.sync_data().unwrap();
        u64::try_from(started.elapsed().as_micros()).unwrap()
    });
    times.collect()
}

/// What one in a hundred exceeds.
fn tail(figures: &[u64]) -> u64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() * 99 / 100).copied().unwrap_or(0)
}
