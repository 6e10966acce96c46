//! The entries of the ledger and the accounts they are booked on.

use std::fmt;
use std::ops::{AddAssign, Neg, SubAssign};

use rr_domain::Timestamp;
use uuid::Uuid;

/// What an entry adds up to. An account has groups; what their names are made of ([`group`]) and
/// what `count` and `amount` mean is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Group: role, status. Count: the users there are.
    Users,
    /// No group. Count: users who came to be, whatever became of them.
    Signups,
    /// Group: product (`subscription` or `tripwire`), tier, and which way the money went
    /// (`captured`, `refunded`, `disputed`, `won`). Count: movements. Amount: what came in, below
    /// zero where it went back, each on its own date.
    Revenue,
    /// Group: tier, status. Count: subscriptions that cost something. Amount: their annual bases.
    Subscriptions,
    /// Group: `new`, `reactivation`, `expansion`, `contraction` or `churn`. Count: how often it
    /// happened to a customer. Amount: by how much the customer's annual basis changed, below zero
    /// where it fell, so that all groups together are the annual basis of all active subscriptions.
    Movements,
    /// Group: tier of the sale, state (`on_hold`, `payable`, `paid`, `reversed`). Count: the
    /// commissions in that state; only `reversed` ones are taken back wholly. Amount: what was paid
    /// out in `paid`, what is left to pay in `on_hold` and then `payable` (below zero when more was
    /// paid than is left), nothing in `reversed`; all states together are the net total.
    Commissions,
    /// Group: tier of the sale. Count and amount: commissions as they were earned.
    Accruals,
    /// Group: an affiliate. Count: their commissions not taken back wholly. Amount: the net total.
    Affiliates,
}

impl Account {
    /// Every account.
    pub const ALL: [Account; 8] = [
        Account::Users,
        Account::Signups,
        Account::Revenue,
        Account::Subscriptions,
        Account::Movements,
        Account::Commissions,
        Account::Accruals,
        Account::Affiliates,
    ];

    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Account::Users => "users",
            Account::Signups => "signups",
            Account::Revenue => "revenue",
            Account::Subscriptions => "subscriptions",
            Account::Movements => "movements",
            Account::Commissions => "commissions",
            Account::Accruals => "accruals",
            Account::Affiliates => "affiliates",
        }
    }

    /// What the parts of its groups' names say, where a figure can be told by them. Movements have figures of
    /// their own for that, and affiliates are people.
    pub const fn parts(self) -> &'static [&'static str] {
        match self {
            Account::Users => &["role", "status"],
            Account::Revenue => &["product", "tier", "direction"],
            Account::Subscriptions => &["tier", "status"],
            Account::Commissions => &["tier", "state"],
            Account::Accruals => &["tier"],
            Account::Signups | Account::Movements | Account::Affiliates => &[],
        }
    }

    /// The account of that name.
    pub fn parse(name: &str) -> Option<Account> {
        Account::ALL.into_iter().find(|account| account.as_str() == name)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Joins the parts of a group's name with a tab, which no label can contain and which reads well
/// in a database client.
pub fn group(parts: &[&str]) -> String {
    parts.join("\t")
}

/// The parts of a group's name.
pub fn parts(group: &str) -> impl Iterator<Item = &str> {
    group.split('\t')
}

/// A signed change of one account's group from an instant on. Entries are only ever added; one that
/// turned out wrong is taken back by its [reverse](Entry::reversed).
///
/// Their order is that of time, and within an instant one that depends on nothing but the entries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// From when on it counts; it may lie in the future.
    pub at: Timestamp,
    /// What it adds to.
    pub account: Account,
    /// The group within the account.
    pub group: String,
    /// Added to the group's count.
    pub count: i64,
    /// Added to the group's amount, in minor units.
    pub amount: i64,
    /// For churn: since when the customer had been above zero. Of the customers active just before
    /// an instant, those churned from it on are the ones with an earlier `since`.
    pub since: Option<Timestamp>,
    /// The fact that brought it about.
    pub fact: Uuid,
}

impl Entry {
    /// What takes this entry back.
    #[must_use]
    pub fn reversed(self) -> Entry {
        // Neither is the least i64 (see `Sum::narrow`), so both can be negated.
        Entry { count: -self.count, amount: -self.amount, ..self }
    }

    /// What it adds.
    pub fn sum(&self) -> Sum {
        Sum { count: self.count, amount: self.amount.into() }
    }
}

/// A count and an amount. Amounts are summed wider than they are kept, so that no number of them
/// overflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Sum {
    /// How many.
    pub count: i64,
    /// How much, in minor units.
    pub amount: i128,
}

impl Sum {
    /// Whether there is nothing in it.
    pub fn is_zero(self) -> bool {
        self == Sum::default()
    }

    /// Both as an entry keeps them, if they fit and can be negated.
    pub(super) fn narrow(self) -> Option<(i64, i64)> {
        let amount = i64::try_from(self.amount).ok().filter(|amount| *amount > i64::MIN)?;
        Some((self.count, amount))
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Sum) {
        self.count += other.count;
        self.amount += other.amount;
    }
}

impl SubAssign for Sum {
    fn sub_assign(&mut self, other: Sum) {
        *self += -other;
    }
}

impl Neg for Sum {
    type Output = Sum;

    fn neg(self) -> Sum {
        Sum { count: -self.count, amount: -self.amount }
    }
}

/// An amount that is out of this world: a year of a subscription, or a change of a customer's year,
/// does not fit 64 bits of minor units. Such a fact is refused before it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amounts of fact {fact} are too large to be added up")]
pub struct TooLarge {
    /// The fact that led there.
    pub fact: Uuid,
}
