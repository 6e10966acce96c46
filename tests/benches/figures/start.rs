//! Starting: how long until the server is ready, and what it then holds in memory.

use std::time::{Duration, Instant};

use rr_tests::process::{Program, make_key};

use super::histories::History;
use super::{median, nanos, print_sizes, time};

/// Prints start-up and resident memory, by size.
pub(crate) async fn measure(histories: &[History], rounds: u64) {
    let [mut ready, mut answered] = std::array::from_fn(|_| vec![Vec::new(); histories.len()]);
    let mut resident = vec![Vec::new(); histories.len()];
    for (size, history) in histories.iter().enumerate() {
        let (_, key) = make_key(&history.url(), &["read_metrics"]);
        for _ in 0..rounds {
            let started = Instant::now();
            let server = Program::new(&history.url(), ["serve"]).with_log_file().serve().await;
            let client = server.client().with_key(&key);
            while client.get("/readyz").await.code() != 200 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            ready[size].push(nanos(started.elapsed()));
            client.get("/api/devops/sync/users").await.expect(200);
            answered[size].push(nanos(started.elapsed()));
            tokio::time::sleep(Duration::from_millis(500)).await;
            resident[size].push(resident_kib(server.pid()));
        }
    }
    print_sizes("start to ready (goal ≤ 1 s)", &ready);
    print_sizes("start to the first figure", &answered);
    let largest = median(ready.last().unwrap());
    println!("ready with the largest after {}", time(largest));
    let kib: Vec<String> = resident.iter().map(|kib| format!("{:>7} KiB", median(kib))).collect();
    println!("{:<44}{}", "resident memory of the server, board loaded", kib.concat());
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
