//! Migrations: there and back, together, all or nothing.

use std::num::NonZeroU32;
use std::time::Duration;

use rr_keys::{RateLimit, RateLimits};

use super::*;
use crate::{Migration, NewEvent, StoreError};

#[tokio::test]
async fn up_down_and_up_again() {
    let database = TestDatabase::new();
    let store = database.open();
    assert!(matches!(store.ready().await, Err(StoreError::Outdated)));
    let early = store.create_key(key(1), None, audit(1)).await;
    assert!(matches!(early, Err(StoreError::Outdated)), "{early:?}");
    let all = store.migrate().await.unwrap();
    assert!(all.len() >= 5);
    store.ready().await.unwrap();
    assert!(store.migrate().await.unwrap().is_empty());
    let applied = store.migration_status().await.unwrap();
    assert!(applied.iter().all(|migration| migration.applied));

    let mut back = Vec::new();
    while let Some(name) = store.migrate_down().await.unwrap() {
        back.push(name);
    }
    assert_eq!(back, all.iter().rev().cloned().collect::<Vec<_>>());
    let status = store.migration_status().await.unwrap();
    let none = |name: &String| Migration { name: name.clone(), applied: false };
    assert_eq!(status, all.iter().map(none).collect::<Vec<_>>());
    let tables = if on_postgres() {
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'revenue_ripple'"
    } else {
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    assert_eq!(number(&store, tables).await, 1, "only the list of migrations is left");

    assert_eq!(store.migrate().await.unwrap(), all);
    store.accept_event(event(1), once("a", 1)).await.unwrap();
    store.ready().await.unwrap();
}

#[tokio::test]
async fn several_processes_may_start_together() {
    let database = TestDatabase::new();
    let stores: Vec<_> = (0..4).map(|_| database.open()).collect();
    let ran = futures_util::future::join_all(stores.iter().map(|store| store.migrate())).await;
    let ran: Vec<_> =
        ran.into_iter().map(Result::unwrap).filter(|names| !names.is_empty()).collect();
    assert_eq!(ran.len(), 1, "one did it all: {ran:?}");
    for store in &stores {
        store.ready().await.unwrap();
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let database = TestDatabase::new();
    let store = database.open();
    // Something of the same name stands in the way of the fourth.
    if on_postgres() {
        execute(&store, "CREATE SCHEMA revenue_ripple; CREATE TABLE revenue_ripple.facts (x int)")
            .await;
    } else {
        execute(&store, "CREATE TABLE facts (x INTEGER)").await;
    }
    let failed = store.migrate().await;
    assert!(matches!(failed, Err(StoreError::Internal(_))), "{failed:?}");
    let status = store.migration_status().await.unwrap();
    assert!(status.iter().all(|migration| !migration.applied), "{status:?}");
    assert!(matches!(store.keys(first(1)).await, Err(StoreError::Outdated)), "no table was left");
    execute(&store, "DROP TABLE facts").await;
    assert_eq!(store.migrate().await.unwrap().len(), status.len());
}

#[tokio::test]
async fn a_newer_release_is_not_undone() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    execute(&store, "INSERT INTO schema_migrations (name) VALUES ('9999_from_the_future')").await;
    store.ready().await.unwrap();
    assert!(store.migrate().await.unwrap().is_empty(), "nothing of ours is missing");
    let refused = store.migrate_down().await.unwrap_err();
    let StoreError::Internal(cause) = refused else { panic!("{refused:?}") };
    assert!(cause.to_string().contains("9999_from_the_future"), "{cause}");
}

/// What an earlier release stored, which had neither meanings nor months.
#[tokio::test]
async fn events_of_an_earlier_release_keep_their_bodies_and_are_understood() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let kept = |number, event_type: &str, data: &str| NewEvent {
        event_type: event_type.to_owned(),
        received_at: at(i64::try_from(number).unwrap() * 40 * 86_400),
        body: data.as_bytes().to_vec(),
        data: raw(data),
        ..event(number)
    };
    let deployed = r#"{"event_type":"deployment","status":"success","environment":"production"}"#;
    let cdevent = r#"{"specversion":"1.0","data":{"context":{"id":"1","source":"/ci"},"subject":
        {"id":"shop","content":{"environment":{"id":"prod"},"artifactId":"pkg:oci/shop"}}}}"#;
    let events = [
        kept(1, "deployment", deployed),
        kept(2, "dev.cdevents.service.deployed.0.3.0", cdevent),
        kept(3, "anything", r#"{"status":"success"}"#),
    ];
    for event in events.clone() {
        store.accept_event(event, None).await.unwrap();
    }
    let status = store.migration_status().await.unwrap();
    let names = status.iter().map(|migration| migration.name.as_str());
    let steps: Vec<_> = names.skip_while(|name| *name != "0014_bodies_by_month").collect();
    for step in steps.iter().rev() {
        assert_eq!(store.migrate_down().await.unwrap().as_deref(), Some(*step));
    }
    assert_eq!(number(&store, "SELECT count(*) FROM meanings").await, 0);
    assert_eq!(store.migrate().await.unwrap(), steps);
    for event in events {
        let body = store.event_body(event.id).await.unwrap().unwrap();
        assert_eq!(body.body, event.body);
    }
    let understood = "SELECT count(*) FROM meanings m JOIN events e ON e.seq = m.event_seq \
        WHERE m.kind = 'deployment' AND m.environment IS NOT NULL AND e.id = m.event_id";
    assert_eq!(number(&store, understood).await, 2);
    store.migrate_down().await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(number(&store, understood).await, 2, "once, however often it is asked");
}

/// A release that had one window without a name and others with names, in two columns.
#[tokio::test]
async fn the_windows_of_a_key_outlive_the_change_to_one_list() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let limits = |names: &[&str]| {
        let window = Duration::from_secs(60);
        let limit = |uses: usize| NonZeroU32::new(u32::try_from(uses).unwrap()).unwrap();
        RateLimits::new(names.iter().enumerate().map(|(place, name)| {
            (name.parse().unwrap(), RateLimit { limit: limit(place + 1), window })
        }))
        .unwrap()
    };
    // What they are, and what becomes of them on the way back and forth.
    let lists: [(&[&str], &[&str]); 4] = [
        (&[], &[]),
        (&["default"], &["default"]),
        (&["default", "burst", "day"], &["default", "burst", "day"]),
        (&["a", "b", "c", "d"], &["default", "b", "c", "d"]),
    ];
    for (number, (names, _)) in (1..).zip(lists) {
        let mut key = key(number);
        key.record.rate_limits = limits(names);
        store.create_key(key, None, audit(1)).await.unwrap();
    }
    while store.migrate_down().await.unwrap().unwrap() != "0017_rate_limits" {}
    let apart = "SELECT count(*) FROM api_keys WHERE rate_limit IS NOT NULL";
    assert_eq!(number(&store, apart).await, 3);
    store.migrate().await.unwrap();
    for (number, (_, names)) in (1..).zip(lists) {
        let row = store.key(id(number)).await.unwrap().unwrap();
        assert_eq!(row.record.rate_limits, limits(names));
    }
}
