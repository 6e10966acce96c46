//! How events come in.

use rr_webhooks::WebhookSecret;

use super::secret::Secret;
use super::source::{ConfigError, Setting, Sources};

/// `[webhook]`.
#[derive(Debug, Clone)]
pub(crate) struct WebhookConfig {
    /// `DEVOPS_WEBHOOK_SECRET`, `webhook.secret`: when set, every event must be signed with it.
    /// Default none.
    pub(crate) secret: Option<Secret>,
    /// The same, ready to check signatures with.
    pub(crate) signing: Option<WebhookSecret>,
    /// `RR_WEBHOOK_MAX_BYTES`, `webhook.max_bytes`: the largest event taken. Default 262144.
    pub(crate) max_bytes: usize,
}

pub(crate) const SECRET: Setting = Setting::new("webhook.secret", "DEVOPS_WEBHOOK_SECRET");
const MAX_BYTES: Setting = Setting::new("webhook.max_bytes", "RR_WEBHOOK_MAX_BYTES");

const DEFAULT_MAX_BYTES: usize = 256 * 1024;
/// Past this an event is a file, and files do not belong in a row.
const MOST_BYTES: usize = 16 * 1024 * 1024;

impl WebhookConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<WebhookConfig, ConfigError> {
        let secret = sources.secret(SECRET)?;
        let signing = secret
            .as_ref()
            .map(|secret| WebhookSecret::parse(secret.expose()))
            .transpose()
            .map_err(|error| ConfigError(format!("{}: {error}", SECRET.variable)))?;
        Ok(WebhookConfig {
            secret,
            signing,
            max_bytes: sources.parse(MAX_BYTES, DEFAULT_MAX_BYTES, parse_bytes)?,
        })
    }
}

fn parse_bytes(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|bytes| (1_024..=MOST_BYTES).contains(bytes))
        .ok_or("is not a number of bytes between 1024 and 16777216")
}
