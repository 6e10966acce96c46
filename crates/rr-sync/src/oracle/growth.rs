//! Growth in integers, rounded to one decimal, and the trend read from it.

use super::rounding::divide_rounded;
use crate::Percent;
use crate::figures::{Headline, Trend};

/// `(now − before) / before` in percent, one decimal, half away from zero.
///
/// From nothing to nothing is no growth. From nothing to something has no rate, and neither has
/// growth from a negative base (a month of more refunds than sales), whose sign would mislead.
pub(super) fn growth(now: i128, before: i128) -> Option<Percent> {
    match before {
        0 if now == 0 => Some(Percent::from_tenths(0)),
        1.. => Some(Percent::from_tenths(divide_rounded((now - before) * 1_000, before))),
        _ => None,
    }
}

/// A dashboard entry: `total` as it stands, its growth from `before` to `now`, and the trend.
pub(super) fn headline<T>(total: T, now: i128, before: i128) -> Headline<T> {
    let growth_rate = growth(now, before);
    let trend = match growth_rate.map(Percent::tenths) {
        None => Trend::New,
        Some(25..) => Trend::Up,
        Some(..=-25) => Trend::Down,
        Some(_) => Trend::Stable,
    };
    Headline { total, growth_rate, trend }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_rounded_half_away_from_zero() {
        for (now, before, shown) in [
            (0, 0, "0"),
            (5, 0, "null"),
            (-5, 0, "null"),
            (100, -100, "null"),
            (0, 7, "-100"),
            (3, 1, "200"),
            (9, 8, "12.5"),
            (2_001, 2_000, "0.1"),  // 0.05 percent, exactly half a tenth
            (1_999, 2_000, "-0.1"), // the same, downwards
            (20_009, 20_000, "0"),  // 0.045 percent
            (4, 3, "33.3"),
            (5, 3, "66.7"),
            (-3, 3, "-200"),
        ] {
            let rate = growth(now, before);
            assert_eq!(serde_json::to_string(&rate).unwrap(), shown, "{before} to {now}");
        }
    }

    #[test]
    fn the_trend_turns_at_two_and_a_half_percent() {
        for (now, before, trend) in [
            (1_025, 1_000, Trend::Up),
            (10_244, 10_000, Trend::Stable), // 2.44 percent shows as 2.4
            (10_245, 10_000, Trend::Up),     // 2.45 percent shows as 2.5
            (1_000, 1_000, Trend::Stable),
            (976, 1_000, Trend::Stable),
            (975, 1_000, Trend::Down),
            (0, 0, Trend::Stable),
            (1, 0, Trend::New),
        ] {
            assert_eq!(headline((), now, before).trend, trend, "{before} to {now}");
        }
    }
}
