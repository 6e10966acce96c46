//! What events say happened is kept with them, once, and costs nothing where they say nothing.

use rr_sync::dora::{Asked, Window};
use rr_webhooks::{Meaning, understand};

use super::*;
use crate::NewEvent;
use crate::dora::Most;
use crate::{OfferedEvent, Together};

fn deployment(number: u128) -> NewEvent {
    let data = raw(r#"{"id":"d1","service":"shop","environment":"production","status":"success",
        "started_at":"2026-01-01T00:00:10Z","finished_at":"2026-01-01T00:01:00Z"}"#);
    NewEvent { meaning: understand("deployment", "ci", &data), data, ..event(number) }
}

#[tokio::test]
async fn an_event_that_is_understood_leaves_one_row_and_no_other_does() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let rows = "SELECT count(*) FROM meanings";
    store.accept_event(event(1), None).await.unwrap();
    assert_eq!(number(&store, rows).await, 0);
    store.accept_event(deployment(2), once("a", 1)).await.unwrap();
    store.accept_event(deployment(3), once("a", 1)).await.unwrap();
    assert_eq!(number(&store, rows).await, 1, "a repeat says nothing new");
    // Between others, each meaning stands beside its own event.
    let silent = |number| OfferedEvent { event: event(number), ids: Vec::new() };
    let told = |number| OfferedEvent { event: deployment(number), ids: Vec::new() };
    let offers = vec![silent(4), told(5), silent(6), told(7)];
    store.accept_events(offers, Together::EachByItself).await.unwrap();
    let beside = "SELECT count(*) FROM meanings m JOIN events e ON e.seq = m.event_seq \
        WHERE e.id = m.event_id AND e.received_at = m.received_at";
    assert_eq!(number(&store, beside).await, 3);
    let batch = crate::ImportBatch { events: vec![deployment(8)], ..Default::default() };
    store.import_batch(batch, audit(9)).await.unwrap();
    assert_eq!(number(&store, beside).await, 4, "imported ones are understood as well");
    let read = "SELECT count(*) FROM meanings WHERE kind = 'deployment' AND subject = 'd1' AND \
        service = 'shop' AND environment = 'production' AND state = 'succeeded'";
    assert_eq!(number(&store, read).await, 4);
}

#[tokio::test]
async fn event_time_and_arrival_time_are_apart() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let late = NewEvent { received_at: at(1_000), ..deployment(1) };
    let untold = NewEvent {
        meaning: understand("deployment", "ci", &raw("{}")),
        received_at: at(2_000),
        ..event(2)
    };
    assert!(matches!(untold.meaning, Meaning::Deployment(_)));
    store.accept_event(late, None).await.unwrap();
    store.accept_event(untold, None).await.unwrap();
    let store = &store;
    let seconds = async |seq: i64, column: &str| {
        let column = if on_postgres() {
            format!("extract(epoch FROM {column})::bigint")
        } else {
            format!("{column} / 1000000")
        };
        let query = format!("SELECT {column} FROM meanings WHERE event_seq = {seq}");
        number(store, query.leak()).await - at(0).seconds()
    };
    assert_eq!((seconds(1, "began_at").await, seconds(1, "at").await), (10, 60));
    assert_eq!(seconds(1, "received_at").await, 1_000);
    assert_eq!((seconds(2, "began_at").await, seconds(2, "at").await), (2_000, 2_000));
}

#[tokio::test]
async fn figures_of_one_place_are_had_where_all_would_be_too_much() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let deployment = |number: u32, service: &str| {
        let data = raw(&format!(
            r#"{{"service":"{service}","status":"success","finished_at":"2026-01-02T00:00:00Z"}}"#
        ));
        NewEvent { meaning: understand("deployment", "ci", &data), data, ..event(number.into()) }
    };
    let push = |number: u32| {
        let change = serde_json::json!({"kind": "change", "service": "busy",
            "commits": [{"sha": format!("c{number}"), "committed_at": at(0)}]});
        NewEvent { meaning: serde_json::from_value(change).unwrap(), ..event(number.into()) }
    };
    let events = (0..60).map(|number| match number {
        0..20 => push(number),
        20..58 => deployment(number, "busy"),
        _ => deployment(number, "calm"),
    });
    let offers = events.map(|event| OfferedEvent { event, ids: Vec::new() }).collect();
    store.accept_events(offers, Together::EachByItself).await.unwrap();

    let window = Window { from: at(0), to: at(14 * 86_400) };
    let calm = Asked::new(Some("calm".to_owned()), None);
    let held = async |asked: &Asked, bytes, commits| {
        store.dora_within(window, asked.clone(), Most { bytes, commits }).await.unwrap()
    };
    let all = held(&Asked::default(), 1 << 20, 20).await.unwrap();
    assert_eq!(all.services.iter().map(|one| one.deployments).collect::<Vec<_>>(), [38, 2]);
    assert_eq!(held(&Asked::default(), 5_000, 20).await, None, "bytes of deployments");
    let narrow = held(&calm, 5_000, 20).await.unwrap();
    assert_eq!(narrow.services[..], all.services[1..]);
    assert_eq!(held(&calm, 5_000, 19).await, None, "commits");
    let usual = store.dora(window, Asked::default()).await.unwrap();
    assert_eq!(usual, Some(all));
}
