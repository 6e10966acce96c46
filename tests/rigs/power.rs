//! The power goes at a random moment: what was acknowledged before has to be there when it is back. The
//! server of SQLite stands on the disk that is cut, or the cluster of PostgreSQL does.

use std::process::ExitCode;

use rand_chacha::ChaCha20Rng;
use rr_tests::cluster::Cluster;
use rr_tests::database::is_postgres;
use rr_tests::durability::Ledger;
use rr_tests::load::Repeats;
use rr_tests::process::{Program, make_key};

use crate::disk::Disk;
use crate::{NO_FLUSH, left_out, tally};

/// So often without a flush that does anything: those must lose.
const CONTROLS: u32 = 3;

pub(crate) async fn rig(rounds: u32, random: &mut ChaCha20Rng) -> bool {
    let disk = match Disk::new() {
        Ok(disk) => disk,
        Err(reason) => return left_out(&reason) == ExitCode::SUCCESS,
    };
    let mut all_good = true;
    for (name, wrapper, rounds) in [
        ("power cuts", &[][..], rounds),
        ("power cuts, flushes that do nothing", &NO_FLUSH[..], CONTROLS),
    ] {
        let whole = if is_postgres() {
            cut_postgres(&disk, name, wrapper, rounds, random).await
        } else {
            cut_sqlite(&disk, name, wrapper, rounds, random).await
        };
        let is_control = !wrapper.is_empty();
        if is_control && whole {
            println!("VOID: the control lost nothing, so the rig sees nothing");
        }
        all_good &= whole != is_control;
    }
    all_good
}

async fn cut_sqlite(
    disk: &Disk,
    name: &str,
    wrapper: &[&str],
    rounds: u32,
    random: &mut ChaCha20Rng,
) -> bool {
    let url = format!("sqlite://{}", disk.mounted().join(format!("{rounds}.db")).display());
    Program::new(&url, ["migrate", "up"]).run().expect(0);
    let (_, key) = make_key(&url, &["write_webhooks"]);
    let mut ledger = Ledger::new(Repeats::Known);
    for _ in 0..rounds {
        let mut server = Program::new(&url, ["serve"]).with_log_file();
        if !wrapper.is_empty() {
            server = server.under(wrapper);
        }
        ledger.round(server, &key, random, Some(&|| disk.cut().unwrap())).await;
        disk.restore().unwrap();
    }
    ledger.settle_at_the_end(&url, &key).await;
    tally(name, &url, &ledger.acknowledged).await.is_whole()
}

async fn cut_postgres(
    disk: &Disk,
    name: &str,
    wrapper: &[&str],
    rounds: u32,
    random: &mut ChaCha20Rng,
) -> bool {
    let cluster = Cluster::start_on(&disk.mounted());
    let url = cluster.url();
    Program::new(&url, ["migrate", "up"]).run().expect(0);
    let (_, key) = make_key(&url, &["write_webhooks"]);
    // What is there so far is not what is tried.
    cluster.halt();
    disk.sync().unwrap();
    let mut ledger = Ledger::new(Repeats::Known);
    for _ in 0..rounds {
        if !cluster.start_again(wrapper) {
            let lost = ledger.acknowledged.len();
            println!("{name}, PostgreSQL: does not start again; {lost} acknowledged, all lost");
            return false;
        }
        let server = Program::new(&url, ["serve"]).with_log_file();
        ledger.round(server, &key, random, Some(&|| disk.cut().unwrap())).await;
        cluster.kill();
        disk.restore().unwrap();
    }
    let starts = cluster.start_again(&[]);
    if starts {
        ledger.settle_at_the_end(&url, &key).await;
    }
    let name = format!("{name}, PostgreSQL");
    let whole = starts && tally(&name, &url, &ledger.acknowledged).await.is_whole();
    cluster.kill();
    whole
}
