//! Bodies by months: made ahead, never in the way, and dropped as a whole.

use super::*;
use crate::{EventFilter, NewEvent, SourcePatch, Store, WebhookSource};

const DAY: i64 = 86_400;

/// The test's calendar begins with January 2026; this many days in.
fn on_day(number: u128, day: i64, source: Option<u128>) -> NewEvent {
    NewEvent { received_at: at(day * DAY), webhook_source: source.map(id), ..event(number) }
}

async fn rows_of(store: &Store, table: &str) -> i64 {
    number(store, format!("SELECT count(*) FROM {table}").leak()).await
}

async fn months(store: &Store) -> i64 {
    number(store, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'event_bodies'::regclass")
        .await
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_month_is_made_ahead_and_takes_over_what_came_too_early() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let made = months(&store).await;
    assert!(made >= 4, "this month, two to come, and the rest: {made}");
    // Nobody has prepared that month, and nothing is refused.
    store.accept_event(on_day(1, 3, None), once("a", 1)).await.unwrap();
    assert_eq!(rows_of(&store, "event_bodies_rest").await, 1);
    store.prepare_months(at(0)).await.unwrap();
    assert_eq!(months(&store).await, made + 3);
    assert_eq!(rows_of(&store, "event_bodies_rest").await, 0);
    assert_eq!(rows_of(&store, "event_bodies_2026_01").await, 1);
    store.prepare_months(at(0)).await.unwrap();
    assert_eq!(months(&store).await, made + 3, "once");
    store.accept_event(on_day(2, 40, None), None).await.unwrap();
    assert_eq!(rows_of(&store, "event_bodies_2026_02").await, 1);
    assert!(store.event_body(id(1)).await.unwrap().is_some());
    let again = store.accept_event(on_day(3, 3, None), once("a", 1)).await.unwrap();
    assert_eq!(again, crate::AcceptEvent::Repeated(id(1)), "a month never divides an id");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_month_goes_when_nobody_keeps_anything_of_it() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.prepare_months(at(0)).await.unwrap();
    let long = WebhookSource { id: Some(id(801)), retention_days: Some(60), ..source("long") };
    store.create_webhook_source(long, audit(0)).await.unwrap();
    let days = SourcePatch { retention_days: Some(Some(10)), ..SourcePatch::default() };
    store.change_webhook_source("default".to_owned(), days, audit(0)).await.unwrap();
    store.accept_event(on_day(1, 3, None), None).await.unwrap();
    store.accept_event(on_day(2, 3, Some(801)), None).await.unwrap();
    store.accept_event(on_day(3, 45, None), None).await.unwrap();

    // The default source has given January up, the other one has not.
    assert_eq!(store.drop_months(audit(50 * DAY)).await.unwrap(), 0);
    assert_eq!(swept(&store, 50 * DAY).await, 1);
    assert!(store.event_body(id(2)).await.unwrap().is_some());
    // Sixty days after the end of January it has as well. Of February it never had anything.
    let late = (31 + 60) * DAY;
    assert_eq!(store.drop_months(audit(late - 1)).await.unwrap(), 1, "February");
    assert_eq!(store.drop_months(audit(late)).await.unwrap(), 1, "January");
    let left = store.events(EventFilter::default(), first(10)).await.unwrap().items;
    assert_eq!(left.len(), 2, "events go step by step, also without their bodies");
    assert!(store.event_body(id(2)).await.unwrap().is_none());
    assert_eq!(swept(&store, late).await, 2);
    assert_eq!(rows_of(&store, "events").await, 0);
    // What comes late all the same is taken.
    store.accept_event(on_day(4, 4, None), None).await.unwrap();
    assert_eq!(rows_of(&store, "event_bodies_rest").await, 1);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn what_another_changes_until_the_writer_drops_a_month_holds() {
    let database = TestDatabase::new();
    let (store, other) = (database.migrated().await, database.open());
    store.prepare_months(at(0)).await.unwrap();
    store.accept_event(on_day(1, 3, None), None).await.unwrap();
    let keep = |days| {
        let patch = SourcePatch { retention_days: Some(days), ..SourcePatch::default() };
        other.change_webhook_source("default".to_owned(), patch, audit(0))
    };
    keep(Some(10)).await.unwrap();
    let (release, holding) = writer::hold(&store).await;
    let dropping = tokio::spawn({
        let store = store.clone();
        async move { store.drop_months(audit(50 * DAY)).await }
    });
    while store.stats().writer_queue_depth == 0 {
        tokio::task::yield_now().await;
    }
    keep(None).await.unwrap();
    drop(release);
    holding.await.unwrap();
    assert_eq!(dropping.await.unwrap().unwrap(), 0);
    assert!(store.event_body(id(1)).await.unwrap().is_some());
}
