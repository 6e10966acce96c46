//! The board: what it takes to answer from memory.
//!
//! It holds the sums of all entries until an instant, the *floor*, and the few things a sum cannot
//! tell: the entries dated after it until the *horizon*, an hour or so on; the hours within the
//! windows; the best affiliates and the newest movements. An answer at a `now` between floor and
//! horizon is the sums and what lies between floor and `now`; [`settle`](Board::settle) moves the
//! floor on, so that this stays little. What is dated after the horizon is not in the board and is
//! asked for when its time comes near. Memory grows with groups, hours and what happens in an
//! hour, not with users or with all the commissions on hold.

mod affiliates;
mod figures;
mod newest;
mod trail;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Duration;

use rr_domain::{Fact, FactKind, Money, Timestamp};
use uuid::Uuid;

use self::affiliates::Affiliates;
use self::newest::Newest;
use self::trail::Trail;
use crate::Balances;
use crate::figures::RecentCommission;
use crate::ledger::{Account, Entry, Sum};

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

/// How far back the windows reach, in order of their trails' edges.
const SIGNUPS: [Duration; 1] = [days(7)];
const USERS: [Duration; 1] = [days(30)];
const REVENUE: [Duration; 2] = [days(30), days(60)];

/// How many movements, and how many accruals, are shown.
const TRANSACTIONS: usize = 10;
const COMMISSIONS: usize = 5;

/// How far the board looks ahead.
const AHEAD: Duration = Duration::from_secs(3_600);

/// The state of the ledger in memory.
#[derive(Debug)]
pub struct Board {
    floor: Timestamp,
    horizon: Timestamp,
    seq: i64,
    /// All entries until the floor, except those of affiliates.
    settled: Balances,
    /// The entries after the floor and until the horizon, by instant.
    pending: BTreeMap<Timestamp, Balances>,
    signups: Trail<1>,
    users: Trail<1>,
    revenue: Trail<2>,
    affiliates: Affiliates,
    movements: Newest,
    accruals: Newest,
    /// What is shown of the newest accruals, by fact.
    accrued: HashMap<Uuid, RecentCommission>,
}

/// Something the board has to be told before it can answer; see [`Board::need`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The entries dated after one instant and until another, for [`Board::give_pending`].
    Pending {
        /// Not those of this instant.
        after: Timestamp,
        /// Also those of this one.
        until: Timestamp,
    },
    /// The best affiliates, for [`Board::give_affiliates`]: more of them than last time.
    Affiliates,
    /// The newest entries of this account, for [`Board::give_newest`]: more of them than last time.
    Newest(Account),
    /// These facts, for [`Board::give_facts`].
    Facts(Vec<Uuid>),
    /// All entries of this account dated within the hour that begins then, for
    /// [`Board::give_minutes`].
    Minutes(Account, Timestamp),
}

impl Board {
    /// The first hour of which the windows need to know, for a board with this floor.
    pub fn hours_from(floor: Timestamp) -> Timestamp {
        floor.floor_to_minute().minus(REVENUE[1]).floor_to_hour()
    }

    /// A board over the ledger up to number `seq`.
    ///
    /// `counters` are the sums of all entries dated until the floor, whose affiliates may be left
    /// out; `hours` those of `users`, `signups` and `revenue` by the hour, also until the floor, from
    /// [`hours_from`](Self::hours_from) on. An hour with entries that add up to nothing is one of them.
    pub fn load<'a>(
        floor: Timestamp,
        seq: i64,
        counters: impl IntoIterator<Item = (Account, &'a str, Sum)>,
        hours: impl IntoIterator<Item = (Account, Timestamp, Sum)>,
    ) -> Board {
        let mut settled = Balances::default();
        for (account, group, sum) in counters {
            if account != Account::Affiliates {
                settled.add(account, group, sum);
            }
        }
        let mut board = Board {
            floor,
            horizon: floor,
            seq,
            signups: Trail::new(SIGNUPS, floor, settled.total(Account::Signups).count.into()),
            users: Trail::new(USERS, floor, settled.total(Account::Users).count.into()),
            revenue: Trail::new(REVENUE, floor, settled.total(Account::Revenue).amount),
            settled,
            pending: BTreeMap::new(),
            affiliates: Affiliates::unknown(),
            movements: Newest::after(floor),
            accruals: Newest::after(floor),
            accrued: HashMap::new(),
        };
        for (account, hour, sum) in hours {
            match account {
                Account::Signups => board.signups.recount(hour, sum.count.into()),
                Account::Users => board.users.recount(hour, sum.count.into()),
                Account::Revenue => board.revenue.recount(hour, sum.amount),
                _ => {}
            }
        }
        board
    }

    /// The number of the last entry applied; it is the version of every figure.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// The earliest instant the board can speak of.
    pub fn floor(&self) -> Timestamp {
        self.floor
    }

    /// Takes what was added to the ledger up to number `seq`.
    pub fn apply(&mut self, entries: &[Entry], seq: i64) {
        for entry in entries {
            self.take(entry);
        }
        self.seq = seq;
        self.trim();
    }

    /// Moves the floor to `now`, at most to the horizon. An older instant changes nothing.
    pub fn settle(&mut self, now: Timestamp) {
        let now = now.min(self.horizon);
        if now <= self.floor {
            return;
        }
        self.floor = now;
        while let Some(first) = self.pending.first_entry()
            && *first.key() <= now
        {
            for (account, group, sum) in first.remove().iter() {
                self.book(account, group, sum);
            }
        }
        self.signups.settle(now);
        self.users.settle(now);
        self.revenue.settle(now);
        self.trim();
    }

    /// What the board has to be told before [`figures`](Self::figures) are right at `now`. Ask until
    /// there is nothing.
    pub fn need(&self, now: Timestamp) -> Option<Need> {
        if now > self.horizon {
            return Some(Need::Pending { after: self.horizon, until: now.plus(AHEAD) });
        }
        if self.affiliates.need(&self.pending_affiliates(now)) {
            return Some(Need::Affiliates);
        }
        if self.movements.need(self.floor, TRANSACTIONS) {
            return Some(Need::Newest(Account::Revenue));
        }
        if self.accruals.need(self.floor, COMMISSIONS) {
            return Some(Need::Newest(Account::Accruals));
        }
        let shown = self.accruals.shown_from(self.floor, COMMISSIONS);
        let unknown: Vec<Uuid> = shown.filter(|fact| !self.accrued.contains_key(fact)).collect();
        if !unknown.is_empty() {
            return Some(Need::Facts(unknown));
        }
        let passed = [
            (Account::Signups, self.signups.need(now)),
            (Account::Users, self.users.need(now)),
            (Account::Revenue, self.revenue.need(now)),
        ];
        passed.into_iter().find_map(|(account, hour)| Some(Need::Minutes(account, hour?)))
    }

    /// All entries dated after the horizon and until a new one, as a [`Need`] named them.
    pub fn give_pending(&mut self, entries: &[Entry], until: Timestamp) {
        self.horizon = self.horizon.max(until);
        for entry in entries {
            self.take(entry);
        }
    }

    /// The sums of an account by minute, within the hour that a [`Need`] named.
    pub fn give_minutes(
        &mut self,
        account: Account,
        hour: Timestamp,
        minutes: impl IntoIterator<Item = (Timestamp, Sum)>,
    ) {
        let minutes = minutes.into_iter();
        let counts = |(minute, sum): (Timestamp, Sum)| (minute, i128::from(sum.count));
        match account {
            Account::Signups => self.signups.give(hour, minutes.map(counts)),
            Account::Users => self.users.give(hour, minutes.map(counts)),
            Account::Revenue => {
                self.revenue.give(hour, minutes.map(|(minute, sum)| (minute, sum.amount)));
            }
            _ => {}
        }
    }

    /// The best affiliates by their counters, whatever the date of their entries: by amount, then by
    /// count, both descending, then by name; `complete` when there are no more. `later` are all
    /// affiliates with entries dated after the [`floor`](Self::floor): each one's counter, and what
    /// of it is dated after the floor.
    pub fn give_affiliates(
        &mut self,
        best: Vec<(String, Sum)>,
        complete: bool,
        later: Vec<(String, Sum, Sum)>,
    ) {
        self.affiliates = Affiliates::new(best, complete, later);
    }

    /// The newest entries of an account dated until the [`floor`](Self::floor), also those that take
    /// others back: by `at`, then by `fact`, both descending. `complete` when there are no more.
    pub fn give_newest(&mut self, account: Account, newest: &[Entry], complete: bool) {
        let list = match account {
            Account::Accruals => &mut self.accruals,
            _ => &mut self.movements,
        };
        list.give(self.floor, newest, complete);
    }

    /// Facts behind accruals. Others do no harm.
    pub fn give_facts<'a>(&mut self, facts: impl IntoIterator<Item = &'a Fact>) {
        for fact in facts {
            if let FactKind::CommissionAccrued { commission, affiliate, tier, sale, amount, .. } =
                &fact.kind
                && self.accruals.holds((fact.occurred_at, fact.id))
            {
                let shown = RecentCommission {
                    id: *commission,
                    username: affiliate.clone(),
                    tier: tier.clone(),
                    amount: Money::from_minor(*sale),
                    commission: Money::from_minor(*amount),
                    created_at: fact.occurred_at,
                };
                self.accrued.insert(fact.id, shown);
            }
        }
    }

    /// What stands at `now`, by account and group; without the affiliates. `None` before the floor
    /// and after the horizon.
    pub fn balances(&self, now: Timestamp) -> Option<Cow<'_, Balances>> {
        if now < self.floor || now > self.horizon {
            return None;
        }
        let mut balances = Cow::Borrowed(&self.settled);
        for (account, group, sum) in self.pending.range(..=now).flat_map(|(_, sums)| sums.iter()) {
            if account != Account::Affiliates {
                balances.to_mut().add(account, group, sum);
            }
        }
        Some(balances)
    }

    /// The earliest instant after `now` at which a figure can change although nothing is added.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let after = (Bound::Excluded(now), Bound::Unbounded);
        let pending = self.pending.range(after).next().map(|(at, _)| *at);
        // Nobody knows yet what comes after the horizon.
        let beyond = Some(self.horizon.plus(Duration::from_micros(1))).filter(|at| *at > now);
        let windows = [
            self.signups.next_change(now),
            self.users.next_change(now),
            self.revenue.next_change(now),
        ];
        windows.into_iter().chain([pending, beyond]).flatten().min()
    }

    /// Takes an entry in. One after the horizon is asked for later.
    fn take(&mut self, entry: &Entry) {
        if entry.at > self.horizon {
            return;
        }
        match entry.account {
            Account::Signups => self.signups.add(entry.at, entry.count.into()),
            Account::Users => self.users.add(entry.at, entry.count.into()),
            Account::Revenue => {
                self.revenue.add(entry.at, entry.amount.into());
                self.movements.add(entry);
            }
            Account::Accruals => self.accruals.add(entry),
            Account::Affiliates => self.affiliates.hear(&entry.group, entry.amount.into()),
            _ => {}
        }
        if entry.at <= self.floor {
            self.book(entry.account, &entry.group, entry.sum());
            return;
        }
        let sums = self.pending.entry(entry.at).or_default();
        sums.add(entry.account, &entry.group, entry.sum());
        if sums.is_empty() {
            self.pending.remove(&entry.at);
        }
    }

    /// Adds what the floor has come to.
    fn book(&mut self, account: Account, group: &str, sum: Sum) {
        match account {
            Account::Affiliates => self.affiliates.add(group, sum),
            _ => self.settled.add(account, group, sum),
        }
    }

    fn trim(&mut self) {
        self.movements.trim(self.floor);
        self.accruals.trim(self.floor);
        if self.accrued.len() > 1_000 {
            let accruals = &self.accruals;
            self.accrued.retain(|fact, shown| accruals.holds((shown.created_at, *fact)));
        }
    }

    /// What affiliates gain and lose after the floor and until `now`.
    fn pending_affiliates(&self, now: Timestamp) -> Balances {
        let mut pending = Balances::default();
        for sums in self.pending.range(..=now.max(self.floor)).map(|(_, sums)| sums) {
            for (name, sum) in sums.groups(Account::Affiliates) {
                pending.add(Account::Affiliates, name, sum);
            }
        }
        pending
    }
}
