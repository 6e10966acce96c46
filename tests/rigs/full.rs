//! A disk that is really full: a small file system in memory under SQLite, filled up under load by somebody
//! else's file and freed again. While it is full everything is refused with 503 and read as before; what was
//! acknowledged is there afterwards, and once.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use rr_tests::client::Client;
use rr_tests::durability::Ledger;
use rr_tests::load::{Load, Repeats};
use rr_tests::process::{Program, make_key};
use serde_json::json;
use tempfile::TempDir;

use crate::{left_out, tally};

const SENDERS: usize = 16;
/// Room for the log of SQLite to grow and be emptied between two rounds.
const SIZE: &str = "size=64m";
/// For how long the disk is full, and is not, in each round.
const WHILE: Duration = Duration::from_millis(700);
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn rig(rounds: u32) -> bool {
    let folder = TempDir::with_prefix("rr-full-").unwrap();
    let mount = ["-t", "tmpfs", "-o", SIZE, "tmpfs"];
    let mounted = Command::new("mount").args(mount).arg(folder.path()).output().unwrap();
    if !mounted.status.success() {
        let reason = String::from_utf8_lossy(&mounted.stderr).into_owned();
        return left_out(&reason) == ExitCode::SUCCESS;
    }
    let url = format!("sqlite://{}", folder.path().join("full.db").display());
    Program::new(&url, ["migrate", "up"]).run().expect(0);
    let (_, key) = make_key(&url, &["write_webhooks", "read_events"]);
    let mut ledger = Ledger::new(Repeats::Known);
    let mut refused = 0;
    let server = Program::new(&url, ["serve"]).with_log_file().serve().await;
    let client = server.client().with_key(&key);
    let load = Load::start(&client, SENDERS);
    for _ in 0..rounds {
        grows(&load).await;
        let ballast = folder.path().join("ballast");
        fill(&ballast);
        refused += full(&client, &ballast).await;
        std::fs::remove_file(&ballast).unwrap();
    }
    grows(&load).await;
    ledger.take(load.stop().await);
    ledger.settle(&client).await;
    drop(server);
    println!("    {refused} offers refused with 503 while it was full");
    let tally = tally("full disks, SQLite", &url, &ledger.acknowledged).await;
    // Mounted where only this process sees it; the folder cannot be removed under it.
    let _ = Command::new("umount").arg("--lazy").arg(folder.path()).status();
    tally.is_whole() && refused > 0
}

/// Events are acknowledged, for a while.
async fn grows(load: &Load) {
    let (before, started) = (load.acknowledged(), Instant::now());
    while load.acknowledged() < before + 100 {
        assert!(started.elapsed() < PATIENCE, "nothing is taken");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(WHILE).await;
}

/// Takes what room there is.
fn fill(ballast: &Path) {
    let mut file = File::options().create(true).append(true).open(ballast).unwrap();
    loop {
        match file.write_all(&[0; 4096]) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Offers an event again and again while the disk is full; says how many were refused as they have to be.
async fn full(client: &Client, ballast: &Path) -> usize {
    let event = json!({"event_type": "probe", "fill": "x".repeat(50_000)});
    let (started, mut refused) = (Instant::now(), 0);
    while started.elapsed() < WHILE {
        // What SQLite gives back is taken as well.
        fill(ballast);
        let answer = client.post("/api/devops/webhook", &event).await;
        if answer.code() == 503 {
            answer.problem(503, "unavailable");
            refused += 1;
        } else {
            answer.expect(200);
        }
        client.get("/api/devops/events?limit=1").await.expect(200);
        client.get("/healthz").await.expect(200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    refused
}
