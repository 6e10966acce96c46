//! The board against the recomputation.

use std::time::Duration;

use proptest::prelude::*;

use super::book::Book;
use super::next_change::timeless;
use super::oracle::{crowded_history, history, moment};
use super::*;
use crate::ledger::{Account, Entry, Sum};
use crate::{Board, Need};

/// The board's figures must be the computed ones. When they change next each may say in its own way.
fn check(book: &Book, board: &mut Board, now: Timestamp, rows: usize) {
    book.feed(board, now, rows);
    let shown = board.figures(now).unwrap();
    let mut expected = compute(&book.facts, now);
    expected.next_change = shown.next_change;
    assert_eq!(shown, expected, "at {now}, floor {}", board.floor());
}

/// What is done with a history: in which order it is told, when it is read, and how.
fn reading() -> impl Strategy<Value = (Vec<Fact>, Vec<(Timestamp, bool)>, usize)> {
    let order = prop_oneof![3 => history(), 1 => crowded_history()].prop_flat_map(|facts| {
        let mut repeated = facts.clone();
        repeated.extend(facts.iter().step_by(5).cloned());
        Just(repeated).prop_shuffle()
    });
    (order, prop::collection::vec((moment(), any::<bool>()), 12), 1..20_usize)
}

proptest! {
    #[test]
    fn a_board_that_follows_equals_the_recomputation((facts, mut reads, rows) in reading()) {
        reads.sort();
        let mut book = Book::default();
        let mut board = book.board(reads[0].0.minus(Duration::from_secs(86_400)));
        let part = facts.len() / reads.len() + 1;
        let mut parts = facts.chunks(part);
        for (now, settles) in reads {
            for fact in parts.next().unwrap_or_default() {
                let entries = book.post(fact);
                board.apply(&entries, book.seq());
            }
            book.feed(&mut board, now, rows);
            if settles {
                board.settle(now);
            }
            check(&book, &mut board, now, rows);
        }
    }

    #[test]
    fn a_board_that_was_loaded_equals_the_recomputation((facts, reads, rows) in reading()) {
        let book = Book::of(&facts);
        for (now, at_once) in reads {
            let lead = Duration::from_secs(if at_once { 0 } else { 40 * 86_400 });
            check(&book, &mut book.board(now.minus(lead)), now, rows);
        }
    }

    #[test]
    fn figures_hold_until_the_next_change(
        (facts, reads, rows) in reading(),
        fraction in 0.0..1.0_f64,
    ) {
        let book = Book::of(&facts);
        let now = reads[0].0;
        let mut board = book.board(now);
        book.feed(&mut board, now, rows);
        let shown = board.figures(now).unwrap();
        let end = shown.next_change.unwrap_or_else(|| at("2026-01-01"));
        prop_assert!(end > now);
        let last = end.minus(Duration::from_micros(1));
        let between = now.plus(last.since(now).mul_f64(fraction)).min(last);
        for moment in [between, last] {
            let mut later = timeless(compute(&book.facts, moment));
            later.next_change = shown.next_change;
            prop_assert_eq!(later, timeless(shown.clone()), "{}", moment);
        }
    }

    #[test]
    fn the_best_of_many_affiliates_are_found(
        sales in prop::collection::vec((0..40_u128, 0..60_u128, 0..8_i64, 0..20_i64), 1..200),
        rows in 1..13_usize,
    ) {
        let mut book = Book::default();
        let mut board = book.board(at("2024-01-01"));
        for (number, (affiliate, commission, amount, day)) in (1..).zip(sales) {
            // Now and then someone leaps to the front, or loses all of it.
            let kind = match amount {
                0 => reversed(commission, 60),
                1 => earned(commission, &format!("affiliate {affiliate}"), "a", 10, 50),
                _ => earned(commission, &format!("affiliate {affiliate}"), "a", 10, amount),
            };
            let occurred_at = at("2023-12-28").plus(Duration::from_secs(day.unsigned_abs() * 86_400));
            let entries = book.post(&Fact { id: id(number), occurred_at, kind });
            board.apply(&entries, book.seq());
            if number % 40 == 0 {
                // One that is loaded knows the best only; one that saw the first sale knows all.
                board = book.board(board.floor());
            }
            if number % 50 == 0 {
                let next = board.floor().plus(Duration::from_secs(2 * 86_400));
                book.feed(&mut board, next, rows);
                board.settle(next);
            }
            if number % 3 == 0 {
                let now = board.floor().plus(Duration::from_secs(86_400));
                check(&book, &mut board, now, rows);
            }
        }
    }
}

#[test]
fn the_list_of_affiliates_is_asked_for_again_when_it_grew_and_not_because_it_is_long() {
    let floor = at("2024-01-01");
    let sum = |amount| Sum { count: 1, amount };
    let name = |n: u32| format!("affiliate {n}");
    let best = || (0..20).map(|n| (name(n), sum(1_000 - i128::from(n)))).collect::<Vec<_>>();
    let later = || (100..20_100).map(|n| (name(n), sum(1), sum(1))).collect::<Vec<_>>();
    let earned = |n: u32| Entry {
        at: floor,
        account: Account::Affiliates,
        group: name(n),
        count: 1,
        amount: 1,
        since: None,
        fact: id(n.into()),
    };
    for complete in [true, false] {
        let mut board = Board::load(floor, 0, [], []);
        let needs_affiliates = |board: &Board| board.need(floor) == Some(Need::Affiliates);
        assert!(needs_affiliates(&board));
        board.give_affiliates(best(), complete, later());
        assert!(!needs_affiliates(&board), "it would be told of the same ones");
        let many: Vec<Entry> = (30_000..40_001).map(earned).collect();
        board.apply(&many, 1);
        assert!(needs_affiliates(&board), "it would grow without end");
        board.give_affiliates(best(), complete, later());
        assert!(!needs_affiliates(&board));
    }
}

#[test]
fn a_board_speaks_of_the_time_between_floor_and_horizon() {
    let book = Book::of(&story([("2024-01-01", user(1, "member"))]));
    let mut board = book.board(at("2024-01-02"));
    assert_eq!(board.figures(at("2024-01-01")), None);
    assert!(board.figures(at("2024-01-02")).is_some());
    assert_eq!(board.figures(at("2024-01-03")), None, "what comes then is not known");
    book.feed(&mut board, at("2024-01-03"), 20);
    assert!(board.figures(at("2024-01-03T01:00:00Z")).is_some(), "an hour more is known");
    board.settle(at("2024-01-03"));
    board.settle(at("2024-01-01"));
    assert_eq!(board.floor(), at("2024-01-03"), "a clock that goes back does not move it back");
    assert_eq!(board.seq(), 1);
}

#[test]
fn many_entries_are_let_go_and_fetched_again_when_those_left_are_taken_back() {
    let mut book = Book::default();
    let mut board = book.board(at("2024-06-01"));
    // From here on it knows every entry, until there are too many.
    book.feed(&mut board, at("2024-06-01"), 20);
    let first = at("2024-01-01");
    let capture = |number: u64| Fact {
        id: id(number.into()),
        occurred_at: first.plus(Duration::from_secs(number)),
        kind: captured(number.into(), "a", 1),
    };
    for number in 1..=600 {
        let entries = book.post(&capture(number));
        board.apply(&entries, book.seq());
    }
    check(&book, &mut board, at("2024-06-01"), 20);
    // An earlier capture of each of the newest payments becomes known: the later ones never were.
    for number in (430..=600_u64).rev() {
        let earlier = Fact {
            id: id(u128::from(number) + 10_000),
            occurred_at: first.minus(Duration::from_secs(number)),
            kind: captured(number.into(), "b", 2),
        };
        let entries = book.post(&earlier);
        assert_eq!(entries.iter().filter(|entry| entry.account == Account::Revenue).count(), 2);
        board.apply(&entries, book.seq());
        if number % 10 == 0 {
            check(&book, &mut board, at("2024-06-01"), 20);
        }
    }
}
