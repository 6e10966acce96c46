//! Pages: every row once, in order, whatever arrives meanwhile.

use std::fmt::Debug;

use super::*;
use crate::{Cursor, EventFilter, ImportBatch, Page, PageRequest, StoreError, UserFilter};

/// Walks all pages and returns the rows in the order met.
async fn walk<T, K: Debug>(
    limit: u32,
    load: impl AsyncFn(PageRequest) -> Result<Page<T>, StoreError>,
    name: impl Fn(&T) -> K,
) -> Vec<K> {
    let mut met = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = load(PageRequest { limit, cursor }).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        met.extend(page.items.iter().map(&name));
        match page.next {
            // Through its text, as a client would send it back.
            Some(next) => cursor = Some(Cursor::parse(&next.to_string()).unwrap()),
            None => return met,
        }
    }
}

#[tokio::test]
async fn pages_hold_every_row_once_newest_first() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    // Many rows of the same instant: the tie-breaker has to carry the page.
    let batch = ImportBatch {
        users: (0..23_u128)
            .map(|n| crate::NewUser {
                created_at: at(i64::try_from(n / 7).unwrap()),
                ..user(n, &format!("u{n}"))
            })
            .collect(),
        events: (0..23_u128)
            .map(|n| crate::NewEvent { received_at: at(i64::try_from(n / 7).unwrap()), ..event(n) })
            .collect(),
        keys: (0..23).map(key).collect(),
        ..ImportBatch::default()
    };
    store.import_batch(batch, audit(0)).await.unwrap();
    for n in 0..22 {
        store.change_agents(|_| (), audit(n / 7)).await.unwrap();
    }
    let expected: Vec<_> = (0..23).rev().map(id).collect();
    for limit in [1, 5, 22, 23, 24] {
        let users = walk(limit, |p| store.users(UserFilter::default(), p), |row| row.id).await;
        assert_eq!(users, expected, "users by {limit}");
        let events = walk(limit, |p| store.events(EventFilter::default(), p), |row| row.id).await;
        assert_eq!(events, expected, "events by {limit}");
        let keys = walk(limit, |p| store.keys(p), |row| row.record.id).await;
        assert_eq!(keys, expected, "keys by {limit}");
        let activity = walk(limit, |p| store.activity(p), |row| (row.at, row.id)).await;
        assert_eq!(activity.len(), 23, "activity by {limit}");
        assert!(activity.is_sorted_by(|a, b| a > b), "activity by {limit}");
    }
}

#[tokio::test]
async fn a_row_that_arrives_between_pages_moves_nothing() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for n in 0..6 {
        store.accept_event(event(n), None).await.unwrap();
    }
    let page = store.events(EventFilter::default(), first(3)).await.unwrap();
    store.accept_event(event(50), None).await.unwrap();
    let rest = PageRequest { limit: 3, cursor: page.next };
    let rest = store.events(EventFilter::default(), rest).await.unwrap();
    let ids: Vec<_> = page.items.iter().chain(&rest.items).map(|row| row.id).collect();
    assert_eq!(ids, (0..6).rev().map(id).collect::<Vec<_>>());
}

#[tokio::test]
async fn users_are_found_by_role_status_and_part_of_the_email() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let mut users =
        vec![user(1, "ann@example.com"), user(2, "a_n@example.com"), user(3, "a%n@x.io")];
    users[1].role = rr_domain::Label::ADMIN;
    users[2].status = rr_domain::Label::parse("suspended").unwrap();
    store.import_batch(ImportBatch { users, ..ImportBatch::default() }, audit(0)).await.unwrap();
    let find = async |role: &str, status: &str, q: &str| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let filter = UserFilter { role: some(role), status: some(status), q: some(q) };
        let page = store.users(filter, first(10)).await.unwrap();
        page.items.iter().map(|row| row.email.clone()).collect::<Vec<_>>()
    };
    assert_eq!(find("admin", "", "").await, ["a_n@example.com"]);
    assert_eq!(find("", "suspended", "").await, ["a%n@x.io"]);
    assert_eq!(find("", "", "EXAMPLE").await, ["a_n@example.com", "ann@example.com"]);
    assert_eq!(find("", "", "a_n").await, ["a_n@example.com"]);
    assert_eq!(find("", "", "a%n").await, ["a%n@x.io"]);
    assert_eq!(find("member", "active", "ann").await, ["ann@example.com"]);
    assert!(find("", "", "!").await.is_empty());
}
