//! The one rounding rule of the ledger's figures: half away from zero.

/// `numerator / denominator` to the nearest integer; the denominator is above zero.
pub(crate) fn rounded(numerator: i128, denominator: i128) -> i128 {
    let size = (numerator.unsigned_abs() * 2 + denominator.unsigned_abs())
        / (denominator.unsigned_abs() * 2);
    // A quotient is no larger than its numerator.
    i128::try_from(size).unwrap_or(i128::MAX) * numerator.signum()
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn halves_go_away_from_zero() {
        for (numerator, denominator, expected) in [
            (0, 12, 0),
            (5, 12, 0),
            (6, 12, 1),
            (-6, 12, -1),
            (-5, 12, 0),
            (18, 12, 2),
            (-8, 3, -3),
        ] {
            assert_eq!(rounded(numerator, denominator), expected, "{numerator}/{denominator}");
        }
    }
}
