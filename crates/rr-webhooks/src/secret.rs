//! The shared secret that signs webhooks.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The secret a webhook is signed with. It is never shown: not by `Debug`, not in an error.
///
/// The two signature forms derive different keys from it. `X-Webhook-Signature` uses the whole text
/// as it stands. Standard Webhooks drops an optional `whsec_` and decodes the rest from base64.
#[derive(Clone)]
pub struct WebhookSecret {
    text: String,
    decoded: Option<Vec<u8>>,
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
}

const PREFIX: &str = "whsec_";

impl WebhookSecret {
    /// Checks and keeps `text`.
    pub fn parse(text: &str) -> Result<WebhookSecret, SecretError> {
        let (encoded, announced) = match text.strip_prefix(PREFIX) {
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
        Ok(WebhookSecret { text: text.to_owned(), decoded })
    }

    /// The key of `X-Webhook-Signature`.
    pub(crate) fn plain_key(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The key of Standard Webhooks, if the secret is one of theirs.
    pub(crate) fn standard_key(&self) -> Option<&[u8]> {
        self.decoded.as_deref()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_secret_that_can_sign_is_kept() {
        let error = |text: &str| WebhookSecret::parse(text).err();
        assert_eq!(error(""), Some(SecretError::Empty));
        assert_eq!(error("whsec_"), Some(SecretError::Empty));
        assert_eq!(error("whsec_not base64"), Some(SecretError::NotBase64));
        assert_eq!(error("whsec_AAA"), Some(SecretError::NotBase64));
        assert_eq!(error("correct horse battery staple"), None);
        assert_eq!(error("whsec_AAAA"), None);
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = WebhookSecret::parse("hunter2-hunter2").unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        let policy = crate::Policy { secret: Some(&secret), max_bytes: 1 };
        assert!(!format!("{policy:#?}").contains("hunter2"));
    }
}
