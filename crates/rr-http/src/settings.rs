//! What the binary decides about the HTTP edge, read from its configuration once.

use ipnet::IpNet;
use rr_store::LeakPolicy;
use rr_webhooks::WebhookSecret;

use crate::github_keys::GithubKeyring;
use crate::host::Hosts;
use crate::limits::Limits;

/// The edge's configuration. [`HttpSettings::default`] is a server on a loopback address with
/// nothing optional switched on.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Origins whose pages may read answers, such as `https://app.example.com`. None: CORS is off.
    pub cors_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where people reach the server, such as `https://devops.example.com`, without a final `/`.
    /// An https address makes cookies `Secure` and adds HSTS.
    pub public_url: Option<String>,
    /// Where the server listens, such as `http://127.0.0.1:5000`: its address as long as no other
    /// is configured.
    pub listen_url: String,
    /// The names it answers under.
    pub hosts: Hosts,
    /// The secrets with which webhooks may be signed; with none, they need not be.
    pub webhook_secrets: Vec<WebhookSecret>,
    /// The largest webhook body.
    pub webhook_max_bytes: usize,
    /// What becomes of a key whose secret is reported as public.
    pub leak_policy: LeakPolicy,
    /// The keys with which GitHub signs its secret-scanning alerts, where they are taken.
    pub github_keys: Option<GithubKeyring>,
    /// Every other limit.
    pub limits: Limits,
    /// Worker threads; `None` is one per core.
    pub workers: Option<usize>,
}

impl HttpSettings {
    /// Whether people reach the server over https.
    pub fn is_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| {
            url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
        })
    }
}

impl Default for HttpSettings {
    fn default() -> HttpSettings {
        HttpSettings {
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            public_url: None,
            listen_url: "http://127.0.0.1:5000".to_owned(),
            hosts: Hosts::Any,
            webhook_secrets: Vec::new(),
            webhook_max_bytes: 256 * 1024,
            leak_policy: LeakPolicy::default(),
            github_keys: None,
            limits: Limits::STANDARD,
            workers: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show() {
        let settings = HttpSettings {
            webhook_secrets: vec![WebhookSecret::parse("very private").unwrap()],
            ..HttpSettings::default()
        };
        assert!(!format!("{settings:?}").contains("private"));
    }

    #[test]
    fn https_is_told_by_the_public_url() {
        for (url, https) in [
            (Some("https://devops.example.com"), true),
            (Some("HTTPS://devops.example.com"), true),
            (Some("http://devops.example.com"), false),
            (None, false),
        ] {
            let settings =
                HttpSettings { public_url: url.map(str::to_owned), ..HttpSettings::default() };
            assert_eq!(settings.is_https(), https, "{url:?}");
        }
    }
}
