//! Requests per second of the real server against a bare handler of the same framework, in one run:
//! rounds interleaved, medians, ratios. A closed loop: each connection asks again when it has its
//! answer. Carry the ratios; the absolute figures belong to the machine.
//!
//! `cargo xtask bench http` builds what this needs and runs it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that goes wrong should say so and stop"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rr_tests::database::TestDatabase;
use rr_tests::measure::{
    BARE, Bare, Target, get, list, median, option, post_event, resident_kib, serve_if_asked,
};
use rr_tests::process::{Program, RealServer, binary, make_key};

const WEBHOOK: &str = "/api/devops/webhook";

struct Options {
    round: Duration,
    rounds: u64,
    connections: Vec<u64>,
}

fn main() {
    if serve_if_asked() {
        return;
    }
    let options = Options {
        round: Duration::from_secs(option("--seconds").unwrap_or(3)),
        rounds: option("--rounds").unwrap_or(5),
        connections: list("--connections").unwrap_or_else(|| vec![64, 256]),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&options));
}

async fn measure(options: &Options) {
    let database = TestDatabase::migrated().await;
    Program::new(database.url(), ["seed", "--demo"]).run().expect(0);
    let (_, key) = make_key(database.url(), &["read_metrics", "write_webhooks"]);

    print_start_up(&database).await;
    let server = Program::new(database.url(), ["serve"]).env("RR_LOG", "info").with_log_file();
    let server = server.serve().await;
    let ours: SocketAddr = server.client().address().parse().unwrap();
    let users = "/api/devops/sync/users";
    let bare = Bare::like(&server.client().with_key(&key).get(users).await.expect(200));
    for connections in &options.connections {
        let mut targets = [
            Target::new("bare, the same bytes", bare.address, bare.pid(), get(BARE, &key)),
            Target::new("sync/users with key", ours, server.pid(), get(users, &key)),
            Target::new("bare POST", bare.address, bare.pid(), post_event(BARE, "")),
            Target::new("webhook, durable", ours, server.pid(), post_event(WEBHOOK, &key)),
        ];
        // Pair by pair: what the disk still does after a round of webhooks would slow down the bare reads.
        for pair in targets.chunks_mut(2) {
            for _ in 0..options.rounds {
                for target in &mut *pair {
                    target.round(*connections, options.round).await;
                }
            }
        }
        print(&targets, *connections, options);
    }
    println!("{:<22} {:>10} KiB after the load", "memory", resident_kib(server.pid()));
}

fn print(targets: &[Target], connections: u64, options: &Options) {
    let (rounds, seconds) = (options.rounds, options.round.as_secs());
    println!();
    println!("{connections} connections, {rounds} rounds of {seconds} s, medians");
    println!("{:<22} {:>10} {:>9} {:>14}", "what", "requests/s", "of bare", "CPU µs/request");
    for pair in targets.chunks(2) {
        let [bare, ours] = pair else { continue };
        for target in [bare, ours] {
            let percent = median(&target.rates) * 100 / median(&bare.rates).max(1);
            println!(
                "{:<22} {:>10} {:>8}% {:>14}",
                target.name,
                median(&target.rates),
                percent,
                median(&target.micros_per_request)
            );
        }
    }
}

async fn print_start_up(database: &TestDatabase) {
    let mut until_first_answer = Vec::new();
    let mut idle = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let server: RealServer = Program::new(database.url(), ["serve"]).serve().await;
        server.client().get("/healthz").await.expect(200);
        until_first_answer.push(u64::try_from(started.elapsed().as_millis()).unwrap());
        tokio::time::sleep(Duration::from_millis(300)).await;
        idle.push(resident_kib(server.pid()));
    }
    let size = std::fs::metadata(binary()).unwrap().len();
    println!("start to first answer  {:>10} ms", median(&until_first_answer));
    println!("memory, idle           {:>10} KiB", median(&idle));
    println!("binary                 {:>10} KiB", size / 1024);
}
