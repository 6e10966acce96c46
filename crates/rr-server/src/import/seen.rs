//! Values that must not occur twice in a file.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::fault::Fault;

/// Remembers which values of which columns a file has had, sixteen bytes for each value whatever
/// its length: 1,000,000 e-mails take some 40 MB.
///
/// Two different values share their sixteen bytes with a chance of about 10^-27 in a file of a
/// million rows; the keys are random, so nobody can arrange it.
pub(super) struct Seen {
    keys: [RandomState; 2],
    values: HashSet<u128>,
}

impl Seen {
    pub(super) fn new() -> Seen {
        Seen { keys: [RandomState::new(), RandomState::new()], values: HashSet::new() }
    }

    /// Notes a value; a fault when it was there before.
    pub(super) fn once(&mut self, column: &'static str, value: &str) -> Result<(), Fault> {
        let [high, low] =
            [0, 1].map(|half: usize| u128::from(self.keys[half].hash_one((column, value))));
        if self.values.insert(high << 64 | low) {
            Ok(())
        } else {
            Err(Fault::new(column, "occurs in an earlier row of this file"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_new_once_in_each_column() {
        let mut seen = Seen::new();
        assert!(seen.once("id", "1").is_ok());
        assert!(seen.once("email", "1").is_ok());
        assert!(seen.once("id", "2").is_ok());
        assert_eq!(seen.once("id", "1").unwrap_err().column, "id");
    }
}
