//! What a referrer earns of a sale, and what a refund of it takes back.
//!
//! Facts carry the amounts, because a commission is fixed once, when it is earned. These are the rules
//! that whoever records such facts goes by: "rate in basis points (default 5000), rounded half up to a
//! cent", and "reversed so far = floor(commission × refunded so far / sale), so a full refund reverses
//! exactly all" (the definitions of the figures, `commissions`).

/// Half of a sale, in basis points.
pub const DEFAULT_RATE: u16 = 5_000;

/// All of a sale, in basis points.
const WHOLE: u16 = 10_000;

/// The commission of a sale, both in cents, rounded half up. A rate above the whole is the whole.
pub fn commission(sale: i64, basis_points: u16) -> i64 {
    let whole = i128::from(WHOLE);
    let share = i128::from(sale) * i128::from(basis_points.min(WHOLE));
    // No more than the whole was taken, so it fits.
    i64::try_from((share + whole / 2).div_euclid(whole)).unwrap_or(sale)
}

/// What is to be reversed now of a commission, when this much of its sale was refunded so far and this
/// much of it reversed so far.
///
/// The rule speaks of all that was refunded, so cents that rounding leaves behind come with a later
/// refund. A refund beyond the sale takes back no more than all, and what was reversed too much by hand
/// is not given back: that is an adjustment, which has a reason.
pub fn reversal(commission: i64, sale: i64, refunded_so_far: i64, reversed_so_far: i64) -> i64 {
    if sale <= 0 || commission <= 0 {
        return 0;
    }
    let refunded = i128::from(refunded_so_far.clamp(0, sale));
    let due = i128::from(commission) * refunded / i128::from(sale);
    // No more than the whole was taken, so it fits.
    i64::try_from(due).unwrap_or(commission).saturating_sub(reversed_so_far.max(0)).max(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DEFAULT_RATE, commission, reversal};

    /// The largest whole number that, times `by`, is at most `number`: found by halving, without a
    /// division.
    fn largest(number: i128, by: i128) -> i128 {
        let (mut low, mut high) = (0, i128::from(i64::MAX) + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if middle * by <= number { low = middle } else { high = middle }
        }
        low
    }

    /// Small amounts, where rounding shows, and those at the end of the range.
    fn cents() -> impl Strategy<Value = i64> {
        prop_oneof![0..200_i64, 0..=i64::MAX, i64::MAX - 5..=i64::MAX]
    }

    #[test]
    fn half_a_cent_goes_up() {
        for (sale, rate, earned) in [
            (0, DEFAULT_RATE, 0),
            (1, DEFAULT_RATE, 1),
            (4_700, DEFAULT_RATE, 2_350),
            (4_701, DEFAULT_RATE, 2_351),
            (1, 4_999, 0),
            (3, 1_500, 0),
            (10, 1_500, 2),
            (-1, DEFAULT_RATE, 0),
            (i64::MAX, DEFAULT_RATE, i64::MAX / 2 + 1),
            (i64::MAX, 10_000, i64::MAX),
            (i64::MIN, u16::MAX, i64::MIN),
        ] {
            assert_eq!(commission(sale, rate), earned, "{sale} at {rate}");
        }
    }

    #[test]
    fn without_a_sale_nothing_is_reversed() {
        assert_eq!(reversal(0, 0, 0, 0), 0);
        assert_eq!(reversal(5, 0, 5, 0), 0);
    }

    proptest! {
        #[test]
        fn a_commission_is_the_nearest_cent(sale in cents(), rate in 0..=10_000_u16) {
            let twice = 2 * i128::from(sale) * i128::from(rate) + 10_000;
            prop_assert_eq!(i128::from(commission(sale, rate)), largest(twice, 20_000));
            prop_assert!(commission(sale, rate) <= sale);
        }

        #[test]
        fn what_is_reversed_is_the_share_of_what_is_refunded(
            sale in cents(), rate in 0..=10_000_u16, one in cents(), other in cents(),
        ) {
            let earned = commission(sale, rate);
            let (less, more) = (one.min(other).min(sale), one.max(other).min(sale));
            let first = reversal(earned, sale, less, 0);
            if sale > 0 {
                let share = largest(i128::from(earned) * i128::from(less), sale.into());
                prop_assert_eq!(i128::from(first), share);
            }
            prop_assert!(first <= reversal(earned, sale, more, 0));
            let second = reversal(earned, sale, more, first);
            prop_assert_eq!(first + second, reversal(earned, sale, more, 0), "as if in one");
            let last = reversal(earned, sale, sale, first + second);
            prop_assert_eq!(first + second + last, earned, "a full refund takes back all");
            prop_assert_eq!(reversal(earned, sale, i64::MAX, earned), 0, "and never more");
        }
    }
}
