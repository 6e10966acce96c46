//! The figures as they go over the wire, each with its definition.
//!
//! The field names and shapes are those that callers of the sync endpoints and the dashboard
//! already read: a field may be added, none may be renamed.

use std::collections::BTreeMap;

use rr_domain::{Label, Money, Timestamp, Total};
use serde::Serialize;
use uuid::Uuid;

use crate::Percent;

/// The currency of all amounts; an installation has one.
pub const CURRENCY: &str = "USD";

/// Every figure at one instant, and how long they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The instant the figures speak of.
    pub as_of: Timestamp,
    /// The body of `sync/users`.
    pub users: UserFigures,
    /// The body of `sync/revenue`.
    pub revenue: RevenueFigures,
    /// The body of `sync/commissions`.
    pub commissions: CommissionFigures,
    /// The body of the dashboard.
    pub dashboard: Dashboard,
    /// The earliest instant after [`as_of`](Self::as_of) at which a figure can change although no
    /// fact is added: a fact dated later takes effect, a subscription reaches its announced end, or
    /// something passes the edge of a window. Until then the figures hold as they are. It may come
    /// earlier than the change itself (a rounded rate stays the same), never later.
    pub next_change: Option<Timestamp>,
}

/// Who is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserFigures {
    /// The instant the figures speak of.
    pub timestamp: Timestamp,
    /// Users created by then and not deleted.
    pub total_users: u64,
    /// The same users by role; the counts sum to the total, and no count is zero.
    pub users_by_role: BTreeMap<Label, u64>,
    /// The same users by status; the counts sum to the total, and no count is zero.
    pub users_by_status: BTreeMap<Label, u64>,
    /// Users created in the last 7 days, whatever became of them.
    pub recent_signups: u64,
}

/// What came in, and what comes in every month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevenueFigures {
    /// The instant the figures speak of.
    pub timestamp: Timestamp,
    /// The currency of all amounts.
    pub currency: &'static str,
    /// Subscription revenue plus tripwire revenue.
    pub total_revenue: Total,
    /// Captured − refunded − disputed + won back, for payments of subscriptions, each on its own
    /// date: a refund lowers the day of the refund and never the day of the sale.
    pub subscription_revenue: Total,
    /// The same for one-off tripwire sales.
    pub tripwire_revenue: Total,
    /// The annualised bases of all active subscriptions, summed, divided by 12 and rounded once,
    /// half away from zero.
    pub monthly_recurring_revenue: Total,
    /// Subscriptions that are active or past due and cost something. One that is set to cancel
    /// counts until its end; trialing, paused, unpaid and incomplete ones do not count.
    pub active_subscriptions: u64,
    /// Count, revenue and recurring revenue per tier. Counts and revenues sum to
    /// `active_subscriptions` and `subscription_revenue`; the recurring revenues do but for their
    /// rounding. A tier that only has revenue left stays, with count 0.
    pub subscription_breakdown: BTreeMap<Label, TierFigures>,
    /// The newest money movements, at most 10, newest first.
    pub recent_transactions: Vec<RecentTransaction>,
}

/// One tier of the subscription breakdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub struct TierFigures {
    /// Active subscriptions of the tier they have now.
    pub count: u64,
    /// Net revenue of payments for this tier since ever.
    pub revenue: Total,
    /// The annualised bases of the active subscriptions of this tier, summed, divided by 12 and
    /// rounded once, half away from zero.
    pub mrr: Total,
}

/// A movement of money. It says nothing about the person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct RecentTransaction {
    /// The fact that recorded it.
    pub id: Uuid,
    /// What it was.
    #[serde(rename = "type")]
    pub kind: TransactionKind,
    /// Tier of the payment it belongs to; `tripwire` for a one-off sale.
    pub tier: Label,
    /// What it added to revenue: below zero where money went back.
    pub amount: Total,
    /// When it happened.
    pub timestamp: Timestamp,
}

/// What moved the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    /// A captured instalment of a subscription.
    Subscription,
    /// A captured one-off sale.
    Tripwire,
    /// Money given back.
    Refund,
    /// Money taken back by the bank.
    Dispute,
    /// Money that came again because a dispute was won.
    DisputeWon,
}

/// What affiliates earned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommissionFigures {
    /// The instant the figures speak of.
    pub timestamp: Timestamp,
    /// Accruals − reversals ± adjustments. A payout changes who holds the money, not this sum.
    pub total_commissions: Total,
    /// Where that money is; the states sum to `total_commissions`.
    pub states: CommissionStates,
    /// Commissions that have not been reversed wholly.
    pub total_transactions: u64,
    /// At most 10 affiliates with a net total above zero: by net total descending, then by
    /// transaction count descending, then by name.
    pub top_performers: Vec<TopPerformer>,
    /// Count and net total by the tier of the sale; they sum to `total_transactions` and
    /// `total_commissions`. A tier with neither is left out.
    pub commission_by_tier: BTreeMap<Label, TierCommissions>,
    /// The newest accruals as they were earned, at most 5, newest first.
    pub recent_commissions: Vec<RecentCommission>,
}

/// Commissions by what becomes of their money. What was taken back is in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub struct CommissionStates {
    /// Net of what was paid out, commissions whose hold has not ended.
    pub on_hold: Total,
    /// Net of what was paid out, commissions whose hold has ended; below zero where more was paid
    /// out than was left after a refund.
    pub payable: Total,
    /// What was paid out.
    pub paid: Total,
}

/// An affiliate and what they earned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct TopPerformer {
    /// The affiliate's username.
    pub username: String,
    /// Net total of their commissions.
    pub total_commission: Total,
    /// Their commissions that have not been reversed wholly.
    pub transaction_count: u64,
}

/// One tier of the commissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct TierCommissions {
    /// Commissions that have not been reversed wholly.
    pub count: u64,
    /// Net total.
    pub total: Total,
}

/// A commission as it was earned. Rate, tier and amount are fixed at that moment; what is taken
/// back later is an entry of its own and shows in the totals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct RecentCommission {
    /// The commission.
    pub id: Uuid,
    /// Who earned it.
    pub username: String,
    /// Tier of the sale.
    pub tier: Label,
    /// The sale.
    pub amount: Money,
    /// The commission.
    pub commission: Money,
    /// When it was earned.
    pub created_at: Timestamp,
}

/// The two numbers people look at first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Dashboard {
    /// `total_users`, against 30 days ago.
    pub users: Headline<u64>,
    /// `total_revenue`; its growth compares the last 30 days with the 30 days before.
    pub revenue: Headline<Total>,
}

/// A number, how it grew and which way it points.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Headline<T> {
    /// The number.
    pub total: T,
    /// Growth in percent with one decimal, null where nothing above zero stands to compare with.
    #[serde(rename = "growthRate")]
    pub growth_rate: Option<Percent>,
    /// Which way it points.
    pub trend: Trend,
}

/// Which way a number points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Grew by 2.5 percent or more.
    Up,
    /// Shrank by 2.5 percent or more.
    Down,
    /// In between.
    Stable,
    /// There is nothing to compare with.
    New,
}
