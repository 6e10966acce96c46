//! Whether what was acknowledged is there after a fault, exactly once.

use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha20Rng;

use crate::client::Client;
use crate::load::{Load, Repeats, Stopped, repeat, stored_names};
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
    /// Whether everything that was acknowledged is there, and nothing twice.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty()
    }

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

/// What is known between two faults.
#[derive(Debug)]
pub struct Ledger {
    /// Everything that was acknowledged and is to be there.
    pub acknowledged: Acknowledged,
    /// What nobody knows of, stored or not; it is sent again after the fault.
    open: Vec<String>,
    repeats: Repeats,
}

impl Ledger {
    /// Nothing was sent yet.
    pub fn new(repeats: Repeats) -> Ledger {
        Ledger { acknowledged: Vec::new(), open: Vec::new(), repeats }
    }

    /// Takes over what became of a load.
    pub fn take(&mut self, load: Stopped) {
        self.acknowledged.extend(load.acknowledged);
        self.open.extend(load.open);
    }

    /// Sends again what is open.
    pub async fn settle(&mut self, client: &Client) {
        let open = std::mem::take(&mut self.open);
        self.acknowledged.extend(repeat(client, open, self.repeats).await);
    }

    /// The same to a server that is started for it and ends well.
    pub async fn settle_at_the_end(&mut self, url: &str, key: &str) {
        let server = Program::new(url, ["serve"]).with_log_file().serve().await;
        self.settle(&server.client().with_key(key)).await;
    }

    /// Settles what the last round left open, runs `server` under load until a random moment, and only then
    /// lets `fault` happen, if there is one, and kills the server. What was acknowledged before is promised.
    ///
    /// Every other time the senders hang up a moment before, so that much is stored whose answer nobody hears.
    pub async fn round(
        &mut self,
        server: Program,
        key: &str,
        random: &mut ChaCha20Rng,
        fault: Option<&dyn Fn()>,
    ) {
        let mut server = server.serve().await;
        let client = server.client().with_key(key);
        self.settle(&client).await;
        let load = Load::start(&client, SENDERS);
        tokio::time::sleep(moment(random)).await;
        if self.repeats == Repeats::Unknown || random.random_bool(0.5) {
            load.hang_up();
            tokio::time::sleep(Duration::from_millis(random.random_range(0..20))).await;
        }
        let promised = fault.map(|fault| {
            let promised = load.acknowledged();
            fault();
            promised
        });
        server.kill();
        let mut stopped = load.stop().await;
        // What was acknowledged after the fault is nobody's promise any more.
        let promised = promised.unwrap_or(stopped.acknowledged.len());
        let later = stopped.acknowledged.split_off(promised);
        stopped.open.extend(later.into_iter().map(|(name, _)| name));
        self.take(stopped);
    }
}

/// Kills the server with SIGKILL at a random moment of each round.
pub async fn kill_rounds(
    url: &str,
    key: &str,
    rounds: u32,
    random: &mut ChaCha20Rng,
    repeats: Repeats,
) -> Acknowledged {
    let mut ledger = Ledger::new(repeats);
    for _ in 0..rounds {
        ledger.round(Program::new(url, ["serve"]), key, random, None).await;
    }
    ledger.settle_at_the_end(url, key).await;
    ledger.acknowledged
}

fn moment(random: &mut ChaCha20Rng) -> Duration {
    Duration::from_millis(random.random_range(20..900))
}
