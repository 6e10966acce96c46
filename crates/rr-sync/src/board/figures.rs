//! The figures read off the board. What has a name is folded as the table of figures says; windows, lists and counts
//! of commissions are the board's own.

use std::collections::BTreeMap;

use rr_domain::{Label, Timestamp, Total};
use uuid::Uuid;

use super::{Board, COMMISSIONS, TRANSACTIONS};
use crate::figures::{
    CURRENCY, CommissionFigures, CommissionStates, Dashboard, Figures, Headline, RecentTransaction,
    RevenueFigures, TierCommissions, TierFigures, TransactionKind, Trend, UserFigures,
};
use crate::ledger::{Account, Sum, parts};
use crate::metrics::{Metric, table};
use crate::ratio::rounded;
use crate::{Balances, Percent};

impl Board {
    /// The figures at `now`, which are right when there is no [`need`](Self::need); `None` before the
    /// [`floor`](Self::floor) and where the pending entries are not known.
    pub fn figures(&self, now: Timestamp) -> Option<Figures> {
        let balances = self.balances(now)?;
        let users = self.user_figures(&balances, now);
        let revenue = self.revenue_figures(&balances, now);
        let total_users = balances.total(Account::Users).count.into();
        let [users_before] = self.users.before(now);
        let total_revenue = revenue.total_revenue.minor();
        let [month, two_months] = self.revenue.before(now);
        Some(Figures {
            as_of: now,
            dashboard: Dashboard {
                users: headline(users.total_users, total_users, users_before),
                revenue: headline(revenue.total_revenue, total_revenue - month, month - two_months),
            },
            users,
            revenue,
            commissions: self.commission_figures(&balances, now),
            next_change: self.next_change(now),
        })
    }

    fn user_figures(&self, balances: &Balances, now: Timestamp) -> UserFigures {
        let [signups_before] = self.signups.before(now);
        let signups = i128::from(balances.total(Account::Signups).count) - signups_before;
        UserFigures {
            timestamp: now,
            total_users: size(table::TOTAL_USERS.amount(balances)),
            users_by_role: counts(&table::TOTAL_USERS, "role", balances),
            users_by_status: counts(&table::TOTAL_USERS, "status", balances),
            recent_signups: u64::try_from(signups).unwrap_or(0),
        }
    }

    fn revenue_figures(&self, balances: &Balances, now: Timestamp) -> RevenueFigures {
        let money = |metric: &Metric| Total::from_minor(metric.amount(balances));
        let by_tier = |metric: &Metric| {
            let some =
                metric.exact_groups("tier", balances).into_iter().filter(|(_, sum)| *sum != 0);
            some.map(|(tier, sum)| (label(tier), metric.in_unit(sum))).collect::<Vec<_>>()
        };
        let mut breakdown: BTreeMap<Label, TierFigures> = BTreeMap::new();
        for (tier, revenue) in by_tier(&table::SUBSCRIPTION_REVENUE) {
            breakdown.entry(tier).or_default().revenue = Total::from_minor(revenue);
        }
        for (tier, count) in by_tier(&table::ACTIVE_SUBSCRIPTIONS) {
            breakdown.entry(tier).or_default().count = size(count);
        }
        for (tier, mrr) in by_tier(&table::MRR) {
            breakdown.entry(tier).or_default().mrr = Total::from_minor(mrr);
        }
        RevenueFigures {
            timestamp: now,
            currency: CURRENCY,
            total_revenue: money(&table::REVENUE),
            subscription_revenue: money(&table::SUBSCRIPTION_REVENUE),
            tripwire_revenue: money(&table::TRIPWIRE_REVENUE),
            monthly_recurring_revenue: money(&table::MRR),
            active_subscriptions: size(table::ACTIVE_SUBSCRIPTIONS.amount(balances)),
            subscription_breakdown: breakdown,
            recent_transactions: self
                .movements
                .until(now)
                .take(TRANSACTIONS)
                .map(|((at, fact), group, sum)| transaction(at, fact, group, sum))
                .collect(),
        }
    }

    fn commission_figures(&self, balances: &Balances, now: Timestamp) -> CommissionFigures {
        let mut by_tier: BTreeMap<Label, TierCommissions> = BTreeMap::new();
        let mut count = 0;
        for (group, sum) in balances.groups(Account::Commissions) {
            let (tier, state) = split(group);
            let counted = if state == "reversed" { 0 } else { size(sum.count.into()) };
            let nothing = TierCommissions { count: 0, total: Total::default() };
            let figures = by_tier.entry(label(tier)).or_insert(nothing);
            figures.count += counted;
            figures.total = Total::from_minor(figures.total.minor() + sum.amount);
            count += counted;
        }
        let money = |metric: &Metric| Total::from_minor(metric.amount(balances));
        let states = CommissionStates {
            on_hold: money(&table::COMMISSIONS_ON_HOLD),
            payable: money(&table::COMMISSIONS_PAYABLE),
            paid: money(&table::COMMISSIONS_PAID),
        };
        by_tier.retain(|_, figures| figures.count > 0 || figures.total.minor() != 0);
        CommissionFigures {
            timestamp: now,
            total_commissions: money(&table::COMMISSIONS),
            states,
            total_transactions: count,
            top_performers: self.affiliates.top(&self.pending_affiliates(now)),
            commission_by_tier: by_tier,
            recent_commissions: self
                .accruals
                .until(now)
                .take(COMMISSIONS)
                .filter_map(|((_, fact), _, _)| self.accrued.get(&fact).cloned())
                .collect(),
        }
    }
}

/// The groups of a count, by one of its dimensions.
fn counts(metric: &Metric, by: &str, balances: &Balances) -> BTreeMap<Label, u64> {
    let groups = metric.exact_groups(by, balances).into_iter();
    groups.map(|(name, count)| (label(name), size(count))).collect()
}

#[expect(clippy::expect_used, reason = "the ledger makes the parts of a group from labels")]
fn label(part: &str) -> Label {
    Label::parse(part).expect("a part of a group is a label")
}

fn split(group: &str) -> (&str, &str) {
    group.split_once('\t').unwrap_or((group, ""))
}

/// A count, which is never below zero once all entries until an instant are in it.
fn size(count: i128) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn transaction(at: Timestamp, fact: Uuid, group: &str, sum: Sum) -> RecentTransaction {
    let group: Vec<&str> = parts(group).collect();
    RecentTransaction {
        id: fact,
        kind: match (group[0], group[2]) {
            (_, "refunded") => TransactionKind::Refund,
            (_, "disputed") => TransactionKind::Dispute,
            (_, "won") => TransactionKind::DisputeWon,
            ("tripwire", _) => TransactionKind::Tripwire,
            _ => TransactionKind::Subscription,
        },
        tier: label(group[1]),
        amount: Total::from_minor(sum.amount),
        timestamp: at,
    }
}

/// A dashboard entry: growth from `before` to `now` in percent, one decimal.
fn headline<T>(total: T, now: i128, before: i128) -> Headline<T> {
    let tenths = match before {
        0 if now == 0 => Some(0),
        1.. => Some(rounded((now - before) * 1_000, before)),
        // From nothing or from below it there is no rate.
        _ => None,
    };
    let trend = match tenths {
        None => Trend::New,
        Some(25..) => Trend::Up,
        Some(..=-25) => Trend::Down,
        Some(_) => Trend::Stable,
    };
    Headline { total, growth_rate: tenths.map(Percent::from_tenths), trend }
}
