//! The demo data as facts: what an empty installation shows when it is seeded for a first look.
//!
//! The ids are derived the way an import derives them, so seeding twice changes nothing.

use rr_domain::{
    Fact, FactKind, Interval, Label, Product, SubscriptionStatus, Timestamp, imported_id,
};
use uuid::Uuid;

/// The demo's administrator: created at [`admin_created_at`], role `admin`, status `active`.
pub fn admin_id() -> Uuid {
    imported_id("users", "demo/admin")
}

/// The demo's member: created at [`member_created_at`], role `member`, status `active`.
pub fn member_id() -> Uuid {
    imported_id("users", "demo/member")
}

/// 2024-01-01.
pub fn admin_created_at() -> Timestamp {
    days_after_epoch(19_723)
}

/// 2024-01-02, the day of the one sale too.
pub fn member_created_at() -> Timestamp {
    days_after_epoch(19_724)
}

/// Two users, one membership of 47 a month and the commission of 23.50 for it.
pub fn facts() -> Vec<Fact> {
    let sale_at = member_created_at();
    let subscription = imported_id("subscriptions", "demo/membership");
    vec![
        fact(
            "users/admin/created",
            admin_created_at(),
            FactKind::UserCreated { user: admin_id(), role: Label::ADMIN, status: Label::ACTIVE },
        ),
        fact(
            "users/member/created",
            member_created_at(),
            FactKind::UserCreated { user: member_id(), role: Label::MEMBER, status: Label::ACTIVE },
        ),
        fact(
            "subscriptions/membership/started",
            sale_at,
            FactKind::SubscriptionStarted {
                subscription,
                customer: member_id(),
                tier: Label::MEMBERSHIP,
                status: SubscriptionStatus::Active,
                price: 4_700,
                quantity: 1,
                interval: Interval::MONTHLY,
            },
        ),
        fact(
            "subscriptions/membership/captured",
            sale_at,
            FactKind::PaymentCaptured {
                payment: imported_id("payments", "demo/membership"),
                product: Product::Subscription(Label::MEMBERSHIP),
                amount: 4_700,
            },
        ),
        fact(
            "commissions/affiliate1/accrued",
            sale_at,
            FactKind::CommissionAccrued {
                commission: imported_id("commissions", "demo/affiliate1"),
                affiliate: "affiliate1".to_owned(),
                tier: Label::MEMBERSHIP,
                sale: 4_700,
                amount: 2_350,
                payable_at: days_after_epoch(19_754),
            },
        ),
    ]
}

fn fact(id: &str, occurred_at: Timestamp, kind: FactKind) -> Fact {
    Fact { id: imported_id("facts", &format!("demo/{id}")), occurred_at, kind }
}

fn days_after_epoch(days: u64) -> Timestamp {
    Timestamp::EPOCH.plus(std::time::Duration::from_secs(days * 86_400))
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;
    use crate::compute;

    #[test]
    fn the_demo_data_gives_the_demo_figures() {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let facts = facts();
        let sale = &facts[3];
        let figures = compute(&facts, now);
        assert_eq!(figures.next_change, None);
        assert_eq!(
            to_value(&figures.users).unwrap(),
            json!({
                "timestamp": "2026-01-01T00:00:00Z",
                "total_users": 2,
                "users_by_role": {"admin": 1, "member": 1},
                "users_by_status": {"active": 2},
                "recent_signups": 0,
            })
        );
        assert_eq!(
            to_value(&figures.revenue).unwrap(),
            json!({
                "timestamp": "2026-01-01T00:00:00Z",
                "currency": "USD",
                "total_revenue": 47,
                "subscription_revenue": 47,
                "tripwire_revenue": 0,
                "monthly_recurring_revenue": 47,
                "active_subscriptions": 1,
                "subscription_breakdown": {"membership": {"count": 1, "revenue": 47, "mrr": 47}},
                "recent_transactions": [{
                    "id": sale.id,
                    "type": "subscription",
                    "tier": "membership",
                    "amount": 47,
                    "timestamp": "2024-01-02T00:00:00Z",
                }],
            })
        );
        assert_eq!(
            to_value(&figures.commissions).unwrap(),
            json!({
                "timestamp": "2026-01-01T00:00:00Z",
                "total_commissions": 23.5,
                "states": {"on_hold": 0, "payable": 23.5, "paid": 0},
                "total_transactions": 1,
                "top_performers": [
                    {"username": "affiliate1", "total_commission": 23.5, "transaction_count": 1},
                ],
                "commission_by_tier": {"membership": {"count": 1, "total": 23.5}},
                "recent_commissions": [{
                    "id": imported_id("commissions", "demo/affiliate1"),
                    "username": "affiliate1",
                    "tier": "membership",
                    "amount": 47,
                    "commission": 23.5,
                    "created_at": "2024-01-02T00:00:00Z",
                }],
            })
        );
        assert_eq!(
            to_value(&figures.dashboard).unwrap(),
            json!({
                "users": {"total": 2, "growthRate": 0, "trend": "stable"},
                "revenue": {"total": 47, "growthRate": 0, "trend": "stable"},
            })
        );
    }
}
