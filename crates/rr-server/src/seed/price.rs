//! The old price list: what an invented subscription costs by the month and what it makes of its
//! user.

use rr_domain::{Label, LabelError};

/// A product of the price list that is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// 47 a month.
    Membership,
    /// 47 a month.
    Reseller,
    /// 97 a month.
    ProReseller,
}

/// What the tripwire offer costs, once, in cents.
pub(crate) const TRIPWIRE_PRICE: i64 = 700;

impl Tier {
    /// The monthly price in cents.
    pub(crate) fn price(self) -> i64 {
        match self {
            Tier::Membership | Tier::Reseller => 4_700,
            Tier::ProReseller => 9_700,
        }
    }
}

/// The labels a history uses, made once.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    reseller: Label,
    pro_reseller: Label,
    /// The role of those who refer others without reselling.
    pub(crate) affiliate: Label,
    /// The status of those who left.
    pub(crate) inactive: Label,
    /// The status of those who owe too much.
    pub(crate) suspended: Label,
}

impl Labels {
    pub(crate) fn new() -> Result<Labels, LabelError> {
        Ok(Labels {
            reseller: Label::parse("reseller")?,
            pro_reseller: Label::parse("pro_reseller")?,
            affiliate: Label::parse("affiliate")?,
            inactive: Label::parse("inactive")?,
            suspended: Label::parse("suspended")?,
        })
    }

    /// The tier's own label, which is also its users' plan.
    pub(crate) fn tier(&self, tier: Tier) -> Label {
        match tier {
            Tier::Membership => Label::MEMBERSHIP,
            Tier::Reseller => self.reseller.clone(),
            Tier::ProReseller => self.pro_reseller.clone(),
        }
    }

    /// The role a subscription of this tier gives.
    pub(crate) fn role(&self, tier: Tier) -> Label {
        match tier {
            Tier::Membership => Label::MEMBER,
            other => self.tier(other),
        }
    }
}
