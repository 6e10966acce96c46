//! Events go when their source keeps them no longer, the oldest first; what they said stays.

use std::time::Duration;

use rr_webhooks::understand;

use super::*;
use crate::{AcceptEvent, Chore, Expiry, NewEvent, SourcePatch, WebhookSource};

const DAY: i64 = 86_400;

/// An event of a source, of a body of ten bytes, that arrived so many days in.
fn on_day(number: u128, day: i64, source: Option<u128>) -> NewEvent {
    NewEvent {
        webhook_source: source.map(id),
        received_at: at(day * DAY),
        body: vec![b' '; 10],
        meaning: understand("deployment", "ci", &raw("{}")),
        ..event(number)
    }
}

async fn left(store: &crate::Store) -> Vec<u128> {
    let page = store.events(crate::EventFilter::default(), first(1_000)).await.unwrap();
    let mut left: Vec<u128> =
        page.items.iter().map(|row| row.id.as_u128() - id(0).as_u128()).collect();
    left.sort_unstable();
    left
}

#[tokio::test]
async fn each_source_keeps_its_own_by_age_and_by_size() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let aged = WebhookSource { id: Some(id(801)), retention_days: Some(3), ..source("aged") };
    let sized = WebhookSource { id: Some(id(802)), retention_bytes: Some(25), ..source("sized") };
    store.create_webhook_source(aged, audit(0)).await.unwrap();
    store.create_webhook_source(sized, audit(0)).await.unwrap();
    for day in 0..5_i64 {
        let number = u128::try_from(day).unwrap();
        let ids = once(&format!("e{day}"), 1);
        store.accept_event(on_day(10 + number, day, Some(801)), ids).await.unwrap();
        store.accept_event(on_day(20 + number, day, Some(802)), None).await.unwrap();
        store.accept_event(on_day(30 + number, day, None), None).await.unwrap();
    }
    // What is exactly three days old is kept, and a second later it is not.
    assert_eq!(swept(&store, 5 * DAY).await, 5);
    assert_eq!(left(&store).await, [12, 13, 14, 23, 24, 30, 31, 32, 33, 34]);
    assert_eq!(swept(&store, 5 * DAY + 1).await, 1);
    assert_eq!(left(&store).await, [13, 14, 23, 24, 30, 31, 32, 33, 34]);
    assert_eq!(store.event_bytes(Some(id(802))).await.unwrap(), 20);
    assert_eq!(number(&store, "SELECT count(*) FROM event_bodies").await, 9);
    assert_eq!(number(&store, "SELECT count(*) FROM meanings").await, 15, "figures stay");
    assert_eq!(swept(&store, 5 * DAY + 1).await, 0);
    assert_eq!(audited(&store, "events.expired").await, 3);
    let again = store.accept_event(on_day(50, 5, Some(801)), once("e0", 1)).await.unwrap();
    assert_eq!(again, AcceptEvent::Repeated(id(10)), "a repeat is known although its event went");
}

#[tokio::test]
async fn many_go_in_steps() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let events = (0..1_200).map(|number| on_day(number, 0, None)).collect();
    let batch = crate::ImportBatch { events, ..crate::ImportBatch::default() };
    store.import_batch(batch, audit(0)).await.unwrap();
    let mut steps = Vec::new();
    loop {
        let gone = store.expire_events(None, Expiry::Before(at(DAY)), audit(DAY)).await.unwrap();
        assert_eq!(gone.bytes, 10 * i64::try_from(gone.events).unwrap());
        if gone.events == 0 {
            break;
        }
        steps.push(gone.events);
    }
    assert_eq!(steps, [500, 500, 200]);
    assert_eq!(number(&store, "SELECT count(*) FROM event_bodies").await, 0);
}

#[tokio::test]
async fn events_of_a_source_that_was_removed_are_kept_as_long_as_the_default_ones() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for (name, number) in [("gone", 801), ("stays", 802)] {
        let source = WebhookSource { id: Some(id(number)), ..source(name) };
        store.create_webhook_source(source, audit(0)).await.unwrap();
    }
    for (number, source) in [(1, Some(801)), (2, Some(802)), (3, None)] {
        store.accept_event(on_day(number, 0, source), None).await.unwrap();
        store.accept_event(on_day(10 + number, 5, source), None).await.unwrap();
    }
    let days = |days| SourcePatch { retention_days: Some(Some(days)), ..SourcePatch::default() };
    store.change_webhook_source("default".to_owned(), days(3), audit(0)).await.unwrap();
    assert_eq!(swept(&store, 6 * DAY).await, 1);
    assert_eq!(
        left(&store).await,
        [1, 2, 11, 12, 13],
        "while its source is there it is not theirs"
    );
    assert!(store.remove_webhook_source("gone".to_owned(), audit(6 * DAY)).await.unwrap());
    assert_eq!(store.event_bytes(None).await.unwrap(), 30);
    assert_eq!(swept(&store, 6 * DAY).await, 1);
    assert_eq!(left(&store).await, [2, 11, 12, 13]);
    // By size as well: they are one heap.
    let bytes = SourcePatch { retention_bytes: Some(Some(10)), ..SourcePatch::default() };
    store.change_webhook_source("default".to_owned(), bytes, audit(0)).await.unwrap();
    assert_eq!(swept(&store, 6 * DAY).await, 1);
    assert_eq!(left(&store).await, [2, 12, 13]);
}

#[tokio::test]
async fn a_source_that_cannot_be_swept_keeps_no_other_from_it() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for (name, number) in [("stuck", 801), ("well", 802)] {
        let days = Some(3);
        let source = WebhookSource { id: Some(id(number)), retention_days: days, ..source(name) };
        store.create_webhook_source(source, audit(0)).await.unwrap();
        store.accept_event(on_day(number, 0, Some(number)), None).await.unwrap();
    }
    let refuses = if on_postgres() {
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'stuck' USING ERRCODE = 'query_canceled'; END $$;
         CREATE TRIGGER stuck BEFORE DELETE ON events FOR EACH ROW \
             WHEN (OLD.webhook_source = '01900000-0000-7000-8000-000000000321') \
             EXECUTE FUNCTION refuse()"
    } else {
        "CREATE TRIGGER stuck BEFORE DELETE ON events \
             WHEN OLD.webhook_source = x'01900000000070008000000000000321' \
             BEGIN SELECT RAISE(ABORT, 'stuck'); END"
    };
    execute(&store, refuses).await;
    for (chore, outcome) in store.sweep(Duration::from_secs(86_400), audit(5 * DAY)).await {
        assert_eq!(outcome.is_err(), chore == Chore::EventsOf("stuck".to_owned()), "{chore}");
    }
    assert_eq!(left(&store).await, [801]);
    assert_eq!(store.stats().failed_chores, 1);
    execute(
        &store,
        if on_postgres() { "DROP FUNCTION refuse CASCADE" } else { "DROP TRIGGER stuck" },
    )
    .await;
    assert_eq!(swept(&store, 5 * DAY).await, 1);
    assert_eq!(store.stats().failed_chores, 1);
}
