//! How keys look: prefix, random body, check digits, and the shapes of older issuers.

mod base62;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::{HashScheme, KeyHash, Secret};

/// Random characters of a key: 30 of base62 are 178 bits.
const BODY: usize = 30;
/// Check characters: a CRC-32 in base62.
const CHECK: usize = 6;
/// Characters after the prefix that a hint shows.
const HINT: usize = 4;
/// Characters after the prefix of an older shape.
const LONGEST_SHAPE: usize = 1_024;

/// The look of a service's keys: a prefix, 30 random base62 characters, 6 check characters.
///
/// The check digits let a typo or a random string be refused without a look-up; they are no secret.
/// Older shapes are accepted beside it and never issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFormat {
    prefix: Cow<'static, str>,
    legacy: Cow<'static, [LegacyShape]>,
}

/// A shape in which earlier keys were issued. Without check digits a look-up must tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyShape {
    prefix: Cow<'static, str>,
    length: usize,
}

/// A key just made. The secret is not stored anywhere, so whoever drops this has lost it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the secret exists nowhere else"]
pub struct Issued {
    /// To show to the owner, once.
    pub secret: Secret,
    /// The first characters, by which people tell keys apart: the prefix and four more.
    pub hint: String,
}

/// A text that has the form of a key. Whether anybody issued it is another question.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    text: &'a str,
}

/// Why a text is not a key of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It does not begin as a key does.
    #[error("a key begins with another prefix")]
    Prefix,
    /// It is shorter or longer than a key.
    #[error("a key has another length")]
    Length,
    /// It has a character that no key has.
    #[error("a key has letters and digits only")]
    Character,
    /// The check digits do not fit, as after a typo.
    #[error("the check digits do not fit")]
    Check,
}

/// An older shape cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidShape {
    /// Its prefix is none.
    #[error(transparent)]
    Prefix(#[from] InvalidPrefix),
    /// It has nothing behind its prefix, or more than any header field carries.
    #[error("a shape has 1 to 1024 characters behind its prefix, not {0}")]
    Length(usize),
}

/// The prefix cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a prefix is 1 to 32 of A-Z, a-z, 0-9, - and _, not {0:?}")]
pub struct InvalidPrefix(String);

impl KeyFormat {
    /// The keys of Revenue Ripple: `rr_`, and the 43 url-safe base64 characters of its first server.
    pub const REVENUE_RIPPLE: Self = Self {
        prefix: Cow::Borrowed("rr_"),
        legacy: Cow::Borrowed(&[LegacyShape { prefix: Cow::Borrowed("rr_"), length: 43 }]),
    };

    /// A format of your own. End the prefix with `_`: it reads well, and scanners find it.
    pub fn new(prefix: impl Into<Cow<'static, str>>) -> Result<Self, InvalidPrefix> {
        Ok(Self { prefix: checked(prefix.into())?, legacy: Cow::Borrowed(&[]) })
    }

    /// The same format, accepting an older shape too.
    #[must_use]
    pub fn with_legacy(mut self, shape: LegacyShape) -> Self {
        self.legacy.to_mut().push(shape);
        self
    }

    /// What every key begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Makes a key from a source of random bytes, which must be the operating system's or as good.
    pub fn issue(&self, fill: impl FnMut(&mut [u8])) -> Issued {
        let body = base62::random::<BODY>(fill);
        let mut text = String::with_capacity(self.prefix.len() + BODY + CHECK);
        text.push_str(&self.prefix);
        text.extend(body.iter().copied().map(char::from));
        text.extend(base62::check_digits(&*body).map(char::from));
        let hint = text.chars().take(self.prefix.len() + HINT).collect();
        Issued { secret: Secret::new(text), hint }
    }

    /// Tells whether a text has the form of a key, without looking anything up.
    #[inline]
    pub fn parse<'a>(&self, text: &'a str) -> Result<Presented<'a>, Malformed> {
        match self.check(text) {
            Ok(()) => Ok(Presented { text }),
            Err(_) if self.legacy.iter().any(|shape| shape.fits(text)) => Ok(Presented { text }),
            Err(malformed) => Err(malformed),
        }
    }

    /// Whether the length is that of a key: a first look that costs next to nothing.
    #[inline]
    pub(crate) fn has_length(&self, length: usize) -> bool {
        length == self.prefix.len() + BODY + CHECK
            || self.legacy.iter().any(|shape| shape.has_length(length))
    }

    #[inline]
    fn check(&self, text: &str) -> Result<(), Malformed> {
        let digits = text.strip_prefix(&*self.prefix).ok_or(Malformed::Prefix)?.as_bytes();
        let digits: &[u8; BODY + CHECK] = digits.try_into().map_err(|_| Malformed::Length)?;
        let (body, check) = digits.split_at(BODY);
        // Without an early exit, so that the compiler looks at many bytes at once.
        let clean = digits.iter().fold(true, |clean, byte| clean & byte.is_ascii_alphanumeric());
        match base62::fits(body, check) {
            true if clean => Ok(()),
            false if clean => Err(Malformed::Check),
            _ => Err(Malformed::Character),
        }
    }
}

impl Default for KeyFormat {
    fn default() -> Self {
        Self::REVENUE_RIPPLE
    }
}

impl LegacyShape {
    /// A prefix and then exactly `length` characters, 1 to 1,024, of letters, digits, `-` and `_`.
    pub fn url_safe(
        prefix: impl Into<Cow<'static, str>>,
        length: usize,
    ) -> Result<Self, InvalidShape> {
        let prefix = checked(prefix.into())?;
        if !(1..=LONGEST_SHAPE).contains(&length) {
            return Err(InvalidShape::Length(length));
        }
        Ok(Self { prefix, length })
    }

    fn has_length(&self, length: usize) -> bool {
        length == self.prefix.len() + self.length
    }

    fn fits(&self, text: &str) -> bool {
        text.strip_prefix(&*self.prefix)
            .is_some_and(|rest| rest.len() == self.length && rest.bytes().all(is_url_safe))
    }
}

impl Issued {
    /// The hash to store. The scheme is that of the verifier who will look the key up, see
    /// [`Verifier::scheme`](crate::Verifier::scheme): under any other he would not find it.
    pub fn hash(&self, scheme: &HashScheme) -> KeyHash {
        scheme.hash(self.secret.expose())
    }
}

impl Presented<'_> {
    /// The hash under which the store knows the key, if it was stored under this scheme.
    pub fn hash(&self, scheme: &HashScheme) -> KeyHash {
        scheme.hash(self.text)
    }
}

/// Shows nothing of the text.
impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Presented(redacted)")
    }
}

fn checked(prefix: Cow<'static, str>) -> Result<Cow<'static, str>, InvalidPrefix> {
    if (1..=32).contains(&prefix.len()) && prefix.bytes().all(is_url_safe) {
        Ok(prefix)
    } else {
        Err(InvalidPrefix(prefix.into_owned()))
    }
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
