//! Facts: everything that can change a figure.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Label, Timestamp};

/// Something that happened, once, at an instant. Facts are only ever added; the figures are a
/// pure function of them (see `rr-sync`). Amounts are minor units of the installation's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Once only: a second fact with the same id is the same fact.
    pub id: Uuid,
    /// When it happened, which may be long before it was recorded, or later than now.
    pub occurred_at: Timestamp,
    /// What happened.
    pub kind: FactKind,
}

/// What happened. The JSON form is what the database keeps, so a variant or field is never
/// renamed, and a new field needs `#[serde(default)]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FactKind {
    /// A user came to be.
    UserCreated {
        /// Who.
        user: Uuid,
        /// Role from now on.
        role: Label,
        /// Status from now on.
        status: Label,
    },
    /// A user's role or status changed; what is absent stays.
    UserChanged {
        /// Who.
        user: Uuid,
        /// New role.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Label>,
        /// New status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<Label>,
    },
    /// A user was deleted.
    UserDeleted {
        /// Who.
        user: Uuid,
    },
    /// A subscription began.
    SubscriptionStarted {
        /// Which.
        subscription: Uuid,
        /// Whose: MRR movements are counted per customer.
        customer: Uuid,
        /// Its tier.
        tier: Label,
        /// Its status.
        status: SubscriptionStatus,
        /// Price of one unit for one interval, after discounts that last for ever.
        price: i64,
        /// How many units.
        quantity: u32,
        /// How often the price is due.
        interval: Interval,
    },
    /// A subscription changed tier, price, quantity, interval or status; what is absent stays.
    SubscriptionChanged {
        /// Which.
        subscription: Uuid,
        /// New tier.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tier: Option<Label>,
        /// New price of one unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<i64>,
        /// New number of units.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quantity: Option<u32>,
        /// New interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interval: Option<Interval>,
        /// New status: paused, past due, active again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<SubscriptionStatus>,
    },
    /// A subscription will end at a later instant and counts until then. `None` takes it back.
    SubscriptionSetToCancel {
        /// Which.
        subscription: Uuid,
        /// When it ends.
        ends_at: Option<Timestamp>,
    },
    /// A subscription ended.
    SubscriptionEnded {
        /// Which.
        subscription: Uuid,
    },
    /// Money came in.
    PaymentCaptured {
        /// Which payment.
        payment: Uuid,
        /// What for.
        product: Product,
        /// How much.
        amount: i64,
    },
    /// Money went back, in part or whole.
    PaymentRefunded {
        /// Which payment.
        payment: Uuid,
        /// How much this time.
        amount: i64,
    },
    /// The bank took money back on the customer's word.
    PaymentDisputed {
        /// Which payment.
        payment: Uuid,
        /// How much.
        amount: i64,
    },
    /// A dispute was decided for us: the money came again.
    DisputeWon {
        /// Which payment.
        payment: Uuid,
        /// How much.
        amount: i64,
    },
    /// An affiliate earned a commission. Rate, tier and amount are fixed here for good.
    CommissionAccrued {
        /// Which commission.
        commission: Uuid,
        /// Who earned it: the referrer's username.
        affiliate: String,
        /// Tier of the sale at the time of the sale.
        tier: Label,
        /// The sale.
        sale: i64,
        /// The commission.
        amount: i64,
        /// When the hold ends.
        payable_at: Timestamp,
    },
    /// Part or all of a commission was taken back, because the sale was refunded.
    CommissionReversed {
        /// Which commission.
        commission: Uuid,
        /// How much this time.
        amount: i64,
    },
    /// A commission was paid out.
    CommissionPaid {
        /// Which commission.
        commission: Uuid,
        /// How much.
        amount: i64,
    },
    /// A correction by hand.
    CommissionAdjusted {
        /// Which commission.
        commission: Uuid,
        /// Added (or, below zero, taken).
        amount: i64,
        /// Why, for the audit.
        reason: String,
    },
}

/// What a payment was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// An instalment of a subscription of this tier.
    Subscription(Label),
    /// A one-off tripwire sale.
    Tripwire,
}

/// Where a subscription stands; the names are Stripe's. "Ended" is a fact of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// Paid and running.
    Active,
    /// A payment failed; it still counts while it is being retried.
    PastDue,
    /// Not paying yet.
    Trialing,
    /// Collection is paused.
    Paused,
    /// Retries ran out.
    Unpaid,
    /// The first payment has not succeeded.
    Incomplete,
}

/// How often a price is due: every `count` units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The unit.
    pub unit: IntervalUnit,
    /// How many of them; at least 1.
    pub count: std::num::NonZeroU32,
}

impl Interval {
    /// Every month.
    pub const MONTHLY: Interval =
        Interval { unit: IntervalUnit::Month, count: std::num::NonZeroU32::MIN };
    /// Every year.
    pub const YEARLY: Interval =
        Interval { unit: IntervalUnit::Year, count: std::num::NonZeroU32::MIN };
}

/// The unit of an [`Interval`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalUnit {
    /// 365 to a year.
    Day,
    /// 52 to a year.
    Week,
    /// 12 to a year.
    Month,
    /// One.
    Year,
}
