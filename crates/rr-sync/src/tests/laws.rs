//! Laws that hold for every history.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::oracle::{
    Running, back, commissions, history, moment, revenue, signups, subscriptions_at, users_at,
};
use super::*;
use crate::Fold;

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        (told, shuffled) in history().prop_flat_map(|facts| {
            let mut repeated = facts.clone();
            repeated.extend(facts.iter().step_by(2).cloned());
            (Just(facts), Just(repeated).prop_shuffle())
        }),
        as_of in moment(),
    ) {
        prop_assert_eq!(compute(&told, as_of), compute(&shuffled, as_of));
    }

    #[test]
    fn a_stream_in_order_gives_the_same(mut facts in history(), as_of in moment()) {
        let expected = compute(&facts, as_of);
        facts.sort_by_key(|fact| fact.occurred_at);
        let mut fold = Fold::new(as_of);
        for fact in &facts {
            fold.add(fact);
            if fact.occurred_at > as_of {
                break; // the feeder may stop after the first later one
            }
        }
        prop_assert_eq!(fold.finish(), expected);
    }

    #[test]
    fn the_parts_sum_to_the_totals(facts in history(), as_of in moment()) {
        let figures = compute(&facts, as_of);
        let users = &figures.users;
        prop_assert_eq!(users.users_by_role.values().sum::<u64>(), users.total_users);
        prop_assert_eq!(users.users_by_status.values().sum::<u64>(), users.total_users);
        prop_assert!(users.users_by_role.values().chain(users.users_by_status.values()).all(|n| *n > 0));

        let revenue = &figures.revenue;
        let tiers = revenue.subscription_breakdown.values();
        prop_assert_eq!(
            revenue.subscription_revenue.minor() + revenue.tripwire_revenue.minor(),
            revenue.total_revenue.minor()
        );
        prop_assert_eq!(tiers.clone().map(|tier| tier.count).sum::<u64>(), revenue.active_subscriptions);
        prop_assert_eq!(
            tiers.map(|tier| tier.revenue.minor()).sum::<i128>(),
            revenue.subscription_revenue.minor()
        );

        let commissions = &figures.commissions;
        let tiers = commissions.commission_by_tier.values();
        prop_assert_eq!(tiers.clone().map(|tier| tier.count).sum::<u64>(), commissions.total_transactions);
        prop_assert_eq!(
            tiers.map(|tier| tier.total.minor()).sum::<i128>(),
            commissions.total_commissions.minor()
        );
        let states = commissions.states;
        prop_assert_eq!(
            states.on_hold.minor() + states.payable.minor() + states.paid.minor(),
            commissions.total_commissions.minor()
        );
        prop_assert_eq!(figures.dashboard.users.total, users.total_users);
        prop_assert_eq!(figures.dashboard.revenue.total, revenue.total_revenue);
    }

    #[test]
    fn what_happens_later_does_not_change_the_past(facts in history(), as_of in moment()) {
        let past: Vec<Fact> =
            facts.iter().filter(|fact| fact.occurred_at <= as_of).cloned().collect();
        let mut known_then = compute(&past, as_of);
        let known_now = compute(&facts, as_of);
        // Only the announcement of the next change may tell the two apart.
        known_then.next_change = known_now.next_change;
        prop_assert_eq!(known_then, known_now);
    }

    #[test]
    fn users_agree_with_a_second_opinion(facts in history(), as_of in moment()) {
        let figures = compute(&facts, as_of);
        let present = users_at(&facts, as_of);
        let mut roles: BTreeMap<Label, u64> = BTreeMap::new();
        let mut statuses: BTreeMap<Label, u64> = BTreeMap::new();
        for (role, status) in &present {
            *roles.entry(role.clone()).or_default() += 1;
            *statuses.entry(status.clone()).or_default() += 1;
        }
        prop_assert_eq!(&figures.users.users_by_role, &roles);
        prop_assert_eq!(&figures.users.users_by_status, &statuses);
        let signups = signups(&facts, as_of, 7);
        prop_assert_eq!(figures.users.recent_signups, u64::try_from(signups).unwrap());

        let before_window = back(as_of, 30).minus(std::time::Duration::from_micros(1));
        let before = users_at(&facts, before_window).len();
        prop_assert_eq!(
            growth(&figures.dashboard.users.growth_rate),
            exact_growth(present.len().try_into().unwrap(), before.try_into().unwrap())
        );
    }

    #[test]
    fn revenue_agrees_with_a_second_opinion(facts in history(), as_of in moment()) {
        let figures = compute(&facts, as_of);
        let ever = (at("2023-01-01"), at("2025-01-01"));
        let tripwire = revenue(&facts, as_of, ever, |product| *product == Product::Tripwire);
        let total = revenue(&facts, as_of, ever, |_| true);
        prop_assert_eq!(figures.revenue.tripwire_revenue.minor(), tripwire);
        prop_assert_eq!(figures.revenue.total_revenue.minor(), total);
        for tier in ["a", "b"] {
            let of_tier = |product: &Product| *product == Product::Subscription(label(tier));
            let shown = figures.revenue.subscription_breakdown.get(&label(tier));
            prop_assert_eq!(
                shown.map_or(0, |figures| figures.revenue.minor()),
                revenue(&facts, as_of, ever, of_tier)
            );
        }
        let (month, two) = (back(as_of, 30), back(as_of, 60));
        let window = revenue(&facts, as_of, (month, ever.1), |_| true);
        let before = revenue(&facts, as_of, (two, month), |_| true);
        prop_assert_eq!(growth(&figures.dashboard.revenue.growth_rate), exact_growth(window, before));
    }

    #[test]
    fn subscriptions_agree_with_a_second_opinion(facts in history(), as_of in moment()) {
        let figures = compute(&facts, as_of).revenue;
        let mut active = subscriptions_at(&facts, as_of);
        active.retain(Running::recurs);
        prop_assert_eq!(figures.active_subscriptions, u64::try_from(active.len()).unwrap());
        let yearly: i128 = active.iter().map(|one| one.yearly).sum();
        prop_assert_eq!(figures.monthly_recurring_revenue.minor(), (yearly + 6) / 12);
        for name in ["a", "b", "c"] {
            let of_tier = active.iter().filter(|one| one.tier == label(name));
            let tier = figures.subscription_breakdown.get(&label(name)).copied().unwrap_or_default();
            prop_assert_eq!(tier.count, u64::try_from(of_tier.clone().count()).unwrap());
            let yearly: i128 = of_tier.map(|one| one.yearly).sum();
            prop_assert_eq!(tier.mrr.minor(), (yearly + 6) / 12);
        }
    }

    #[test]
    fn commissions_agree_with_a_second_opinion(facts in history(), as_of in moment()) {
        let figures = compute(&facts, as_of).commissions;
        let expected = commissions(&facts, as_of);
        let total: i128 = expected.iter().map(|one| one.net).sum();
        prop_assert_eq!(figures.total_commissions.minor(), total);
        let count = expected.iter().filter(|one| one.counts).count();
        prop_assert_eq!(figures.total_transactions, u64::try_from(count).unwrap());
        let open = |on_hold| -> i128 {
            let open = expected.iter().filter(|one| one.on_hold == on_hold);
            open.map(|one| one.net - one.paid).sum()
        };
        prop_assert_eq!(figures.states.on_hold.minor(), open(true));
        prop_assert_eq!(figures.states.payable.minor(), open(false));
        let paid: i128 = expected.iter().map(|one| one.paid).sum();
        prop_assert_eq!(figures.states.paid.minor(), paid);
        for name in ["a", "b", "c"] {
            let by_tier = figures.commission_by_tier.get(&label(name));
            let of_tier = expected.iter().filter(|one| one.tier == label(name));
            let tier_total: i128 = of_tier.map(|one| one.net).sum();
            prop_assert_eq!(by_tier.map_or(0, |tier| tier.total.minor()), tier_total);
            let of_affiliate = expected.iter().filter(|one| one.affiliate == name);
            let affiliate_total: i128 = of_affiliate.map(|one| one.net).sum();
            let performer = figures.top_performers.iter().find(|one| one.username == name);
            let shown = performer.map_or(0, |one| one.total_commission.minor());
            prop_assert_eq!(shown, affiliate_total.max(0));
        }
    }
}

fn growth(rate: &Option<crate::Percent>) -> Option<String> {
    rate.map(|rate| rate.to_string())
}

/// The growth from `before` to `now` as text, by adding half a tenth to the size and cutting off.
fn exact_growth(now: i128, before: i128) -> Option<String> {
    if before <= 0 {
        return (before == 0 && now == 0).then(|| "0".to_owned());
    }
    let tenths = ((now - before).abs() * 2_000 + before) / (2 * before);
    let text = format!("{}.{}", tenths / 10, tenths % 10);
    let text = text.strip_suffix(".0").unwrap_or(&text).to_owned();
    Some(if now < before && tenths > 0 { format!("-{text}") } else { text })
}
