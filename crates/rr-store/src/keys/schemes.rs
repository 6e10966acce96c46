//! How this installation hashes its keys.

use rr_keys::{HashScheme, Issued, KeyHash, Presented};

/// Under which hashes the secrets of keys stand in the store. Whoever makes a secret, looks one up or hears of
/// a public one asks here, and nobody names a scheme of his own: a key hashed in another way would not be found.
///
/// Without a pepper, the default, a key stands under its plain SHA-256.
#[derive(Debug, Clone)]
pub struct KeySchemes {
    /// Each with its pepper, the one of new keys first. There is one at least.
    known: Vec<(Option<PepperVersion>, HashScheme)>,
}

/// The number of a pepper, by which the store remembers what was hashed with it. It never learns the pepper.
pub type PepperVersion = u32;

/// The hash of a secret, and what it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretHash {
    pub(crate) hash: KeyHash,
    pub(crate) pepper: Option<PepperVersion>,
}

/// What a pepper, or none, is to this installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PepperPlace {
    /// New keys are hashed with it.
    Newest,
    /// Keys that stand under it work, and are moved to the newest when they are used.
    Older,
    /// It is not among the configured ones: keys that stand under it are refused.
    Unknown,
}

impl Default for KeySchemes {
    fn default() -> Self {
        Self::announced(Vec::new())
    }
}

impl KeySchemes {
    /// Keys under these peppers, the one for new keys first. `takes_plain`: keys that stand under no pepper work
    /// too, as all do at first and imported ones at any time. Without a pepper they always do.
    pub fn with_peppers(peppers: Vec<(PepperVersion, HashScheme)>, takes_plain: bool) -> Self {
        let takes_plain = takes_plain || peppers.is_empty();
        let plain = takes_plain.then(|| (None, HashScheme::sha256()));
        Self { known: numbered(peppers).chain(plain).collect() }
    }

    /// Keys under these peppers are found, and new ones stand under none still: for the time in which not every server
    /// has been told of the first.
    pub fn announced(peppers: Vec<(PepperVersion, HashScheme)>) -> Self {
        let plain = (None, HashScheme::sha256());
        Self { known: std::iter::once(plain).chain(numbered(peppers)).collect() }
    }

    /// The hash to store of a new key.
    pub fn hash(&self, issued: &Issued) -> SecretHash {
        SecretHash { hash: issued.hash(&self.newest()), pepper: self.newest_pepper() }
    }

    /// Each hash under which a secret may stand.
    pub fn hashes(&self, presented: &Presented<'_>) -> Vec<KeyHash> {
        self.known.iter().map(|(_, scheme)| presented.hash(scheme)).collect()
    }

    /// The scheme of new keys.
    pub fn newest(&self) -> HashScheme {
        self.known.first().map(|(_, scheme)| scheme.clone()).unwrap_or_default()
    }

    /// Where a verifier looks besides, one scheme after the other: all of them, upwards. A key is only moved to a larger
    /// number, so one that is moved while it is looked for cannot pass a look that goes the same way.
    pub fn older(&self) -> Vec<HashScheme> {
        if self.known.len() < 2 {
            return Vec::new();
        }
        let mut upwards: Vec<_> = self.known.iter().collect();
        upwards.sort_by_key(|(pepper, _)| *pepper);
        upwards.into_iter().map(|(_, scheme)| scheme.clone()).collect()
    }

    /// What keys that stand under this pepper can expect.
    pub fn place(&self, pepper: Option<PepperVersion>) -> PepperPlace {
        match self.places().position(|known| known == pepper) {
            Some(0) => PepperPlace::Newest,
            Some(_) => PepperPlace::Older,
            None => PepperPlace::Unknown,
        }
    }

    /// The peppers that are configured, and none where that is one of them; the newest first.
    pub(super) fn places(&self) -> impl Iterator<Item = Option<PepperVersion>> {
        self.known.iter().map(|(pepper, _)| *pepper)
    }

    pub(super) fn newest_pepper(&self) -> Option<PepperVersion> {
        self.places().next().flatten()
    }
}

fn numbered(
    peppers: Vec<(PepperVersion, HashScheme)>,
) -> impl Iterator<Item = (Option<PepperVersion>, HashScheme)> {
    peppers.into_iter().map(|(version, scheme)| (Some(version), scheme))
}

impl SecretHash {
    /// The plain SHA-256 of a key that was made elsewhere.
    pub fn plain(hash: KeyHash) -> SecretHash {
        SecretHash { hash, pepper: None }
    }
}

#[cfg(test)]
mod tests {
    use rr_keys::KeyFormat;

    use super::*;

    fn peppered(versions: &[PepperVersion], takes_plain: bool) -> KeySchemes {
        let pepper = |version: &PepperVersion| {
            let bytes = [u8::try_from(*version).unwrap(); 32];
            (*version, HashScheme::hmac_sha256(&bytes).unwrap())
        };
        KeySchemes::with_peppers(versions.iter().map(pepper).collect(), takes_plain)
    }

    #[test]
    fn a_look_goes_the_way_that_a_key_moves() {
        let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.fill(7));
        let upwards: Vec<KeyHash> =
            peppered(&[1, 2], true).older().iter().map(|scheme| issued.hash(scheme)).collect();
        assert_eq!(upwards[0], issued.hash(&HashScheme::sha256()));
        for (versions, announced) in [([2, 1], false), ([1, 2], true), ([2, 1], true)] {
            let pepper = |version: &PepperVersion| {
                let bytes = [u8::try_from(*version).unwrap(); 32];
                (*version, HashScheme::hmac_sha256(&bytes).unwrap())
            };
            let peppers: Vec<_> = versions.iter().map(pepper).collect();
            let schemes = match announced {
                true => KeySchemes::announced(peppers),
                false => KeySchemes::with_peppers(peppers, true),
            };
            let older: Vec<KeyHash> = schemes.older().iter().map(|s| issued.hash(s)).collect();
            assert_eq!(older, upwards, "{versions:?}");
            assert_eq!(schemes.newest_pepper(), if announced { None } else { Some(versions[0]) });
        }
    }

    #[test]
    fn a_new_key_stands_under_the_first_and_may_stand_under_any() {
        use PepperPlace::{Newest, Older, Unknown};
        let text = ["rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw"].concat();
        let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.fill(7));
        let presented = KeyFormat::REVENUE_RIPPLE.parse(&text).unwrap();
        for (versions, takes_plain, places, hashes) in [
            (&[][..], true, [Newest, Unknown, Unknown], 1),
            (&[], false, [Newest, Unknown, Unknown], 1),
            (&[1], true, [Older, Newest, Unknown], 2),
            (&[2, 1], true, [Older, Older, Newest], 3),
            (&[2], false, [Unknown, Unknown, Newest], 1),
            (&[1, 2], false, [Unknown, Newest, Older], 2),
        ] {
            let schemes = peppered(versions, takes_plain);
            assert_eq!([None, Some(1), Some(2)].map(|pepper| schemes.place(pepper)), places);
            assert_eq!(schemes.hashes(&presented).len(), hashes, "{versions:?}");
            // All of them, upwards.
            assert_eq!(schemes.older().len(), if hashes == 1 { 0 } else { hashes });
            let made = schemes.hash(&issued);
            assert_eq!(schemes.place(made.pepper), Newest);
            assert_eq!(made.hash, issued.hash(&schemes.newest()));
        }
    }
}
