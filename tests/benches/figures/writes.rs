//! Writing: facts with everything they move, against the same rows inserted and nothing else.
//!
//! Both sides write to the same kind of file at the same durability, one transaction for each batch.
//! The plain side has the same table of facts with the same indexes, and an audit row in each
//! transaction as the store has.

use std::fs;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use rr_domain::{Fact, FactKind, Interval, Label, Product, SubscriptionStatus, Timestamp};
use rr_store::{Actor, Audit};
use uuid::{Builder, Uuid};

use super::histories::{History, until};
use super::{median, nanos, ratio, reads, time};

/// How many facts a commit has.
const BATCHES: [u64; 3] = [1, 64, 512];
/// How many facts of each batch size are written in a round.
const FACTS: u64 = 2_048;
/// Both sides write to a copy of the history; of the largest there is no room for two.
const LARGEST_COPIED: u64 = 1_000_000;
/// As the store's connections have them.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16000;";

/// Prints the time of a fact, with its ledger and without.
pub(crate) async fn measure(histories: &[History], rounds: u64) {
    println!("\n{:<32}{:>12}{:>12}{:>9}", "a fact, SQLite", "ledger", "plain", "goal ≤ 2");
    for history in histories.iter().filter(|history| history.users <= LARGEST_COPIED) {
        let folder = tempfile::TempDir::new().unwrap();
        let ours = copy(history, &folder.path().join("ours.db"));
        let plain = copy(history, &folder.path().join("plain.db"));
        let store = reads::open(&ours);
        let mut connection = SqliteConnection::establish(&plain.path.to_string_lossy()).unwrap();
        connection.batch_execute(SETTINGS).unwrap();
        store.figures(until()).await.unwrap();
        let mut last = facts_in(&mut connection);
        let mut next = 0;
        for batch in BATCHES {
            let (mut with_ledger, mut without) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let count = if batch == 1 { FACTS / 8 } else { FACTS };
                let facts: Vec<Fact> = (next..next + count).map(fact).collect();
                next += count;
                let parts = facts.chunks(usize::try_from(batch).unwrap());
                let started = Instant::now();
                for part in parts.clone() {
                    store.append_facts(part.to_vec(), audit()).await.unwrap();
                }
                with_ledger.push(nanos(started.elapsed()) / count);
                let started = Instant::now();
                for part in parts {
                    last = insert(&mut connection, last, part);
                }
                without.push(nanos(started.elapsed()) / count);
            }
            let (ledger, plain) = (median(&with_ledger), median(&without));
            let what = format!("{} users, {batch} a commit", history.users);
            println!(
                "{what:<32}{:>12}{:>12}{:>9}",
                time(ledger),
                time(plain),
                ratio(ledger, plain)
            );
        }
        store.close().await;
    }
}

/// A copy, so that the kept history stays what it is.
fn copy(history: &History, path: &std::path::Path) -> History {
    let mut connection = SqliteConnection::establish(&history.path.to_string_lossy()).unwrap();
    connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    fs::copy(&history.path, path).unwrap();
    History { users: history.users, path: path.to_owned() }
}

fn audit() -> Audit {
    Audit { at: until(), actor: Actor::System, request_id: None, address: None }
}

/// A day of business in turn: somebody signs up, subscribes, pays, and somebody earns for it.
fn fact(number: u64) -> Fact {
    let occurred_at = until().plus(std::time::Duration::from_micros(number));
    let subject = id(occurred_at, number, 1);
    let tier = Label::MEMBERSHIP;
    let kind = match number % 4 {
        0 => FactKind::UserCreated { user: subject, role: Label::MEMBER, status: Label::ACTIVE },
        1 => FactKind::SubscriptionStarted {
            subscription: subject,
            customer: id(occurred_at, number, 2),
            tier,
            status: SubscriptionStatus::Active,
            price: 4_700,
            quantity: 1,
            interval: Interval::MONTHLY,
        },
        2 => {
            let product = Product::Subscription(tier);
            FactKind::PaymentCaptured { payment: subject, product, amount: 4_700 }
        }
        _ => FactKind::CommissionAccrued {
            commission: subject,
            affiliate: format!("affiliate{}", number % 500),
            tier,
            sale: 4_700,
            amount: 2_350,
            payable_at: occurred_at.plus(std::time::Duration::from_secs(30 * 86_400)),
        },
    };
    Fact { id: id(occurred_at, number, 0), occurred_at, kind }
}

/// An id that sorts by time, as the real ones do.
fn id(at: Timestamp, number: u64, which: u8) -> Uuid {
    let millis = u64::try_from(at.micros() / 1_000).unwrap();
    let mut bytes = [which; 10];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

fn facts_in(connection: &mut SqliteConnection) -> i64 {
    diesel::dsl::sql::<BigInt>("SELECT coalesce(max(seq), 0) FROM facts")
        .get_result(connection)
        .unwrap()
}

/// The plain insert; gives the number of the last fact.
fn insert(connection: &mut SqliteConnection, last: i64, facts: &[Fact]) -> i64 {
    let rows: Vec<String> = facts.iter().map(|_| "(?, ?, ?, ?, ?, ?, ?, ?)".to_owned()).collect();
    let text = format!(
        "INSERT INTO facts (seq, id, occurred_at, recorded_at, kind, body, subject, owner) VALUES {}",
        rows.join(", ")
    );
    let mut query = diesel::sql_query(text).into_boxed();
    let mut seq = last;
    for fact in facts {
        seq += 1;
        let body = serde_json::to_value(&fact.kind).unwrap();
        let uuid = |name: &str| {
            let text = body[name].as_str()?;
            Some(Uuid::parse_str(text).unwrap().as_bytes().to_vec())
        };
        let names = ["user", "subscription", "payment", "commission"];
        let subject = names.into_iter().find_map(uuid).unwrap();
        query = query
            .bind::<BigInt, _>(seq)
            .bind::<Binary, _>(fact.id.as_bytes().to_vec())
            .bind::<BigInt, _>(fact.occurred_at.micros())
            .bind::<BigInt, _>(until().micros())
            .bind::<Text, _>(body["kind"].as_str().unwrap().to_owned())
            .bind::<Text, _>(body.to_string())
            .bind::<Binary, _>(subject)
            .bind::<Nullable<Binary>, _>(uuid("customer"));
    }
    connection.batch_execute("BEGIN IMMEDIATE").unwrap();
    query.execute(connection).unwrap();
    let audit =
        "INSERT INTO activity_log (at, actor, action, detail) VALUES (0, 'system', 'x', '{}')";
    connection.batch_execute(audit).unwrap();
    connection.batch_execute("COMMIT").unwrap();
    seq
}
