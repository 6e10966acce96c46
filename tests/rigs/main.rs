//! Faults under load, many times over: after each of them, what was acknowledged has to be there,
//! exactly once. `cargo xtask rig kill|power|flush|slow|full` builds what this needs and runs it.
//!
//! A rig that finds nothing could be blind, so each one that takes something away from the server
//! ends with a control that must lose events: the same server whose flushes do nothing. Killing ends with one
//! that must double them: the same senders, whose repeats nobody can tell.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a rig tells what it found on the terminal, and a panic is how a failure is told"
)]

mod disk;
mod full;
mod power;
mod slow;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rr_tests::database::{TestDatabase, is_postgres};
use rr_tests::durability::{Acknowledged, Ledger, Tally, kill_rounds};
use rr_tests::load::Repeats;
use rr_tests::measure::option;
use rr_tests::process::{Program, make_key};

/// Makes every flush a lie: it is answered with success and does nothing.
const NO_FLUSH: [&str; 8] =
    ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync,fdatasync:retval=0"];

fn main() -> ExitCode {
    let rounds = option("--rounds").and_then(|rounds| u32::try_from(rounds).ok()).unwrap_or(20);
    let seed = option("--seed").unwrap_or_else(|| u64::from(std::process::id()));
    let what = std::env::args().nth(1).unwrap_or_default();
    let own_mounts = std::env::args().any(|argument| argument == OWN_MOUNTS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    if matches!(what.as_str(), "power" | "full") && !own_mounts {
        return with_own_mounts();
    }
    println!("{what}: {rounds} rounds, --seed {seed}");
    let good = match what.as_str() {
        "kill" => runtime.block_on(kill(rounds, &mut random)),
        "power" => runtime.block_on(power::rig(rounds, &mut random)),
        "flush" => runtime.block_on(flush(rounds, &mut random)),
        "slow" => runtime.block_on(slow::rig(rounds)),
        "full" => runtime.block_on(full::rig(rounds)),
        other => panic!("kill, power, flush, slow or full, not {other:?}"),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So often without what makes a repeat known: those must double.
const CONTROLS: u32 = 3;

async fn kill(rounds: u32, random: &mut ChaCha20Rng) -> bool {
    let tried = killed(rounds, random, Repeats::Known).await;
    let control = killed(CONTROLS, random, Repeats::Unknown).await;
    let is_blind = control.doubled.is_empty();
    if is_blind {
        println!("VOID: the control doubled nothing, so the rig sees no repeats");
    }
    tried.is_whole() && control.lost.is_empty() && !is_blind
}

async fn killed(rounds: u32, random: &mut ChaCha20Rng, repeats: Repeats) -> Tally {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let acknowledged = kill_rounds(database.url(), &key, rounds, random, repeats).await;
    let on = if is_postgres() { "PostgreSQL" } else { "SQLite" };
    let how = if repeats == Repeats::Known { "" } else { ", repeats without their key" };
    tally(&format!("SIGKILL, {on}{how}"), database.url(), &acknowledged).await
}

/// The argument of a rig that may mount what nobody else sees.
const OWN_MOUNTS: &str = "--own-mounts";

/// Becomes the same rig in a mount name space of its own.
fn with_own_mounts() -> ExitCode {
    let mut command = Command::new("unshare");
    command.arg("--mount").arg("--").arg(std::env::current_exe().unwrap());
    // The same again, but for the name of the program.
    let error = command.args(std::env::args().skip(1)).arg(OWN_MOUNTS).exec();
    left_out(&format!("unshare: {error}"))
}

fn left_out(reason: &str) -> ExitCode {
    eprintln!("LEFT OUT, nothing was tried: {reason}");
    ExitCode::SUCCESS
}

/// Each round, some later flush of the server's fails, and so do the two after it.
async fn flush(rounds: u32, random: &mut ChaCha20Rng) -> bool {
    let database = TestDatabase::migrated_sqlite().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let mut ledger = Ledger::new(Repeats::Known);
    for number in 1..=rounds {
        let fault =
            format!("inject=fsync,fdatasync:error=EIO:when={}..{}", number * 2, number * 2 + 2);
        let wrapper = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", &fault];
        let server = Program::new(database.url(), ["serve"]).with_log_file().under(&wrapper);
        ledger.round(server, &key, random, None).await;
    }
    ledger.settle_at_the_end(database.url(), &key).await;
    tally("flushes that fail", database.url(), &ledger.acknowledged).await.is_whole()
}

/// Finds out what is there, and says it.
async fn tally(what: &str, url: &str, acknowledged: &Acknowledged) -> Tally {
    let tally = Tally::of(url, acknowledged).await;
    let (lost, doubled) = (tally.lost.len(), tally.doubled.len());
    println!("{what}: {} acknowledged, {lost} lost, {doubled} doubled", tally.acknowledged);
    tally
}
