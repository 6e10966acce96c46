//! A percentage, exact in decimal.

use std::fmt;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A percentage in hundredths. On the wire it is a JSON number with at most two decimals (`12.5`,
/// `-3`), written digit by digit: a float never touches it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(i128);

impl Percent {
    /// From hundredths of a percent.
    pub const fn from_hundredths(hundredths: i128) -> Percent {
        Percent(hundredths)
    }

    /// From tenths of a percent.
    pub const fn from_tenths(tenths: i128) -> Percent {
        Percent(tenths * 10)
    }

    /// In tenths of a percent, what is smaller cut off.
    pub const fn tenths(self) -> i128 {
        self.0 / 10
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        match (part, part % 10) {
            (0, _) => write!(f, "{sign}{whole}"),
            (_, 0) => write!(f, "{sign}{whole}.{}", part / 10),
            _ => write!(f, "{sign}{whole}.{part:02}"),
        }
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Percent({self})")
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_more_decimals_than_it_has() {
        for (hundredths, shown) in [
            (0, "0"),
            (1, "0.01"),
            (-7, "-0.07"),
            (1_250, "12.5"),
            (-300, "-3"),
            (10_001, "100.01"),
        ] {
            let percent = Percent::from_hundredths(hundredths);
            assert_eq!(serde_json::to_string(&percent).unwrap(), shown);
        }
        assert_eq!(Percent::from_tenths(125), Percent::from_hundredths(1_250));
        assert_eq!(Percent::from_tenths(125).tenths(), 125);
    }
}
