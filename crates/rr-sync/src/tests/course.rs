//! The course of all sums against the entries of the ledger, instant by instant.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::book::Book;
use super::oracle::{crowded_history, history, moment};
use super::*;
use crate::course::{Change, Course, Place};
use crate::ledger::Entry;

/// What the entries change, by what they change; those that take each other back change nothing.
fn changes<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeMap<Place, Change> {
    let mut changes: BTreeMap<Place, Change> = BTreeMap::new();
    for entry in entries {
        let Entry { at, account, group, since, .. } = entry.clone();
        let change =
            changes.entry(Place { at, account: account.as_str(), group, since }).or_default();
        change.count += entry.count;
        change.amount += i128::from(entry.amount);
    }
    changes.retain(|_, change| *change != Change::default());
    changes
}

proptest! {
    #[test]
    fn the_course_is_what_the_entries_say(
        facts in prop_oneof![3 => history(), 1 => crowded_history()].prop_shuffle(),
        mut stops in prop::collection::vec(moment(), 0..6),
    ) {
        let book = Book::of(&facts);
        let mut in_time = book.facts.clone();
        in_time.sort_by_key(|fact| fact.occurred_at);
        stops.push(Timestamp::EPOCH.plus(Duration::MAX));
        stops.sort();
        let mut course = Course::new();
        let mut facts = in_time.iter().peekable();
        let mut told = BTreeMap::new();
        let mut last = None;
        for (number, stop) in stops.into_iter().enumerate() {
            // Some of those of the very instant may have been told already.
            let is_told = |fact: &&Fact| {
                fact.occurred_at < stop || (fact.occurred_at == stop && number % 2 == 0)
            };
            while let Some(fact) = facts.next_if(is_told) {
                course.add(fact);
            }
            let part = course.until(stop);
            prop_assert!(part.keys().all(|place| place.at < stop && Some(place.at) >= last));
            last = Some(stop);
            told.extend(part);
        }
        prop_assert_eq!(course.next_due(), None);
        let expected = changes(&book.entries);
        let differ: BTreeSet<&Place> = told.keys().chain(expected.keys()).collect();
        for place in differ {
            prop_assert_eq!(told.get(place), expected.get(place), "{:?}", place);
        }
    }
}
