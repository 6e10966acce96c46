//! How long a batch waits for company.
//!
//! Callers that wait for an answer before they ask again fall into step with the writer: while one
//! half of them waits for the flush, the other half makes up the next batch. Left alone, the halves
//! come apart, a flush for a few after a flush for all the others, and the few pay as much as the
//! many. So a batch waits until half of those are there that the last two held together: with even
//! halves they are there already, and a caller that is alone, or the only other one, is never waited
//! for.

use std::time::Duration;

use crate::queue::Company;

/// Beyond this nobody is waited for, however slow the disk.
const LONGEST: Duration = Duration::from_millis(1);

/// What the last batches were like.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: usize,
    before: usize,
    took: Duration,
}

impl Pace {
    /// Notes a batch that has been answered.
    pub(super) fn ran(&mut self, jobs: usize, took: Duration) {
        (self.before, self.last, self.took) = (self.last, jobs, took);
    }

    /// Whom the next one waits for, and for at most half of the time that the last one took.
    pub(super) fn company(&self) -> Company {
        let number = usize::midpoint(self.last, self.before);
        if number <= 1 {
            return Company::NONE;
        }
        Company { number, patience: (self.took / 2).min(LONGEST) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_alone_and_halves_become_even() {
        let took = Duration::from_micros(400);
        let after = |sizes: &[usize]| {
            let mut pace = Pace::default();
            sizes.iter().for_each(|size| pace.ran(*size, took));
            pace.company()
        };
        for lone in [&[][..], &[1], &[1, 1], &[1, 2], &[2, 1]] {
            assert_eq!(after(lone), Company::NONE, "{lone:?}");
        }
        let half = Company { number: 32, patience: took / 2 };
        assert_eq!(after(&[64, 1]), half);
        assert_eq!(after(&[9, 8, 56]), half);
        let mut slow = Pace::default();
        slow.ran(64, Duration::from_secs(5));
        assert_eq!(slow.company(), Company { number: 32, patience: LONGEST });
    }
}
