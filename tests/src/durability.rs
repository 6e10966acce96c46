//! Whether what was acknowledged is there after a fault, exactly once.

use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha20Rng;

use crate::load::{Load, stored_names};
use crate::process::Program;

/// How many senders work at once.
const SENDERS: usize = 16;

/// Names and ids of events whose senders were told that they are safe.
pub type Acknowledged = Vec<(String, String)>;

/// What was found after all faults.
#[derive(Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many events were acknowledged.
    pub acknowledged: usize,
    /// Those of them that are not there, or under another id.
    pub lost: Vec<String>,
    /// Events that are there more than once.
    pub doubled: Vec<String>,
}

impl Tally {
    /// Compares what is stored with what was acknowledged.
    pub async fn of(url: &str, acknowledged: &Acknowledged) -> Tally {
        let stored = stored_names(url).await;
        let is_lost =
            |(name, id): &&(String, String)| !stored.get(name).is_some_and(|ids| ids.contains(id));
        let lost = acknowledged.iter().filter(is_lost).map(|(name, _)| name.clone()).collect();
        let doubled = stored.iter().filter(|(_, ids)| ids.len() > 1);
        Tally {
            acknowledged: acknowledged.len(),
            lost,
            doubled: doubled.map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// Kills the server with SIGKILL at a random moment of each round.
pub async fn kill_rounds(
    url: &str,
    key: &str,
    rounds: u32,
    random: &mut ChaCha20Rng,
) -> Acknowledged {
    let mut acknowledged = Vec::new();
    for _ in 0..rounds {
        let mut server = Program::new(url, ["serve"]).serve().await;
        let load = Load::start(&server.client().with_key(key), SENDERS);
        tokio::time::sleep(moment(random)).await;
        server.kill();
        acknowledged.extend(load.stop().await);
    }
    acknowledged
}

/// Runs `server` under load until a random moment, gives what was acknowledged until then, and only
/// then lets `fault` happen and kills the server.
pub async fn round(
    server: Program,
    key: &str,
    random: &mut ChaCha20Rng,
    fault: impl FnOnce(),
) -> Acknowledged {
    let mut server = server.serve().await;
    let load = Load::start(&server.client().with_key(key), SENDERS);
    tokio::time::sleep(moment(random)).await;
    let acknowledged = load.acknowledged_so_far();
    fault();
    server.kill();
    // What came later is nobody's promise any more.
    drop(load.stop().await);
    acknowledged
}

fn moment(random: &mut ChaCha20Rng) -> Duration {
    Duration::from_millis(random.random_range(20..900))
}
