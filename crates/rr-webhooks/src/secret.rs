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
