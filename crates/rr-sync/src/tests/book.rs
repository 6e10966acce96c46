//! A store as small as it gets: what a real one keeps in tables, in lists.

use std::collections::BTreeSet;

use super::*;
use crate::ledger::{Account, Entry, Subject, Sum, customer_of, posting};
use crate::metrics::{self, Span};
use crate::{Balances, Board, Need};

/// Facts in the order recorded, and the entries they led to.
#[derive(Default)]
pub(super) struct Book {
    pub(super) facts: Vec<Fact>,
    pub(super) entries: Vec<Entry>,
}

impl Book {
    pub(super) fn of(facts: &[Fact]) -> Book {
        let mut book = Book::default();
        for fact in facts {
            book.post(fact);
        }
        book
    }

    /// Records a fact that is not known yet, and says which entries it led to. Only the facts that
    /// [`posting`] asks for are looked at.
    pub(super) fn post(&mut self, fact: &Fact) -> Vec<Entry> {
        if self.facts.iter().any(|known| known.id == fact.id) {
            return Vec::new();
        }
        let subject = Subject::of(&fact.kind);
        let about = |fact: &Fact, id| Subject::of(&fact.kind) == id;
        let with_new = || self.facts.iter().chain([fact]);
        let customers: BTreeSet<Uuid> = with_new()
            .filter(|fact| about(fact, subject))
            .filter_map(|fact| customer_of(&fact.kind))
            .collect();
        let mut subjects: BTreeSet<Subject> = with_new()
            .filter(|fact| customer_of(&fact.kind).is_some_and(|who| customers.contains(&who)))
            .map(|fact| Subject::of(&fact.kind))
            .collect();
        subjects.insert(subject);
        let known: Vec<Fact> = self
            .facts
            .iter()
            .filter(|fact| subjects.contains(&Subject::of(&fact.kind)))
            .cloned()
            .collect();
        let entries = posting(&known, std::slice::from_ref(fact)).unwrap();
        self.facts.push(fact.clone());
        self.entries.extend(entries.iter().cloned());
        entries
    }

    /// What stands just before an instant.
    pub(super) fn balances_before(&self, moment: Timestamp) -> Balances {
        self.entries.iter().filter(|entry| entry.at < moment).collect()
    }

    /// The customers there were at the start of a period and who churned within.
    pub(super) fn churned(&self, (from, to): (Timestamp, Timestamp)) -> i64 {
        let within = |entry: &&Entry| {
            entry.account == Account::Movements
                && entry.group == "churn"
                && from <= entry.at
                && entry.at < to
                && entry.since.is_some_and(|since| since < from)
        };
        self.entries.iter().filter(within).map(|entry| entry.count).sum()
    }

    /// A named figure of a period, as it goes over the wire.
    pub(super) fn metric(&self, name: &str, (from, to): (Timestamp, Timestamp)) -> String {
        let (start, end) = (self.balances_before(from), self.balances_before(to));
        let span = Span { start: &start, end: &end, churned: self.churned((from, to)) };
        let value = metrics::find(name).unwrap().value(&span);
        serde_json::to_string(&value).unwrap()
    }

    /// A board loaded from the lists.
    pub(super) fn board(&self, floor: Timestamp) -> Board {
        let until: Vec<&Entry> = self.entries.iter().filter(|entry| entry.at <= floor).collect();
        let counters: Balances = until.iter().copied().collect();
        // An hour is known by any instant within it.
        let hours = until
            .iter()
            .filter(|entry| entry.at >= Board::hours_from(floor))
            .map(|entry| (entry.account, entry.at, entry.sum()));
        Board::load(floor, self.seq(), counters.iter(), hours)
    }

    pub(super) fn seq(&self) -> i64 {
        self.facts.len().try_into().unwrap()
    }

    /// Tells the board what it needs, `rows` at a time.
    pub(super) fn feed(&self, board: &mut Board, now: Timestamp, mut rows: usize) {
        while let Some(need) = board.need(now) {
            match need {
                Need::Pending { after, until } => {
                    let pending = |entry: &&Entry| after < entry.at && entry.at <= until;
                    let pending: Vec<Entry> =
                        self.entries.iter().filter(pending).cloned().collect();
                    board.give_pending(&pending, until);
                }
                Need::Affiliates => {
                    let (best, complete) = self.best_affiliates(rows);
                    let counters: Balances = self.entries.iter().collect();
                    let later = self.entries.iter().filter(|entry| entry.at > board.floor());
                    let later: Balances = later.collect();
                    let later = later
                        .groups(Account::Affiliates)
                        .map(|(name, later)| {
                            let counter = counters.group(Account::Affiliates, name);
                            (name.to_owned(), counter, later)
                        })
                        .collect();
                    board.give_affiliates(best, complete, later);
                }
                Need::Newest(account) => {
                    let (newest, complete) = self.newest(account, board.floor(), rows);
                    board.give_newest(account, &newest, complete);
                }
                Need::Minutes(account, hour) => {
                    let within = |entry: &&Entry| {
                        entry.account == account
                            && hour <= entry.at
                            && entry.at < hour.plus(std::time::Duration::from_secs(3_600))
                    };
                    let minute = |entry: &Entry| (entry.at.floor_to_minute(), entry.sum());
                    board.give_minutes(
                        account,
                        hour,
                        self.entries.iter().filter(within).map(minute),
                    );
                }
                Need::Facts(ids) => {
                    board.give_facts(self.facts.iter().filter(|fact| ids.contains(&fact.id)));
                }
            }
            // A few more at a time, so that not all are known at once.
            rows += 1 + rows / 8;
            assert!(rows < 10_000, "the board is never content");
        }
    }

    fn best_affiliates(&self, rows: usize) -> (Vec<(String, Sum)>, bool) {
        let counters: Balances = self.entries.iter().collect();
        let mut all: Vec<(String, Sum)> = counters
            .groups(Account::Affiliates)
            .map(|(name, sum)| (name.to_owned(), sum))
            .collect();
        all.sort_by(|(name, sum), (other, sums)| {
            (sums.amount, sums.count, name).cmp(&(sum.amount, sum.count, other))
        });
        let complete = all.len() <= rows;
        all.truncate(rows);
        (all, complete)
    }

    fn newest(&self, account: Account, floor: Timestamp, rows: usize) -> (Vec<Entry>, bool) {
        let mut all: Vec<Entry> = self
            .entries
            .iter()
            .filter(|entry| entry.account == account && entry.at <= floor)
            .cloned()
            .collect();
        all.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.fact)));
        let complete = all.len() <= rows;
        all.truncate(rows);
        (all, complete)
    }
}
