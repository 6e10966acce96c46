//! Events: once only, exact, findable.

use futures_util::future::join_all;

use super::*;
use crate::AcceptEvent::{Conflict, Repeated, Stored};
use crate::{AcceptEvent, EventBody, EventFilter, NewEvent, OfferedEvent, Together};

#[tokio::test]
async fn a_repeat_stores_nothing_and_names_the_first() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let accept = |n, id| store.accept_event(event(n), id);
    assert_eq!(accept(1, once("a", 1)).await.unwrap(), Stored(id(1)));
    assert_eq!(accept(2, once("a", 1)).await.unwrap(), Repeated(id(1)));
    assert_eq!(accept(3, once("a", 2)).await.unwrap(), Conflict);
    assert_eq!(accept(4, once("b", 2)).await.unwrap(), Stored(id(4)));
    assert_eq!(accept(5, None).await.unwrap(), Stored(id(5)));
    let mut elsewhere = once("a", 2).unwrap();
    elsewhere.scope = "webhook-id/2".to_owned();
    assert_eq!(accept(6, Some(elsewhere)).await.unwrap(), Stored(id(6)));
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 4);
    assert_eq!(number(&store, "SELECT count(*) FROM idempotency_keys").await, 3);
    assert_eq!(store.forget_idempotency(at(5), audit(6)).await.unwrap(), 2);
    assert_eq!(accept(7, once("a", 1)).await.unwrap(), Stored(id(7)), "forgotten");
}

#[tokio::test]
async fn ids_are_forgotten_in_steps_the_oldest_first() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for second in [3_i64, 2, 1] {
        let offers = (0..400).map(|number| OfferedEvent {
            event: NewEvent {
                id: id(1_000 * u128::from(second.unsigned_abs()) + number),
                received_at: at(second),
                ..event(number)
            },
            ids: once(&format!("{second}/{number}"), 1).into_iter().collect(),
        });
        store.accept_events(offers.collect(), Together::EachByItself).await.unwrap();
    }
    let left = async |query| number(&store, query).await;
    assert_eq!(store.forget_idempotency(at(3), audit(4)).await.unwrap(), 500);
    assert_eq!(left("SELECT count(*) FROM idempotency_keys WHERE key LIKE '1/%'").await, 0);
    assert_eq!(left("SELECT count(*) FROM idempotency_keys WHERE key LIKE '2/%'").await, 300);
    assert_eq!(store.forget_idempotency(at(3), audit(4)).await.unwrap(), 300);
    assert_eq!(store.forget_idempotency(at(3), audit(4)).await.unwrap(), 0);
    assert_eq!(left("SELECT count(*) FROM idempotency_keys").await, 400);
    // A sweep takes as many steps as it needs.
    store.sweep(std::time::Duration::from_secs(10), audit(14)).await;
    assert_eq!(left("SELECT count(*) FROM idempotency_keys").await, 0);
}

#[tokio::test]
async fn any_of_several_ids_tells_a_repeat() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let both = |a: &str, b: &str, fingerprint| {
        once(a, fingerprint).into_iter().chain(once(b, fingerprint))
    };
    assert_eq!(store.accept_event(event(1), both("a", "x", 1)).await.unwrap(), Stored(id(1)));
    let accept = |n, ids| store.accept_event(event(n), ids);
    // Together, so that they share a transaction.
    let (again, lone, other, fresh) = tokio::join!(
        accept(2, both("a", "y", 1)),
        accept(3, both("z", "x", 1)),
        accept(4, both("x", "w", 2)),
        accept(5, both("u", "v", 1)),
    );
    assert_eq!(again.unwrap(), Repeated(id(1)));
    assert_eq!(lone.unwrap(), Repeated(id(1)));
    assert_eq!(other.unwrap(), Conflict);
    assert_eq!(fresh.unwrap(), Stored(id(5)));
    // An id that came with a repeat stands for the first event as well, one of a conflict for none.
    for known in ["y", "z"] {
        assert_eq!(store.accept_event(event(6), once(known, 1)).await.unwrap(), Repeated(id(1)));
    }
    assert_eq!(store.accept_event(event(7), once("w", 2)).await.unwrap(), Stored(id(7)));
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 3);
}

/// Events that come together: (number, ids, fingerprint of them all).
async fn offer(
    store: &crate::Store,
    offers: &[(u128, &[&str], u8)],
    together: Together,
) -> Vec<AcceptEvent> {
    let offers = offers.iter().map(|(number, ids, fingerprint)| OfferedEvent {
        event: event(*number),
        ids: ids.iter().flat_map(|id| once(id, *fingerprint)).collect(),
    });
    store.accept_events(offers.collect(), together).await.unwrap()
}

#[tokio::test]
async fn events_that_come_together_are_told_apart_one_by_one() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let all = || Together::AllOrNothing(None);
    let answers =
        offer(&store, &[(1, &["r", "a"], 1), (2, &["b"], 1), (3, &["a"], 1)], all()).await;
    assert_eq!(answers, [Stored(id(1)), Stored(id(2)), Repeated(id(1))]);
    let answers =
        offer(&store, &[(4, &["r", "a"], 1), (5, &["b"], 1), (6, &["a"], 1)], all()).await;
    assert_eq!(answers, [Repeated(id(1)), Repeated(id(2)), Repeated(id(1))]);
    let answers = offer(&store, &[(7, &["s", "b"], 1), (8, &["c"], 1), (9, &[], 1)], all()).await;
    assert_eq!(answers, [Repeated(id(2)), Stored(id(8)), Stored(id(9))]);
    let again = store.accept_event(event(10), once("s", 1)).await.unwrap();
    assert_eq!(again, Repeated(id(2)), "an id that came with a repeat stands for the first event");
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 4);
}

#[tokio::test]
async fn a_conflict_takes_the_others_with_it_or_not() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    offer(&store, &[(1, &["a"], 1)], Together::AllOrNothing(None)).await;
    let mixed: [(u128, &[&str], u8); 4] =
        [(2, &["n", "o"], 1), (3, &["a", "p"], 2), (4, &["p"], 2), (5, &[], 1)];
    let answers = offer(&store, &mixed, Together::AllOrNothing(None)).await;
    assert!(answers.contains(&Conflict), "{answers:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM idempotency_keys").await, 1);
    // By themselves: an id that a conflict brought along is free for the next one.
    let answers = offer(&store, &mixed, Together::EachByItself).await;
    assert_eq!(answers, [Stored(id(2)), Conflict, Stored(id(4)), Stored(id(5))]);
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 4);
    assert_eq!(number(&store, "SELECT count(*) FROM idempotency_keys").await, 4);
}

#[tokio::test]
async fn whichever_of_many_was_here_before_is_told_by_its_own_first() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let key = |n: u128| format!("{n:03}");
    // At the edges of the parts that SQLite takes at a time; the last one with another body.
    let known = [0, 31, 32, 95, 96, 99];
    for n in known {
        let fingerprint = if n == 99 { 2 } else { 1 };
        let stored = store.accept_event(event(1_000 + n), once(&key(n), fingerprint)).await;
        assert_eq!(stored.unwrap(), Stored(id(1_000 + n)));
    }
    let send = |from: u128| {
        let offers = (0..100)
            .map(|n| OfferedEvent {
                event: event(from + n),
                ids: once(&key(n), 1).into_iter().collect(),
            })
            .collect();
        store.accept_events(offers, Together::EachByItself)
    };
    let first = |n| if known.contains(&n) { 1_000 + n } else { 2_000 + n };
    for (from, is_new) in [(2_000, true), (3_000, false)] {
        for (n, answer) in (0..).zip(send(from).await.unwrap()) {
            let expected = match n {
                99 => Conflict,
                _ if is_new && !known.contains(&n) => Stored(id(2_000 + n)),
                _ => Repeated(id(first(n))),
            };
            assert_eq!(answer, expected, "{n} of those from {from}");
        }
    }
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 100);
}

#[tokio::test]
async fn many_events_with_many_ids_fit_the_bind_limits() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let sends = (0..20_u128).map(|job| {
        let store = &store;
        let offers = (0..1_000_u128).map(move |line| OfferedEvent {
            event: event(1 + job * 1_000 + line),
            ids: once(&format!("{job}#{line}"), 1).into_iter().collect(),
        });
        store.accept_events(offers.collect(), Together::EachByItself)
    });
    let answers = join_all(sends).await;
    assert!(answers.iter().all(|answers| answers.as_ref().unwrap().len() == 1_000));
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 20_000);
    assert_eq!(number(&store, "SELECT count(*) FROM idempotency_keys").await, 20_000);
}

#[tokio::test]
async fn concurrent_repeats_have_one_effect_and_one_answer() {
    let database = TestDatabase::new();
    let one = database.migrated().await;
    let two = database.open();
    let accepts = (0..80_u128).map(|n| {
        let store = if n % 2 == 0 { &one } else { &two };
        // Every fifth sends another body under the same id.
        let fingerprint = if n % 5 == 4 { 2 } else { 1 };
        store.accept_event(event(n), once("same", fingerprint))
    });
    let answers: Vec<_> = join_all(accepts).await.into_iter().map(Result::unwrap).collect();
    let stored: Vec<_> =
        answers.iter().filter_map(|a| if let Stored(id) = a { Some(*id) } else { None }).collect();
    assert_eq!(stored.len(), 1, "{answers:?}");
    let of_winner = answers.iter().position(|answer| *answer == Stored(stored[0])).unwrap();
    let winner_is_odd_body = of_winner % 5 == 4;
    for (number, answer) in answers.iter().enumerate().filter(|(n, _)| *n != of_winner) {
        let same_body = (number % 5 == 4) == winner_is_odd_body;
        let expected = if same_body { Repeated(stored[0]) } else { Conflict };
        assert_eq!(*answer, expected, "{number}");
    }
    assert_eq!(number(&one, "SELECT count(*) FROM events").await, 1);
}

#[tokio::test]
async fn data_and_body_come_back_exactly() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let texts = [
        r#"{"z":1,"a":2,"a b":{"y":[],"x":null}}"#,
        r#"{ "spaced" :  [ 1.0 , 1.50, 1e5, -0, 12345678901234567890.12345678901234567890 ] }"#,
        "{\"unicode\":\"é\\u00e9\\ud83d\\ude00😀\",\n\t\"escaped\":\"a\\/b\\\"\"}",
        r#"{}"#,
    ];
    for (number, text) in (1..).zip(texts) {
        let body = vec![0, 159, 146, 150, b'\n'];
        let sent = crate::NewEvent {
            data: raw(text),
            body: body.clone(),
            content_type: "application/cloudevents+json; charset=utf-8".to_owned(),
            occurred_at: Some(rr_domain::Timestamp::parse("2024-02-29T12:00:00.123456Z").unwrap()),
            ..event(number)
        };
        store.accept_event(sent.clone(), None).await.unwrap();
        let page = store.events(EventFilter::default(), first(1)).await.unwrap();
        let row = &page.items[0];
        assert_eq!(row.data.get(), text);
        assert_eq!(
            (row.id, row.key_id, row.occurred_at, row.received_at),
            (sent.id, sent.key_id, sent.occurred_at, sent.received_at)
        );
        assert_eq!((&*row.event_type, &*row.source), ("deployment", "ci"));
        let content_type = sent.content_type;
        assert_eq!(
            store.event_body(sent.id).await.unwrap(),
            Some(EventBody { content_type, body })
        );
    }
    assert_eq!(store.event_body(id(999)).await.unwrap(), None);
}

#[tokio::test]
async fn a_page_of_large_events_ends_early_and_goes_on() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(250_000));
    for number in 0..70_u128 {
        let data = if number < 50 { raw(&large) } else { raw("{}") };
        store.accept_event(crate::NewEvent { data, ..event(number) }, None).await.unwrap();
    }
    let (mut seen, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let request = crate::PageRequest { limit: 1000, cursor };
        let page = store.events(EventFilter::default(), request).await.unwrap();
        sizes.push(page.items.len());
        seen.extend(page.items.iter().map(|row| row.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..70).rev().map(id).collect::<Vec<_>>());
    assert!(sizes.len() > 1 && sizes.iter().all(|size| (1..70).contains(size)), "{sizes:?}");
    // Small ones fill the page, over the boundaries at which they are read.
    for number in 100..200_u128 {
        store.accept_event(event(number), None).await.unwrap();
    }
    for limit in [1, 31, 32, 33, 63, 64, 65, 99] {
        let page = store.events(EventFilter::default(), first(limit)).await.unwrap();
        assert_eq!(page.items.len(), usize::try_from(limit).unwrap());
        assert!(page.next.is_some());
    }
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for number in 0..10_u128 {
        let mut sent = event(number);
        sent.event_type = if number % 2 == 0 { "alert" } else { "deployment" }.to_owned();
        sent.source = if number < 5 { "ci" } else { "cron" }.to_owned();
        store.accept_event(sent, None).await.unwrap();
    }
    let find = async |filter: EventFilter| {
        let page = store.events(filter, first(100)).await.unwrap();
        page.items.iter().map(|row| row.id.as_u128() - id(0).as_u128()).collect::<Vec<_>>()
    };
    let none = EventFilter::default;
    let alert = Some("alert".to_owned());
    let cron = Some("cron".to_owned());
    assert_eq!(find(none()).await, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(find(EventFilter { event_type: alert.clone(), ..none() }).await, [8, 6, 4, 2, 0]);
    assert_eq!(find(EventFilter { source: cron.clone(), ..none() }).await, [9, 8, 7, 6, 5]);
    let both = EventFilter { event_type: alert, source: cron, ..none() };
    assert_eq!(find(both).await, [8, 6]);
    let between = EventFilter { from: Some(at(3)), to: Some(at(6)), ..none() };
    assert_eq!(find(between).await, [5, 4, 3]);
    assert!(
        find(EventFilter { event_type: Some("' OR 1=1 --".to_owned()), ..none() }).await.is_empty()
    );
}
