//! The one rounding rule: half away from zero. The ledger has its own (`ratio.rs`): the oracle shares
//! no code with what it judges.

/// `numerator / denominator` to the nearest integer, halves away from zero. The denominator is
/// above zero, and the numerator is a sum of 64-bit amounts, far below half of what `i128` holds.
pub(super) fn divide_rounded(numerator: i128, denominator: i128) -> i128 {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    if rest.abs() >= denominator - rest.abs() { quotient + numerator.signum() } else { quotient }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        for (numerator, denominator, rounded) in [
            (0, 12, 0),
            (5, 12, 0),
            (6, 12, 1),
            (-6, 12, -1),
            (-5, 12, 0),
            (18, 12, 2),
            (7, 3, 2),
            (8, 3, 3),
            (-8, 3, -3),
            (i128::from(i64::MAX) * 365, 365, i128::from(i64::MAX)),
        ] {
            assert_eq!(
                divide_rounded(numerator, denominator),
                rounded,
                "{numerator}/{denominator}"
            );
        }
    }
}
