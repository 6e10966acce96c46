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
    /// It and the one before it, ready to check signatures with.
    pub(crate) signing: Vec<WebhookSecret>,
    /// `RR_WEBHOOK_MAX_BYTES`, `webhook.max_bytes`: the largest event taken. Default 262144.
    pub(crate) max_bytes: usize,
}

pub(crate) const SECRET: Setting = Setting::new("webhook.secret", "DEVOPS_WEBHOOK_SECRET");
/// `DEVOPS_WEBHOOK_SECRET_PREVIOUS`, `webhook.previous_secret`: accepted as well, while senders
/// change over to a new one. Default none.
const PREVIOUS: Setting = Setting::new("webhook.previous_secret", "DEVOPS_WEBHOOK_SECRET_PREVIOUS");
const MAX_BYTES: Setting = Setting::new("webhook.max_bytes", "RR_WEBHOOK_MAX_BYTES");

const DEFAULT_MAX_BYTES: usize = 256 * 1024;
/// Past this an event is a file, and files do not belong in a row.
const MOST_BYTES: usize = 16 * 1024 * 1024;

impl WebhookConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<WebhookConfig, ConfigError> {
        let secret = sources.secret(SECRET)?;
        let previous = sources.secret(PREVIOUS)?;
        if secret.is_none() && previous.is_some() {
            let (old, new) = (PREVIOUS.variable, SECRET.variable);
            return Err(ConfigError(format!("{old} is set and {new} is not: set both, or none")));
        }
        let mut signing = Vec::new();
        for (setting, secret) in [(SECRET, &secret), (PREVIOUS, &previous)] {
            let parsed = secret.as_ref().map(|secret| WebhookSecret::parse(secret.expose()));
            let parsed = parsed.transpose();
            signing.extend(
                parsed.map_err(|error| ConfigError(format!("{}: {error}", setting.variable)))?,
            );
        }
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
