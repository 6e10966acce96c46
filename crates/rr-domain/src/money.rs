//! Money: integer minor units (cents) of the installation's one currency.

use std::fmt;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An amount in minor units. On the wire it is a JSON number in major units with no trailing
/// zeros (`47`, `23.5`), written digit by digit: a float never touches it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

/// A text that is not an amount with up to two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an amount with up to two decimals, such as 47 or 23.50")]
pub struct MoneyError;

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// From minor units.
    pub const fn from_minor(minor: i64) -> Money {
        Money(minor)
    }

    /// In minor units.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Reads `47`, `47.5`, `-0.07`: an optional sign, digits, up to two decimals, nothing else.
    pub fn parse(text: &str) -> Result<Money, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || fraction.len() > 2 {
            return Err(MoneyError);
        }
        let whole: i64 = whole.parse().map_err(|_| MoneyError)?;
        let cents: i64 = format!("{fraction:0<2}").parse().map_err(|_| MoneyError)?;
        let minor =
            whole.checked_mul(100).and_then(|minor| minor.checked_add(cents)).ok_or(MoneyError)?;
        Ok(Money(if negative { -minor } else { minor }))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Total::from(*self).fmt(f)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self})")
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Total::from(*self).serialize(serializer)
    }
}

/// A sum of [`Money`], in minor units and wider, so that no number of facts can overflow it. It
/// shows and serialises exactly as an amount does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Total(i128);

impl Total {
    /// From minor units.
    pub const fn from_minor(minor: i128) -> Total {
        Total(minor)
    }

    /// In minor units.
    pub const fn minor(self) -> i128 {
        self.0
    }
}

impl From<Money> for Total {
    fn from(money: Money) -> Total {
        Total(i128::from(money.0))
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, cents) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        match (cents, cents % 10) {
            (0, _) => write!(f, "{sign}{whole}"),
            (_, 0) => write!(f, "{sign}{whole}.{}", cents / 10),
            _ => write!(f, "{sign}{whole}.{cents:02}"),
        }
    }
}

impl fmt::Debug for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Total({self})")
    }
}

impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_major_units_without_trailing_zeros() {
        for (text, minor, shown) in [
            ("47", 4_700, "47"),
            ("23.50", 2_350, "23.5"),
            ("0.07", 7, "0.07"),
            ("-0.5", -50, "-0.5"),
            ("0", 0, "0"),
            ("92233720368547758.07", i64::MAX, "92233720368547758.07"),
        ] {
            let money = Money::parse(text).unwrap();
            assert_eq!(money.minor(), minor, "{text}");
            assert_eq!(serde_json::to_string(&money).unwrap(), shown);
        }
        assert_eq!(Money::from_minor(i64::MIN).to_string(), "-92233720368547758.08");
    }

    #[test]
    fn a_total_may_pass_every_amount() {
        let sum = Total::from_minor(i128::from(i64::MAX) * 2 + 1);
        assert_eq!(serde_json::to_string(&sum).unwrap(), "184467440737095516.15");
        assert_eq!(Total::from(Money::from_minor(i64::MIN)).to_string(), "-92233720368547758.08");
    }

    #[test]
    fn refuses_what_is_not_an_amount() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1.234",
            "1e2",
            "+1",
            "1,50",
            "$1",
            " 1",
            "--1",
            "92233720368547758.08",
        ] {
            assert_eq!(Money::parse(text), Err(MoneyError), "{text:?}");
        }
    }
}
