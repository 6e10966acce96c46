//! How this installation hashes its keys.

use rr_keys::{HashScheme, Issued, KeyHash, Presented};

/// Under which hashes the secrets of keys stand in the store. Whoever makes a secret, looks one up or hears of
/// a public one asks here, and nobody names a scheme of his own: a key hashed in another way would not be found.
///
/// Without a pepper, the default, a key stands under its plain SHA-256.
#[derive(Debug, Clone)]
pub struct KeySchemes {
    /// The one of new keys first.
    peppers: Vec<(PepperVersion, HashScheme)>,
    /// Whether keys are found that stand under no pepper.
    takes_plain: bool,
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
        Self { peppers: Vec::new(), takes_plain: true }
    }
}

impl KeySchemes {
    /// Keys under these peppers, the one for new keys first. `takes_plain`: keys that stand under no pepper work
    /// too, as all do at first and imported ones at any time. Without a pepper they always do.
    pub fn with_peppers(peppers: Vec<(PepperVersion, HashScheme)>, takes_plain: bool) -> Self {
        let takes_plain = takes_plain || peppers.is_empty();
        Self { peppers, takes_plain }
    }

    /// The hash to store of a new key.
    pub fn hash(&self, issued: &Issued) -> SecretHash {
        SecretHash { hash: issued.hash(&self.newest()), pepper: self.newest_pepper() }
    }

    /// Each hash under which a secret may stand.
    pub fn hashes(&self, presented: &Presented<'_>) -> Vec<KeyHash> {
        self.all().iter().map(|scheme| presented.hash(scheme)).collect()
    }

    /// The scheme of new keys.
    pub fn newest(&self) -> HashScheme {
        self.peppers.first().map(|(_, scheme)| scheme.clone()).unwrap_or_default()
    }

    /// Where a verifier looks besides, one scheme after the other. The newest stands at the end once more: a key
    /// that is moved while it is looked for is neither there yet when the first question comes nor where it was
    /// when the second does, and would be refused.
    pub fn older(&self) -> Vec<HashScheme> {
        let mut older: Vec<HashScheme> = self.all().into_iter().skip(1).collect();
        if !older.is_empty() {
            older.push(self.newest());
        }
        older
    }

    /// What keys that stand under this pepper can expect.
    pub fn place(&self, pepper: Option<PepperVersion>) -> PepperPlace {
        if pepper == self.newest_pepper() {
            return PepperPlace::Newest;
        }
        let is_known = match pepper {
            Some(version) => self.peppers.iter().any(|(known, _)| *known == version),
            None => self.takes_plain,
        };
        if is_known { PepperPlace::Older } else { PepperPlace::Unknown }
    }

    /// The peppers that are configured, and none where that is one of them; the newest first.
    pub(super) fn places(&self) -> impl Iterator<Item = Option<PepperVersion>> {
        let peppers = self.peppers.iter().map(|(version, _)| Some(*version));
        peppers.chain(self.takes_plain.then_some(None))
    }

    pub(super) fn newest_pepper(&self) -> Option<PepperVersion> {
        self.peppers.first().map(|(version, _)| *version)
    }

    fn all(&self) -> Vec<HashScheme> {
        let peppers = self.peppers.iter().map(|(_, scheme)| scheme.clone());
        peppers.chain(self.takes_plain.then(HashScheme::sha256)).collect()
    }
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
            // All others, and the newest once more.
            assert_eq!(schemes.older().len(), if hashes == 1 { 0 } else { hashes });
            let made = schemes.hash(&issued);
            assert_eq!(schemes.place(made.pepper), Newest);
            assert_eq!(made.hash, issued.hash(&schemes.newest()));
        }
    }
}
