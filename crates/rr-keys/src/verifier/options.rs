//! How a verifier works, with defaults that need no thought.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::{HashScheme, KeyFormat, RateLimit};

/// How a [`Verifier`](crate::Verifier) works.
#[derive(Debug, Clone)]
pub struct VerifierOptions {
    /// The look of the keys.
    pub format: KeyFormat,
    /// How new keys are hashed in the store.
    pub scheme: HashScheme,
    /// Under which other schemes keys still stand there, those with most of the keys first: a key that is not in
    /// memory is looked up under [`scheme`](Self::scheme) and then under each of these until it is found, one
    /// question to the store each. [`HashScheme`] says how a pepper is changed with this.
    pub older_schemes: Vec<HashScheme>,
    /// How many keys stay in memory, and at most twice as many where they fall well. The table for them is
    /// made at once: 16 bytes for each.
    ///
    /// A key that left memory is remembered until its rate limits have refilled. Of more such keys than eight times
    /// this (at least 2,048), those that would have refilled soonest are forgotten and begin anew, as
    /// [`CacheStats::limits_lost`](crate::CacheStats::limits_lost) counts. Quotas are in the store and are not.
    pub capacity: usize,
    /// How long a cached record is believed without a word from [`Verifier::forget`]: the bound on how late
    /// a change made elsewhere can be noticed when every notification fails. `None` means for ever.
    ///
    /// [`Verifier::forget`]: crate::Verifier::forget
    pub max_age: Option<Duration>,
    /// How many unknown keys are remembered as unknown, in a space of their own.
    pub unknown_capacity: usize,
    /// For how long. Any change of any key ends it early.
    pub unknown_ttl: Duration,
    /// How many look-ups of keys that turn out to be unknown the store will see, each scheme counting as
    /// one. `None` means any number. A key whose record is in memory and may be believed no more, for it is too
    /// old or was forgotten, is looked up whatever is left of this.
    pub unknown_budget: Option<RateLimit>,
    /// The same for each address (of IPv6, each /64), where the request names one.
    pub unknown_budget_per_address: Option<RateLimit>,
}

impl Default for VerifierOptions {
    /// 65,536 keys believed for a minute; 16,384 unknown ones for five seconds, of which the store sees at
    /// most 2,000 a second and 200 a second from one address.
    fn default() -> Self {
        Self {
            format: KeyFormat::default(),
            scheme: HashScheme::default(),
            older_schemes: Vec::new(),
            capacity: 65_536,
            max_age: Some(Duration::from_secs(60)),
            unknown_capacity: 16_384,
            unknown_ttl: Duration::from_secs(5),
            unknown_budget: Some(per_second(const { NonZeroU32::new(2_000).unwrap() })),
            unknown_budget_per_address: Some(per_second(const { NonZeroU32::new(200).unwrap() })),
        }
    }
}

fn per_second(limit: NonZeroU32) -> RateLimit {
    RateLimit { limit, window: Duration::from_secs(1) }
}
