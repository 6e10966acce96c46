//! The configuration as the HTTP edge takes it.

use std::net::SocketAddr;

use rr_http::HttpSettings;

use crate::config::Config;

/// `listening` is where the server listens, which is its address unless another is configured.
pub(super) fn http(config: &Config, listening: SocketAddr) -> HttpSettings {
    HttpSettings {
        cors_origins: config.http.cors_origins.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        public_url: config.http.public_url.clone(),
        listen_url: format!("http://{listening}"),
        hosts: config.http.hosts(),
        webhook_secrets: config.webhook.signing.clone(),
        webhook_max_bytes: config.webhook.max_bytes,
        leak_policy: config.leaks.policy,
        github_keys: config.leaks.github.as_ref().map(|github| github.keyring()),
        ..HttpSettings::default()
    }
}
