//! What a figure is made of.

use std::fmt;

use rr_domain::Total;
use serde::Serialize;

use crate::ledger::{Account, Entry, parts};
use crate::ratio::rounded;
use crate::{Balances, Percent};

/// A named figure.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// How it belongs to a period.
    pub kind: Kind,
    /// What it means, for people.
    pub definition: &'static str,
    /// What the entries behind it come from.
    pub source: &'static str,
    /// Of a rate: the figures that it relates. It is no sum of entries, and they are.
    pub made_of: &'static [&'static str],
    pub(super) formula: Formula,
}

/// What a value of a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things.
    Count,
    /// Money of the installation's currency.
    Money,
    /// A percentage with at most two decimals.
    Percent,
}

/// How a figure belongs to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What stands at the end of the period.
    Stock,
    /// What was added within the period.
    Flow,
    /// A relation of such; nothing where there is nothing to divide by.
    Rate,
}

impl Unit {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Money => "money",
            Self::Percent => "percent",
        }
    }
}

impl Kind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Flow => "flow",
            Self::Rate => "rate",
        }
    }
}

/// How a figure is computed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Formula {
    /// A sum over entries, divided by a number and rounded once at the end.
    Sum { terms: &'static [Term], per: i128 },
    /// A relation of recurring revenue, customers and how they moved, rounded once.
    Ratio(fn(&Movements) -> Option<i128>),
    /// One that also says how many of the customers there were at the start churned, who are counted by
    /// themselves.
    ChurnRatio(fn(&Movements) -> Option<i128>),
}

/// Which entries a sum takes, and what of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) account: Account,
    pub(super) counts: fn(&[&str]) -> bool,
    pub(super) take: Take,
}

/// What a sum takes of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Take {
    Count,
    Amount,
    /// The count, or the amount, with the other sign.
    MinusCount,
    MinusAmount,
}

/// What a figure of a period is computed from. A period holds its start and not its end.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// The sum of all entries before the period.
    pub start: &'a Balances,
    /// The sum of all entries before its end.
    pub end: &'a Balances,
    /// How many of the customers there were at the start churned within: the summed counts of the
    /// entries of group `churn` in account `movements` dated within the period, whose `since` is
    /// before it.
    pub churned: i64,
}

/// What a period did to recurring revenue, in annual bases, and to customers.
#[derive(Debug)]
pub(super) struct Movements {
    pub(super) start: i128,
    pub(super) end: i128,
    pub(super) reactivation: i128,
    pub(super) expansion: i128,
    pub(super) contraction: i128,
    pub(super) churn: i128,
    pub(super) customers_at_start: i128,
    pub(super) customers_at_end: i128,
    pub(super) churned: i128,
}

impl Movements {
    fn of(span: &Span<'_>) -> Movements {
        let basis = |balances: &Balances| balances.total(Account::Movements).amount;
        let moved = |kind| {
            span.end.group(Account::Movements, kind).amount
                - span.start.group(Account::Movements, kind).amount
        };
        let customers = |balances: &Balances| {
            let count = |kind| i128::from(balances.group(Account::Movements, kind).count);
            count("new") + count("reactivation") - count("churn")
        };
        Movements {
            start: basis(span.start),
            end: basis(span.end),
            reactivation: moved("reactivation"),
            expansion: moved("expansion"),
            contraction: -moved("contraction"),
            churn: -moved("churn"),
            customers_at_start: customers(span.start),
            customers_at_end: customers(span.end),
            churned: span.churned.into(),
        }
    }
}

/// A value, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Things.
    Count(i128),
    /// Money.
    Money(Total),
    /// A percentage.
    Percent(Percent),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Count(count) => count.fmt(f),
            Value::Money(money) => money.fmt(f),
            Value::Percent(percent) => percent.fmt(f),
        }
    }
}

impl Metric {
    /// The value for a period; a stock looks at its end only. `None` where there is nothing to divide
    /// by.
    pub fn value(&self, span: &Span<'_>) -> Option<Value> {
        let number = match self.formula {
            Formula::Sum { .. } if self.kind == Kind::Flow => {
                self.exact(span.end) - self.exact(span.start)
            }
            Formula::Sum { .. } => self.exact(span.end),
            Formula::Ratio(of) | Formula::ChurnRatio(of) => of(&Movements::of(span))?,
        };
        Some(self.show(number))
    }

    /// An exact sum, as [`exact`](Self::exact) and [`adds`](Self::adds) give it, in the figure's unit.
    pub fn show(&self, number: i128) -> Value {
        let number = self.in_unit(number);
        match self.unit {
            Unit::Count => Value::Count(number),
            Unit::Money => Value::Money(Total::from_minor(number)),
            Unit::Percent => Value::Percent(Percent::from_hundredths(number)),
        }
    }

    /// What all these entries make of a stock or flow, in things or cents.
    pub(crate) fn amount(&self, balances: &Balances) -> i128 {
        self.in_unit(self.exact(balances))
    }

    /// An exact sum, divided and rounded.
    pub(crate) fn in_unit(&self, number: i128) -> i128 {
        match self.formula {
            Formula::Sum { per, .. } => rounded(number, per),
            Formula::Ratio(_) | Formula::ChurnRatio(_) => number,
        }
    }

    /// The exact sum of a stock or flow over these entries, not yet divided or rounded: for recurring
    /// revenue the annual basis. Nothing for a rate.
    pub fn exact(&self, balances: &Balances) -> i128 {
        let Formula::Sum { terms, .. } = self.formula else { return 0 };
        let taken = terms.iter().map(|term| {
            let sum = balances.total_where(term.account, term.counts);
            term.take.of(sum.count.into(), sum.amount)
        });
        taken.sum()
    }

    /// What one entry adds to the exact sum: an explanation is these, one after the other.
    pub fn adds(&self, entry: &Entry) -> i128 {
        let Formula::Sum { terms, .. } = self.formula else { return 0 };
        let group: Vec<&str> = parts(&entry.group).collect();
        let taken = terms
            .iter()
            .filter(|term| term.account == entry.account && (term.counts)(&group))
            .map(|term| term.take.of(entry.count.into(), entry.amount.into()));
        taken.sum()
    }

    /// Whether entries of this group move it.
    pub fn takes(&self, account: Account, group: &str) -> bool {
        let group: Vec<&str> = parts(group).collect();
        match self.formula {
            Formula::Sum { terms, .. } => {
                terms.iter().any(|term| term.account == account && (term.counts)(&group))
            }
            Formula::Ratio(_) | Formula::ChurnRatio(_) => account == Account::Movements,
        }
    }

    /// The accounts whose entries stand behind it.
    pub fn accounts(&self) -> Vec<Account> {
        match self.formula {
            Formula::Sum { terms, .. } => {
                let mut accounts: Vec<Account> = terms.iter().map(|term| term.account).collect();
                accounts.dedup();
                accounts
            }
            Formula::Ratio(_) | Formula::ChurnRatio(_) => vec![Account::Movements],
        }
    }

    /// Whether it asks who churned: for any other [`Span::churned`] may be 0.
    pub fn asks_who_churned(&self) -> bool {
        matches!(self.formula, Formula::ChurnRatio(_))
    }
}

impl Take {
    pub(super) fn of(self, count: i128, amount: i128) -> i128 {
        match self {
            Take::Count => count,
            Take::Amount => amount,
            Take::MinusCount => -count,
            Take::MinusAmount => -amount,
        }
    }
}
