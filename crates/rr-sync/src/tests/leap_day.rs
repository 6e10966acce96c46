//! The day that three years of four do not have.

use std::num::NonZeroU32;
use std::time::Duration;

use rr_domain::IntervalUnit;

use super::*;
use crate::metrics::{Step, Zone, periods};

const LEAP_DAY: &str = "2024-02-29";

/// What a named figure is over a stretch of time.
fn metric(facts: &[Fact], name: &str, from: &str, to: &str) -> String {
    Book::of(facts).metric(name, (at(from), at(to)))
}

#[test]
fn the_29th_of_february_is_a_day_of_every_window() {
    let leap = story([
        ("2024-02-28T23:59:59.999999Z", user(1, "member")),
        ("2024-02-29", user(2, "member")),
        ("2024-02-29T23:59:59.999999Z", user(3, "member")),
        ("2024-03-01", user(4, "member")),
    ]);
    let recent = |facts: &[Fact], now: &str| figures(facts, now).users.recent_signups;
    // Seven days before the 7th of March is the 29th, and the 28th in another year.
    assert_eq!(recent(&leap, "2024-03-06T23:59:59Z"), 4);
    assert_eq!(recent(&leap, "2024-03-07"), 3);
    assert_eq!(recent(&leap, "2024-03-07T00:01:00Z"), 2);
    assert_eq!(recent(&leap, "2024-03-08"), 1);
    let common = story([("2023-02-28", user(1, "member")), ("2023-03-01", user(2, "member"))]);
    assert_eq!(recent(&common, "2023-03-07"), 2);
    assert_eq!(recent(&common, "2023-03-07T00:01:00Z"), 1);
    // And 30 days before the 30th of March, of which growth is told.
    let paid =
        story([("2024-02-28", captured(1, "gold", 100)), (LEAP_DAY, captured(2, "gold", 300))]);
    let growth = |now: &str| figures(&paid, now).dashboard.revenue.growth_rate;
    assert_eq!(growth("2024-03-29").map(|rate| rate.to_string()).as_deref(), None);
    assert_eq!(growth("2024-03-30").map(|rate| rate.to_string()).as_deref(), Some("200"));
    assert_eq!(
        growth("2024-03-30T00:01:00Z").map(|rate| rate.to_string()).as_deref(),
        Some("-100")
    );
}

#[test]
fn the_29th_of_february_belongs_to_its_month_in_a_series() {
    let facts = story([
        ("2024-02-01", captured(1, "gold", 1)),
        ("2024-02-29T23:59:59.999999Z", captured(2, "gold", 20)),
        ("2024-03-01", captured(3, "gold", 300)),
    ]);
    let book = Book::of(&facts);
    let series = |zone: &Zone, from: &str, to: &str| -> Vec<(u64, String)> {
        let months = periods(at(from), at(to), Step::Month, zone).unwrap().into_iter();
        months
            .map(|month| {
                let hours = month.end.since(month.start).as_secs() / 3_600;
                (hours, book.metric("revenue", (month.start, month.end)))
            })
            .collect()
    };
    let told = |all: [(u64, &str); 3]| all.map(|(days, value)| (days, value.to_owned())).to_vec();
    let utc = series(&Zone::utc(), "2024-01-01", "2024-04-01");
    assert_eq!(utc, told([(31 * 24, "0"), (29 * 24, "0.21"), (31 * 24, "3")]));
    // Where it is already March.
    let tokyo = Zone::parse("Asia/Tokyo").unwrap();
    let shifted = series(&tokyo, "2023-12-31T15:00:00Z", "2024-03-31T15:00:00Z");
    assert_eq!(shifted, told([(31 * 24, "0"), (29 * 24, "0.01"), (31 * 24, "3.2")]));
    let days = periods(at("2024-02-28"), at("2024-03-02"), Step::Day, &Zone::utc()).unwrap();
    let starts: Vec<String> = days.iter().map(|day| day.start.to_string()).collect();
    assert_eq!(starts, ["2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"]);
}

#[test]
fn the_29th_of_february_counts_in_a_hold_of_30_days() {
    let hold = Duration::from_secs(30 * 86_400);
    for (sale, payable) in [
        ("2024-01-30T12:00:00Z", "2024-02-29T12:00:00Z"),
        ("2024-01-31T12:00:00Z", "2024-03-01T12:00:00Z"),
        ("2024-02-29T12:00:00Z", "2024-03-30T12:00:00Z"),
        ("2023-01-30T12:00:00Z", "2023-03-01T12:00:00Z"),
    ] {
        assert_eq!(at(sale).plus(hold), at(payable));
        let mut commission = earned(1, "ann", "gold", 200, 100);
        if let FactKind::CommissionAccrued { payable_at, .. } = &mut commission {
            *payable_at = at(sale).plus(hold);
        }
        let facts = story([(sale, commission)]);
        let tick = Duration::from_micros(1);
        // A figure of a stretch is that of its last instant, which its end is not.
        for (end, on_hold, free) in [(at(payable), "1", "0"), (at(payable).plus(tick), "0", "1")] {
            let end = end.to_string();
            assert_eq!(metric(&facts, "commissions_on_hold", sale, &end), on_hold, "{sale}");
            assert_eq!(metric(&facts, "commissions_payable", sale, &end), free, "{sale}");
        }
    }
}

#[test]
fn a_yearly_plan_of_the_29th_of_february_brings_the_same_every_month() {
    let yearly = Interval { unit: IntervalUnit::Year, count: NonZeroU32::MIN };
    let facts = story([
        (LEAP_DAY, started(1, "gold", 1_200, yearly)),
        ("2024-03-01", ends(1, Some("2025-02-28"))),
    ]);
    for (now, monthly) in
        [("2024-02-28", 0), (LEAP_DAY, 100), ("2025-02-27T23:59:59Z", 100), ("2025-02-28", 0)]
    {
        let shown = figures(&facts, now).revenue.monthly_recurring_revenue;
        assert_eq!(shown, cents(monthly), "{now}");
    }
}
