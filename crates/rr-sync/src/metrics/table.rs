//! The table of figures.
//!
//! Recurring revenue is summed as annual bases, integers by themselves, and shown as a twelfth,
//! rounded once at the end, half away from zero. So the movements of a period add up exactly in the
//! ledger, and to a cent or two of rounding in what is shown when prices are not monthly.

use super::formula::{Formula, Kind, Metric, Take, Term, Unit};
use crate::ledger::{Account, is_recurring};
use crate::ratio::rounded;

const SUBSCRIPTION_FACTS: &str = "subscriptions started, changed, set to cancel and ended";
const PAYMENT_FACTS: &str = "payments captured, refunded and disputed, and disputes won";
const COMMISSION_FACTS: &str = "commissions accrued, reversed, adjusted and paid";

/// Every named figure.
pub const METRICS: &[Metric] = &[
    TOTAL_USERS,
    SIGNUPS,
    REVENUE,
    SUBSCRIPTION_REVENUE,
    TRIPWIRE_REVENUE,
    ACTIVE_SUBSCRIPTIONS,
    MRR,
    ARR,
    TRIAL_MRR,
    PAUSED_MRR,
    PAST_DUE_MRR,
    CUSTOMERS,
    MRR_NEW,
    MRR_REACTIVATION,
    MRR_EXPANSION,
    MRR_CONTRACTION,
    MRR_CHURN,
    GROSS_MRR_CHURN,
    NET_MRR_CHURN,
    NRR,
    GRR,
    CUSTOMER_CHURN,
    ARPU,
    LTV,
    COMMISSIONS,
    COMMISSIONS_ON_HOLD,
    COMMISSIONS_PAYABLE,
    COMMISSIONS_PAID,
];

pub(crate) const TOTAL_USERS: Metric = Metric {
    name: "total_users",
    unit: Unit::Count,
    kind: Kind::Stock,
    definition: "Users created by then and not deleted.",
    source: "users created, changed and deleted",
    made_of: &[],
    formula: sum(&[all(Account::Users, Take::Count)]),
};

const SIGNUPS: Metric = Metric {
    name: "signups",
    unit: Unit::Count,
    kind: Kind::Flow,
    definition: "Users created in the period, whatever became of them.",
    source: "users created",
    made_of: &[],
    formula: sum(&[all(Account::Signups, Take::Count)]),
};

pub(crate) const REVENUE: Metric = Metric {
    name: "revenue",
    unit: Unit::Money,
    kind: Kind::Flow,
    definition: "Captured − refunded − disputed + won back, each on its own date: a refund lowers \
                 the period of the refund and never that of the sale.",
    source: PAYMENT_FACTS,
    made_of: &[],
    formula: sum(&[all(Account::Revenue, Take::Amount)]),
};

pub(crate) const SUBSCRIPTION_REVENUE: Metric = Metric {
    name: "subscription_revenue",
    definition: "Revenue from payments of subscriptions.",
    formula: sum(&[Term {
        account: Account::Revenue,
        counts: |group| group[0] == "subscription",
        take: Take::Amount,
    }]),
    ..REVENUE
};

pub(crate) const TRIPWIRE_REVENUE: Metric = Metric {
    name: "tripwire_revenue",
    definition: "Revenue from one-off tripwire sales.",
    formula: sum(&[Term {
        account: Account::Revenue,
        counts: |group| group[0] == "tripwire",
        take: Take::Amount,
    }]),
    ..REVENUE
};

pub(crate) const ACTIVE_SUBSCRIPTIONS: Metric = Metric {
    name: "active_subscriptions",
    unit: Unit::Count,
    kind: Kind::Stock,
    definition: "Subscriptions that are active or past due and cost something. One that is set to \
                 cancel counts until its end.",
    source: SUBSCRIPTION_FACTS,
    made_of: &[],
    formula: sum(&[Term {
        account: Account::Subscriptions,
        counts: |group| is_recurring(group[1]),
        take: Take::Count,
    }]),
};

pub(crate) const MRR: Metric = Metric {
    name: "mrr",
    unit: Unit::Money,
    kind: Kind::Stock,
    definition: "Monthly recurring revenue: a twelfth of the annual bases (price × quantity × how \
                 often it is due in a year) of all active and past due subscriptions.",
    source: SUBSCRIPTION_FACTS,
    made_of: &[],
    formula: monthly(&[Term {
        account: Account::Subscriptions,
        counts: |group| is_recurring(group[1]),
        take: Take::Amount,
    }]),
};

const ARR: Metric = Metric {
    name: "arr",
    definition: "Annual recurring revenue: the annual bases of all active and past due subscriptions.",
    formula: sum(&[Term {
        account: Account::Subscriptions,
        counts: |group| is_recurring(group[1]),
        take: Take::Amount,
    }]),
    ..MRR
};

const TRIAL_MRR: Metric = Metric {
    name: "trial_mrr",
    definition: "What trialing subscriptions would add to MRR; no part of it.",
    formula: monthly(&[Term {
        account: Account::Subscriptions,
        counts: |group| group[1] == "trialing",
        take: Take::Amount,
    }]),
    ..MRR
};

const PAUSED_MRR: Metric = Metric {
    name: "paused_mrr",
    definition: "What paused subscriptions would add to MRR; no part of it.",
    formula: monthly(&[Term {
        account: Account::Subscriptions,
        counts: |group| group[1] == "paused",
        take: Take::Amount,
    }]),
    ..MRR
};

const PAST_DUE_MRR: Metric = Metric {
    name: "past_due_mrr",
    definition: "The part of MRR whose subscriptions are past due.",
    formula: monthly(&[Term {
        account: Account::Subscriptions,
        counts: |group| group[1] == "past_due",
        take: Take::Amount,
    }]),
    ..MRR
};

const CUSTOMERS: Metric = Metric {
    name: "customers",
    unit: Unit::Count,
    kind: Kind::Stock,
    definition: "Customers with recurring revenue above zero.",
    source: SUBSCRIPTION_FACTS,
    made_of: &[],
    formula: sum(&[
        Term {
            account: Account::Movements,
            counts: |group| matches!(group[0], "new" | "reactivation"),
            take: Take::Count,
        },
        Term {
            account: Account::Movements,
            counts: |group| group[0] == "churn",
            take: Take::MinusCount,
        },
    ]),
};

const MRR_NEW: Metric = Metric {
    name: "mrr_new",
    unit: Unit::Money,
    kind: Kind::Flow,
    definition: "MRR of customers whose recurring revenue rose above zero for the first time. The \
                 MRR at the start + new + reactivation + expansion − contraction − churn is the MRR \
                 at the end: exactly in a year's worth (arr), and here within a cent for each, for \
                 a month is a twelfth of it, rounded by itself.",
    source: SUBSCRIPTION_FACTS,
    made_of: &[],
    formula: monthly(&[Term {
        account: Account::Movements,
        counts: |group| group[0] == "new",
        take: Take::Amount,
    }]),
};

const MRR_REACTIVATION: Metric = Metric {
    name: "mrr_reactivation",
    definition: "MRR of customers who came back above zero.",
    formula: monthly(&[Term {
        account: Account::Movements,
        counts: |group| group[0] == "reactivation",
        take: Take::Amount,
    }]),
    ..MRR_NEW
};

const MRR_EXPANSION: Metric = Metric {
    name: "mrr_expansion",
    definition: "What customers above zero added.",
    formula: monthly(&[Term {
        account: Account::Movements,
        counts: |group| group[0] == "expansion",
        take: Take::Amount,
    }]),
    ..MRR_NEW
};

const MRR_CONTRACTION: Metric = Metric {
    name: "mrr_contraction",
    definition: "What customers took away and stayed above zero; ending one of two subscriptions \
                 is contraction.",
    formula: monthly(&[Term {
        account: Account::Movements,
        counts: |group| group[0] == "contraction",
        take: Take::MinusAmount,
    }]),
    ..MRR_NEW
};

const MRR_CHURN: Metric = Metric {
    name: "mrr_churn",
    definition: "MRR of customers who fell to zero.",
    formula: monthly(&[Term {
        account: Account::Movements,
        counts: |group| group[0] == "churn",
        take: Take::MinusAmount,
    }]),
    ..MRR_NEW
};

const GROSS_MRR_CHURN: Metric = Metric {
    name: "gross_mrr_churn",
    unit: Unit::Percent,
    kind: Kind::Rate,
    definition: "(Churn + contraction) / MRR at the start.",
    source: SUBSCRIPTION_FACTS,
    made_of: &["mrr", "mrr_churn", "mrr_contraction"],
    formula: Formula::Ratio(|m| percent(m.churn + m.contraction, m.start)),
};

const NET_MRR_CHURN: Metric = Metric {
    name: "net_mrr_churn",
    definition: "(Churn + contraction − expansion − reactivation) / MRR at the start.",
    made_of: &["mrr", "mrr_churn", "mrr_contraction", "mrr_expansion", "mrr_reactivation"],
    formula: Formula::Ratio(|m| {
        percent(m.churn + m.contraction - m.expansion - m.reactivation, m.start)
    }),
    ..GROSS_MRR_CHURN
};

const NRR: Metric = Metric {
    name: "nrr",
    definition: "Net revenue retention: 1 + (expansion − contraction − churn) / MRR at the start.",
    made_of: &["mrr", "mrr_expansion", "mrr_contraction", "mrr_churn"],
    formula: Formula::Ratio(|m| percent(m.start + m.expansion - m.contraction - m.churn, m.start)),
    ..GROSS_MRR_CHURN
};

const GRR: Metric = Metric {
    name: "grr",
    definition: "Gross revenue retention: 1 − (churn + contraction) / MRR at the start.",
    // What gross churn leaves of 100, so that the two always add up.
    formula: Formula::Ratio(|m| {
        percent(m.churn + m.contraction, m.start).map(|lost| 10_000 - lost)
    }),
    ..GROSS_MRR_CHURN
};

const CUSTOMER_CHURN: Metric = Metric {
    name: "customer_churn",
    definition: "Of the customers at the start, the part that churned within the period.",
    made_of: &["customers", "mrr_churn"],
    formula: Formula::ChurnRatio(|m| percent(m.churned, m.customers_at_start)),
    ..GROSS_MRR_CHURN
};

const ARPU: Metric = Metric {
    name: "arpu",
    unit: Unit::Money,
    kind: Kind::Rate,
    definition: "MRR at the end / customers at the end.",
    source: SUBSCRIPTION_FACTS,
    made_of: &["mrr", "customers"],
    formula: Formula::Ratio(|m| divided(m.end, 12 * m.customers_at_end)),
};

const LTV: Metric = Metric {
    name: "ltv",
    definition: "ARPU / customer churn: what a customer brings before leaving, at the rate of the \
                 period.",
    made_of: &["mrr", "customers", "mrr_churn"],
    formula: Formula::ChurnRatio(|m| {
        divided(m.end * m.customers_at_start, 12 * m.customers_at_end * m.churned)
    }),
    ..ARPU
};

pub(crate) const COMMISSIONS: Metric = Metric {
    name: "commissions",
    unit: Unit::Money,
    kind: Kind::Flow,
    definition: "Accruals − reversals ± adjustments, each on its own date. A payout changes who \
                 holds the money, not this sum.",
    source: COMMISSION_FACTS,
    made_of: &[],
    formula: sum(&[all(Account::Commissions, Take::Amount)]),
};

pub(crate) const COMMISSIONS_ON_HOLD: Metric = Metric {
    name: "commissions_on_hold",
    kind: Kind::Stock,
    definition: "Net of what was paid out, commissions whose hold has not ended. On hold + payable \
                 + paid are all commissions.",
    formula: sum(&[Term {
        account: Account::Commissions,
        counts: |group| group[1] == "on_hold",
        take: Take::Amount,
    }]),
    ..COMMISSIONS
};

pub(crate) const COMMISSIONS_PAYABLE: Metric = Metric {
    name: "commissions_payable",
    definition: "Net of what was paid out, commissions whose hold has ended; below zero where more \
                 was paid out than was left after a refund.",
    formula: sum(&[Term {
        account: Account::Commissions,
        counts: |group| group[1] == "payable",
        take: Take::Amount,
    }]),
    ..COMMISSIONS_ON_HOLD
};

pub(crate) const COMMISSIONS_PAID: Metric = Metric {
    name: "commissions_paid",
    definition: "What was paid out.",
    formula: sum(&[Term {
        account: Account::Commissions,
        counts: |group| group[1] == "paid",
        take: Take::Amount,
    }]),
    ..COMMISSIONS_ON_HOLD
};

const fn all(account: Account, take: Take) -> Term {
    Term { account, counts: |_| true, take }
}

const fn sum(terms: &'static [Term]) -> Formula {
    Formula::Sum { terms, per: 1 }
}

const fn monthly(terms: &'static [Term]) -> Formula {
    Formula::Sum { terms, per: 12 }
}

/// `part / whole` in hundredths of a percent.
fn percent(part: i128, whole: i128) -> Option<i128> {
    divided(part * 10_000, whole)
}

fn divided(numerator: i128, denominator: i128) -> Option<i128> {
    (denominator > 0).then(|| rounded(numerator, denominator))
}
