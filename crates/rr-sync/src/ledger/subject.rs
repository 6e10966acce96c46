//! Whom or what a fact is about.

use rr_domain::{Fact, FactKind};
use uuid::Uuid;

use super::{Entry, TooLarge, commissions, customers, payments, subscriptions, users};

/// Something with a history of its own.
///
/// Every fact is about exactly one user, subscription, payment or commission ([`Subject::of`]). A
/// customer is a second way to look at subscriptions: movements of recurring revenue are counted
/// per customer, over all subscriptions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A user.
    User(Uuid),
    /// A subscription.
    Subscription(Uuid),
    /// A customer: all subscriptions that were ever started for them.
    Customer(Uuid),
    /// A payment.
    Payment(Uuid),
    /// A commission.
    Commission(Uuid),
}

impl Subject {
    /// What a fact is about.
    pub fn of(kind: &FactKind) -> Subject {
        match kind {
            FactKind::UserCreated { user, .. }
            | FactKind::UserChanged { user, .. }
            | FactKind::UserDeleted { user } => Subject::User(*user),
            FactKind::SubscriptionStarted { subscription, .. }
            | FactKind::SubscriptionChanged { subscription, .. }
            | FactKind::SubscriptionSetToCancel { subscription, .. }
            | FactKind::SubscriptionEnded { subscription } => Subject::Subscription(*subscription),
            FactKind::PaymentCaptured { payment, .. }
            | FactKind::PaymentRefunded { payment, .. }
            | FactKind::PaymentDisputed { payment, .. }
            | FactKind::DisputeWon { payment, .. } => Subject::Payment(*payment),
            FactKind::CommissionAccrued { commission, .. }
            | FactKind::CommissionReversed { commission, .. }
            | FactKind::CommissionPaid { commission, .. }
            | FactKind::CommissionAdjusted { commission, .. } => Subject::Commission(*commission),
        }
    }

    /// Its id.
    pub fn id(self) -> Uuid {
        match self {
            Subject::User(id)
            | Subject::Subscription(id)
            | Subject::Customer(id)
            | Subject::Payment(id)
            | Subject::Commission(id) => id,
        }
    }
}

/// The customer a start of a subscription names.
pub fn customer_of(kind: &FactKind) -> Option<Uuid> {
    match kind {
        FactKind::SubscriptionStarted { customer, .. } => Some(*customer),
        _ => None,
    }
}

/// The entries of one subject.
///
/// `facts` are all facts about it (for a customer: about all subscriptions that a start names them
/// for), in order of `occurred_at`, those of one instant in the order they were recorded.
pub fn entries(subject: Subject, facts: &[&Fact]) -> Result<Vec<Entry>, TooLarge> {
    match subject {
        Subject::User(_) => users::entries(facts),
        Subject::Subscription(_) => subscriptions::entries(facts),
        Subject::Customer(customer) => customers::entries(customer, facts),
        Subject::Payment(_) => payments::entries(facts),
        Subject::Commission(_) => commissions::entries(facts),
    }
}
