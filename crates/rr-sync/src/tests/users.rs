//! Stories about users.

use std::collections::BTreeMap;

use super::*;
use crate::Trend;

fn counts<const N: usize>(entries: [(&str, u64); N]) -> BTreeMap<Label, u64> {
    entries.into_iter().map(|(name, count)| (label(name), count)).collect()
}

#[test]
fn a_user_who_changes_role_twice_in_one_second_has_the_last_one() {
    for (first, second) in [
        ("2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.2Z"),
        // At the very same instant the order of recording decides.
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    ] {
        let facts = story([
            ("2024-01-01", user(1, "member")),
            (first, becomes(1, "affiliate")),
            (second, becomes(1, "reseller")),
        ]);
        assert_eq!(figures(&facts, "2024-01-02").users.users_by_role, counts([("reseller", 1)]));
    }
}

#[test]
fn role_and_status_change_apart() {
    let facts = story([
        ("2024-01-01", user(1, "member")),
        ("2024-01-01", user(2, "member")),
        ("2024-01-02", becomes(1, "admin")),
        ("2024-01-03", status(1, "suspended")),
    ]);
    let users = figures(&facts, "2024-01-03").users;
    assert_eq!(users.users_by_role, counts([("admin", 1), ("member", 1)]));
    assert_eq!(users.users_by_status, counts([("active", 1), ("suspended", 1)]));
}

#[test]
fn a_deleted_user_is_gone_but_stays_a_recent_signup() {
    let facts = story([
        ("2024-01-01", user(1, "member")),
        ("2024-01-02", user(2, "admin")),
        ("2024-01-03", deleted(1)),
        ("2024-01-04", becomes(1, "reseller")),
    ]);
    let users = figures(&facts, "2024-01-05").users;
    assert_eq!(users.total_users, 1);
    assert_eq!(users.users_by_role, counts([("admin", 1)]), "a group of none is left out");
    assert_eq!(users.recent_signups, 2);
}

#[test]
fn a_user_is_created_once() {
    let facts = story([
        ("2024-01-01", user(1, "member")),
        ("2024-01-02", user(1, "admin")),
        ("2024-01-02", becomes(9, "admin")),
    ]);
    let users = figures(&facts, "2024-01-03").users;
    assert_eq!((users.total_users, users.recent_signups), (1, 1));
    assert_eq!(users.users_by_role, counts([("member", 1)]));
}

#[test]
fn the_week_of_signups_starts_at_a_whole_minute() {
    let facts = story([("2024-02-23T10:00:00Z", user(1, "member"))]);
    // Seven days with the 29th of February among them.
    for (as_of, signups) in [
        ("2024-02-23T09:59:59.999999Z", 0),
        ("2024-02-23T10:00:00Z", 1),
        ("2024-03-01T10:00:59.999999Z", 1),
        ("2024-03-01T10:01:00Z", 0),
    ] {
        assert_eq!(figures(&facts, as_of).users.recent_signups, signups, "{as_of}");
    }
}

#[test]
fn a_day_is_24_hours_on_the_days_the_clocks_change_too() {
    // 2024-03-31 and 2024-10-27 have 23 and 25 hours in Europe.
    for (created, last) in [
        ("2024-03-30T01:30:00Z", "2024-04-06T01:30:59Z"),
        ("2024-10-26T01:30:00Z", "2024-11-02T01:30:59Z"),
    ] {
        let facts = story([(created, user(1, "member"))]);
        assert_eq!(figures(&facts, last).users.recent_signups, 1);
        let after = at(last).plus(std::time::Duration::from_secs(1));
        assert_eq!(compute(&facts, after).users.recent_signups, 0);
    }
}

#[test]
fn users_grow_against_thirty_days_ago() {
    let facts = story([
        ("2024-01-01", user(1, "member")),
        ("2024-01-02", user(2, "member")),
        ("2024-01-03", user(3, "member")),
        ("2024-01-20", user(4, "member")),
        ("2024-02-20", deleted(1)),
    ]);
    for (as_of, rate, trend) in [
        ("2023-12-31", Some(0), Trend::Stable),
        ("2024-01-10", None, Trend::New),
        ("2024-02-02", Some(1_000), Trend::Up), // 2 before January 3rd, 4 now
        ("2024-02-03", Some(333), Trend::Up),   // 3 before January 4th
        ("2024-02-19", Some(333), Trend::Up),   // the window holds its first instant
        ("2024-02-19T00:01:00Z", Some(0), Trend::Stable),
        ("2024-02-20", Some(-250), Trend::Down),
    ] {
        let users = figures(&facts, as_of).dashboard.users;
        let growth = users.growth_rate.map(crate::Percent::tenths);
        assert_eq!((growth, users.trend), (rate, trend), "{as_of}");
    }
}

#[test]
fn nothing_gives_zeros() {
    let nothing = figures(&[], "2024-01-01");
    assert_eq!(nothing.users.total_users, 0);
    assert_eq!(nothing.revenue.monthly_recurring_revenue, cents(0));
    assert_eq!(nothing.dashboard.users.growth_rate, Some(crate::Percent::from_tenths(0)));
    assert_eq!(nothing.dashboard.revenue.trend, Trend::Stable);
    assert_eq!(nothing.next_change, None);
}
