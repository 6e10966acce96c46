//! Events go when their source keeps them no longer, the oldest first; what they said stays.

use std::time::Duration;

use rr_webhooks::understand;
use serde_json::json;

use super::*;
use crate::{AcceptEvent, Chore, NewEvent, SourcePatch, WebhookSource};

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

/// So many events of the default source that arrived at once.
async fn arrived(store: &crate::Store, count: u128) {
    let events = (0..count).map(|number| on_day(number, 0, None)).collect();
    let batch = crate::ImportBatch { events, ..crate::ImportBatch::default() };
    store.import_batch(batch, audit(0)).await.unwrap();
}

fn days(days: i64) -> SourcePatch {
    SourcePatch { retention_days: Some(Some(days)), ..SourcePatch::default() }
}

async fn default_keeps(store: &crate::Store, patch: SourcePatch) {
    store.change_webhook_source("default".to_owned(), patch, audit(0)).await.unwrap();
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
    arrived(&store, 1_200).await;
    default_keeps(&store, days(1)).await;
    assert_eq!(store.expire_events(None, audit(2 * DAY)).await.unwrap(), 1_200);
    let rows = store.activity(first(100)).await.unwrap().items;
    let steps = rows.iter().rev().filter(|row| row.action == "events.expired");
    let steps: Vec<serde_json::Value> =
        steps.map(|row| serde_json::from_str(row.detail.get()).unwrap()).collect();
    let step = |count| json!({ "webhook_source": null, "count": count, "bytes": 10 * count });
    assert_eq!(steps, [500, 500, 200].map(step));
    assert_eq!(number(&store, "SELECT count(*) FROM event_bodies").await, 0);
}

#[tokio::test]
async fn the_writer_is_left_alone_until_something_is_to_go() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let other = WebhookSource { id: Some(id(801)), ..source("other") };
    store.create_webhook_source(other, audit(0)).await.unwrap();
    // More than one look takes in, and none of them is the default source's.
    let events = (0..2_100).map(|number| on_day(number, 0, Some(801))).collect();
    let batch = crate::ImportBatch { events, ..crate::ImportBatch::default() };
    store.import_batch(batch, audit(0)).await.unwrap();
    let both = SourcePatch { retention_bytes: Some(Some(10)), ..days(1) };
    default_keeps(&store, both).await;
    let before = store.stats().commits;
    assert_eq!(store.expire_events(None, audit(5 * DAY)).await.unwrap(), 0);
    assert_eq!(store.stats().commits, before);
    // Behind all of them are some that go.
    for number in 3_000..3_003 {
        store.accept_event(on_day(number, 1, None), None).await.unwrap();
    }
    assert_eq!(store.expire_events(None, audit(5 * DAY)).await.unwrap(), 3);
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 2_100);
}

#[tokio::test]
async fn events_of_a_source_that_was_removed_stay_as_many_days_as_the_default_ones() {
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
    default_keeps(&store, days(3)).await;
    assert_eq!(swept(&store, 6 * DAY).await, 1);
    assert_eq!(
        left(&store).await,
        [1, 2, 11, 12, 13],
        "while its source is there it is not theirs"
    );
    assert!(store.remove_webhook_source("gone".to_owned(), audit(6 * DAY)).await.unwrap());
    assert_eq!(swept(&store, 6 * DAY).await, 1);
    assert_eq!(left(&store).await, [2, 11, 12, 13]);
    // However many bytes the default source keeps: they count for none of them, and none of them goes for it.
    store.accept_event(on_day(21, 5, None), None).await.unwrap();
    let bytes = |most| SourcePatch { retention_bytes: Some(Some(most)), ..SourcePatch::default() };
    default_keeps(&store, bytes(20)).await;
    assert_eq!(swept(&store, 6 * DAY).await, 0);
    default_keeps(&store, bytes(10)).await;
    assert_eq!(swept(&store, 6 * DAY).await, 1);
    assert_eq!(left(&store).await, [2, 11, 12, 21]);
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

#[tokio::test]
async fn two_that_sweep_at_once_remove_no_more_than_one() {
    let database = TestDatabase::new();
    let one = database.migrated().await;
    let other = database.open();
    arrived(&one, 3_000).await;
    let bytes = SourcePatch { retention_bytes: Some(Some(20_005)), ..SourcePatch::default() };
    default_keeps(&one, bytes).await;
    let (here, there) = tokio::join!(swept(&one, DAY), swept(&other, DAY));
    assert_eq!(here + there, 1_000);
    assert_eq!(number(&one, "SELECT count(*) FROM events").await, 2_000);
    assert_eq!(number(&one, "SELECT min(seq) FROM events").await, 1_001, "the newest stay");
    assert_eq!(number(&one, "SELECT sum(length(body)) FROM event_bodies").await, 20_000);
}

#[tokio::test]
async fn what_is_changed_between_two_steps_holds_from_the_next_one() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    arrived(&store, 1_200).await;
    default_keeps(&store, days(1)).await;
    // Somebody thinks better of it as soon as the first are gone.
    let change = "UPDATE webhook_sources SET retention_days = NULL";
    let changes = if on_postgres() {
        format!(
            "CREATE FUNCTION think() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN {change}; RETURN NULL; END $$;
             CREATE TRIGGER think AFTER DELETE ON events EXECUTE FUNCTION think()"
        )
    } else {
        format!("CREATE TRIGGER think AFTER DELETE ON events BEGIN {change}; END")
    };
    execute(&store, changes).await;
    assert_eq!(swept(&store, 5 * DAY).await, 500);
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 700);
}
