//! The configuration as the HTTP edge takes it.

use rr_http::HttpSettings;

use crate::config::Config;

pub(super) fn http(config: &Config) -> HttpSettings {
    HttpSettings {
        cors_origins: config.http.cors_origins.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        public_url: config.http.public_url.clone(),
        webhook_secret: config.webhook.signing.clone(),
        webhook_max_bytes: config.webhook.max_bytes,
        leak_policy: config.leaks.policy,
        github_keys: config.leaks.github.as_ref().map(|github| github.keys.clone()),
        ..HttpSettings::default()
    }
}
