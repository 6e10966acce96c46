//! The figures read off the board.

use std::collections::BTreeMap;

use rr_domain::{Label, Timestamp, Total};
use uuid::Uuid;

use super::{Board, COMMISSIONS, TRANSACTIONS};
use crate::figures::{
    CURRENCY, CommissionFigures, CommissionStates, Dashboard, Figures, Headline, RecentTransaction,
    RevenueFigures, TierCommissions, TierFigures, TransactionKind, Trend, UserFigures,
};
use crate::ledger::{Account, Sum, is_recurring, parts};
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
            total_users: size(balances.total(Account::Users).count),
            users_by_role: by_part(
                balances,
                Account::Users,
                0,
                |_| true,
                |n, sum| *n += size(sum.count),
            ),
            users_by_status: by_part(
                balances,
                Account::Users,
                1,
                |_| true,
                |n, sum| *n += size(sum.count),
            ),
            recent_signups: u64::try_from(signups).unwrap_or(0),
        }
    }

    fn revenue_figures(&self, balances: &Balances, now: Timestamp) -> RevenueFigures {
        let of =
            |product| balances.total_where(Account::Revenue, |group| group[0] == product).amount;
        let (subscription, tripwire) = (of("subscription"), of("tripwire"));
        let active = balances.total_where(Account::Subscriptions, |group| is_recurring(group[1]));

        let revenue: BTreeMap<Label, i128> = by_part(
            balances,
            Account::Revenue,
            1,
            |group| group[0] == "subscription",
            |amount, sum| *amount += sum.amount,
        );
        let recurring: BTreeMap<Label, Sum> = by_part(
            balances,
            Account::Subscriptions,
            0,
            |group| is_recurring(group[1]),
            |total, sum| *total += sum,
        );
        let mut breakdown: BTreeMap<Label, TierFigures> = BTreeMap::new();
        for (tier, amount) in revenue.into_iter().filter(|(_, amount)| *amount != 0) {
            breakdown.entry(tier).or_default().revenue = Total::from_minor(amount);
        }
        for (tier, sum) in recurring.into_iter().filter(|(_, sum)| sum.count != 0) {
            let figures = breakdown.entry(tier).or_default();
            figures.count = size(sum.count);
            figures.mrr = Total::from_minor(rounded(sum.amount, 12));
        }

        RevenueFigures {
            timestamp: now,
            currency: CURRENCY,
            total_revenue: Total::from_minor(subscription + tripwire),
            subscription_revenue: Total::from_minor(subscription),
            tripwire_revenue: Total::from_minor(tripwire),
            monthly_recurring_revenue: Total::from_minor(rounded(active.amount, 12)),
            active_subscriptions: size(active.count),
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
        let (mut count, mut total) = (0, 0);
        for (group, sum) in balances.groups(Account::Commissions) {
            let (tier, state) = split(group);
            let counted = if state == "reversed" { 0 } else { size(sum.count) };
            let nothing = TierCommissions { count: 0, total: Total::default() };
            let figures = by_tier.entry(label(tier)).or_insert(nothing);
            figures.count += counted;
            figures.total = Total::from_minor(figures.total.minor() + sum.amount);
            count += counted;
            total += sum.amount;
        }
        let of = |state: &str| {
            let sum = balances.total_where(Account::Commissions, |group| group[1] == state);
            Total::from_minor(sum.amount)
        };
        let states =
            CommissionStates { on_hold: of("on_hold"), payable: of("payable"), paid: of("paid") };
        by_tier.retain(|_, figures| figures.count > 0 || figures.total.minor() != 0);
        CommissionFigures {
            timestamp: now,
            total_commissions: Total::from_minor(total),
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

/// Sums the groups of an account by one part of their names; groups that add up to nothing are left
/// out by the caller where they may not be shown.
fn by_part<T: Default>(
    balances: &Balances,
    account: Account,
    index: usize,
    counts: impl Fn(&[&str]) -> bool,
    add: impl Fn(&mut T, Sum),
) -> BTreeMap<Label, T> {
    let mut sums: BTreeMap<&str, T> = BTreeMap::new();
    for (group, sum) in balances.groups(account) {
        let group: Vec<&str> = parts(group).collect();
        if counts(&group) {
            add(sums.entry(group[index]).or_default(), sum);
        }
    }
    sums.into_iter().map(|(name, sum)| (label(name), sum)).collect()
}

#[expect(clippy::expect_used, reason = "the ledger makes the parts of a group from labels")]
fn label(part: &str) -> Label {
    Label::parse(part).expect("a part of a group is a label")
}

fn split(group: &str) -> (&str, &str) {
    group.split_once('\t').unwrap_or((group, ""))
}

/// A count, which is never below zero once all entries until an instant are in it.
fn size(count: i64) -> u64 {
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
