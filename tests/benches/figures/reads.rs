//! Reading: what a request for figures has to do beneath HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use rr_store::{DatabaseUrl, Store, StoreOptions};
use rr_sync::Figures;
use rr_sync::ledger::Account;

use super::histories::{History, until};
use super::{median, nanos, nanos_each, print_sizes, ratio, time};

const READS: u32 = 2_000;
/// So many instants, this far apart, lie within what the board looks ahead.
const MOMENTS: u32 = 40;
const APART: Duration = Duration::from_secs(61);

type Endpoint = (&'static str, fn(&Figures) -> Vec<u8>);

const ENDPOINTS: [Endpoint; 4] = [
    ("sync/users", |figures| serde_json::to_vec(&figures.users).unwrap()),
    ("sync/revenue", |figures| serde_json::to_vec(&figures.revenue).unwrap()),
    ("sync/commissions", |figures| serde_json::to_vec(&figures.commissions).unwrap()),
    ("dashboard", |figures| serde_json::to_vec(&figures.dashboard).unwrap()),
];

/// Prints what each endpoint's figures cost, by size.
pub(crate) async fn measure(histories: &[History], rounds: u64) {
    let sizes: Vec<String> =
        histories.iter().map(|history| format!("{:>11}", history.users)).collect();
    println!("\n{:<44}{} {:>9}", "users", sizes.concat(), "last/first");
    let mut read = vec![vec![Vec::new(); histories.len()]; ENDPOINTS.len()];
    let [mut load, mut moved, mut past, mut year, mut grouped] =
        std::array::from_fn(|_| vec![Vec::new(); histories.len()]);
    for _ in 0..rounds {
        for (size, history) in histories.iter().enumerate() {
            let started = Instant::now();
            let store = open(history);
            store.figures(until()).await.unwrap();
            load[size].push(nanos(started.elapsed()));

            for (endpoint, (_, body)) in ENDPOINTS.iter().enumerate() {
                store.follow_ledger(until()).await.unwrap();
                read[endpoint][size].push(read_again(&store, *body));
            }
            store.follow_ledger(until()).await.unwrap();
            moved[size].push(read_while_time_passes(&store));

            let started = Instant::now();
            store.standing_at(until().minus(Duration::from_secs(100 * 86_400 + 1))).await.unwrap();
            past[size].push(nanos(started.elapsed()));
            let months = (0..=12).rev().map(|month| month * 30 * 86_400);
            let months = months.map(|ago| until().minus(Duration::from_secs(ago))).collect();
            let accounts = vec![Account::Subscriptions, Account::Movements, Account::Revenue];
            let started = Instant::now();
            store.spans(months, accounts, true).await.unwrap();
            year[size].push(nanos(started.elapsed()));
            store.close().await;
            grouped[size].push(group_by(history));
        }
    }
    for ((name, _), figures) in ENDPOINTS.iter().zip(&read) {
        print_sizes(&format!("{name}: from memory to JSON (goal ≤ 1.2)"), figures);
    }
    print_sizes("all figures anew as the minute changes", &moved);
    print_sizes("open the database and load the board", &load);
    print_sizes("what stood 100 days ago (as_of)", &past);
    print_sizes("12 months of three accounts (series)", &year);
    print_sizes("GROUP BY role, status over the users", &grouped);
    let own = median(read[0].last().unwrap());
    let replaced = median(grouped.last().unwrap());
    println!("GROUP BY / sync/users at the largest: {} × ({})", ratio(replaced, own), time(own));
}

pub(crate) fn open(history: &History) -> Store {
    Store::open(StoreOptions::new(DatabaseUrl::parse(&history.url()).unwrap())).unwrap()
}

fn read_again(store: &Store, body: fn(&Figures) -> Vec<u8>) -> u64 {
    let runtime = tokio::runtime::Handle::current();
    let mut bytes = 0;
    let each = tokio::task::block_in_place(|| {
        nanos_each(READS, |_| {
            let figures: Arc<Figures> = runtime.block_on(store.figures(until())).unwrap();
            bytes += body(&figures).len();
        })
    });
    assert!(bytes > 0);
    each
}

/// Nothing new is written, but each read is a minute later, so that windows have moved.
fn read_while_time_passes(store: &Store) -> u64 {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        nanos_each(MOMENTS, |moment| {
            let now = until().plus(APART * (moment + 1));
            runtime.block_on(store.figures(now)).unwrap();
        })
    })
}

/// What a server without a ledger asks the database for one of the figures.
fn group_by(history: &History) -> u64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let mut connection = SqliteConnection::establish(&history.path.to_string_lossy()).unwrap();
    let started = Instant::now();
    let query = "SELECT count(*) AS count FROM users GROUP BY role, status";
    let rows: Vec<Row> = diesel::sql_query(query).load(&mut connection).unwrap();
    let elapsed = nanos(started.elapsed());
    let users: i64 = rows.iter().map(|row| row.count).sum();
    assert_eq!(u64::try_from(users).unwrap(), history.users);
    elapsed
}
