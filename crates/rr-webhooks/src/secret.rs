//! The secrets that webhooks are signed with.

use std::fmt;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rr_domain::Timestamp;

/// A secret a webhook is signed with. It is never shown: not by `Debug`, not in an error.
///
/// The signature forms derive different keys from the same text. Standard Webhooks drops an
/// optional `whsec_` and decodes the rest from base64; all others use the whole text as it stands.
/// `whpk_` and `whsk_` are Ed25519 keys of Standard Webhooks (`v1a`) and nothing else: a public key
/// is known to everyone, so as the key of an HMAC it would let anyone sign.
#[derive(Clone)]
pub struct WebhookSecret {
    key: Key,
    until: Option<Timestamp>,
}

#[derive(Clone)]
enum Key {
    Shared { text: String, decoded: Option<Vec<u8>> },
    Public(Vec<u8>),
}

/// A text that cannot sign anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing, or nothing but the prefix: anyone could sign with that.
    #[error("the webhook secret is empty")]
    Empty,
    /// `whsec_` announces base64, and what follows is not.
    #[error("what follows whsec_ in the webhook secret is not base64")]
    NotBase64,
    /// `whpk_` or `whsk_` announces an Ed25519 key, and what follows is not.
    #[error("what follows whpk_ or whsk_ in the webhook secret is not an Ed25519 key in base64")]
    NotEd25519,
}

const SHARED: &str = "whsec_";
const PUBLIC: &str = "whpk_";
const PRIVATE: &str = "whsk_";

impl WebhookSecret {
    /// Checks and keeps `text`.
    pub fn parse(text: &str) -> Result<WebhookSecret, SecretError> {
        let key = if let Some(encoded) = text.strip_prefix(PUBLIC) {
            Key::Public(decode_key(encoded, 32)?)
        } else if let Some(encoded) = text.strip_prefix(PRIVATE) {
            Key::Public(public_half(&decode_key(encoded, 64)?)?)
        } else {
            shared(text)?
        };
        Ok(WebhookSecret { key, until: None })
    }

    /// The same secret, good for signatures that arrive before `end`: the previous one, while
    /// senders change over.
    #[must_use]
    pub fn until(self, end: Timestamp) -> WebhookSecret {
        WebhookSecret { until: Some(end), ..self }
    }

    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|end| now < end)
    }

    /// The key of every HMAC but that of Standard Webhooks.
    pub(crate) fn text_key(&self) -> Option<&[u8]> {
        match &self.key {
            Key::Shared { text, .. } => Some(text.as_bytes()),
            Key::Public(_) => None,
        }
    }

    /// The key of Standard Webhooks' HMAC, if the secret is one of theirs.
    pub(crate) fn decoded_key(&self) -> Option<&[u8]> {
        match &self.key {
            Key::Shared { decoded, .. } => decoded.as_deref(),
            Key::Public(_) => None,
        }
    }

    /// The key of Ed25519 signatures.
    pub(crate) fn public_key(&self) -> Option<&[u8]> {
        match &self.key {
            Key::Shared { .. } => None,
            Key::Public(key) => Some(key),
        }
    }
}

fn shared(text: &str) -> Result<Key, SecretError> {
    let (encoded, announced) = match text.strip_prefix(SHARED) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if encoded.is_empty() {
        return Err(SecretError::Empty);
    }
    let decoded = STANDARD.decode(encoded).ok();
    if announced && decoded.is_none() {
        return Err(SecretError::NotBase64);
    }
    Ok(Key::Shared { text: text.to_owned(), decoded })
}

fn decode_key(encoded: &str, length: usize) -> Result<Vec<u8>, SecretError> {
    if encoded.is_empty() {
        return Err(SecretError::Empty);
    }
    let key = STANDARD.decode(encoded).map_err(|_| SecretError::NotEd25519)?;
    if key.len() == length { Ok(key) } else { Err(SecretError::NotEd25519) }
}

/// Who verifies needs only the public half; that it belongs to the other is checked.
fn public_half(both: &[u8]) -> Result<Vec<u8>, SecretError> {
    let (seed, public) = both.split_at_checked(32).ok_or(SecretError::NotEd25519)?;
    Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(|_| SecretError::NotEd25519)?;
    Ok(public.to_vec())
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: &str = concat!(
        "whsk_",
        "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
    );

    #[test]
    fn only_a_secret_that_can_sign_is_kept() {
        let error = |text: &str| WebhookSecret::parse(text).err();
        assert_eq!(error(""), Some(SecretError::Empty));
        assert_eq!(error("whsec_"), Some(SecretError::Empty));
        assert_eq!(error("whsec_not base64"), Some(SecretError::NotBase64));
        assert_eq!(error("whsec_AAA"), Some(SecretError::NotBase64));
        assert_eq!(error("correct horse battery staple"), None);
        assert_eq!(error("whsec_AAAA"), None);
        assert_eq!(error("whpk_"), Some(SecretError::Empty));
        assert_eq!(error("whpk_AAAA"), Some(SecretError::NotEd25519));
        assert_eq!(error(PAIR), None);
        let other_half = PAIR.replace("1SiA4", "1SiA5").replace("VKIDi", "VKIDj");
        assert_eq!(error(&other_half), Some(SecretError::NotEd25519));
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = [WebhookSecret::parse("hunter2-hunter2").unwrap()];
        assert_eq!(format!("{secret:?}"), "[WebhookSecret(…)]");
        let policy = crate::Policy { secrets: &secret, max_bytes: 1, format: crate::Format::Auto };
        assert!(!format!("{policy:#?}").contains("hunter2"));
    }

    #[test]
    fn a_public_key_is_no_key_of_an_hmac() {
        let secret = WebhookSecret::parse(PAIR).unwrap();
        assert!(secret.text_key().is_none() && secret.decoded_key().is_none());
        assert_eq!(secret.public_key().map(<[u8]>::len), Some(32));
    }
}
