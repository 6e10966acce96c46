//! May this configuration be shown to a network?
//!
//! On a loopback address only programs of this machine can knock, and a secret may be missing or
//! simple while one tries things out. Any other address is refused as long as
//! - `DEVOPS_WEBHOOK_SECRET` is missing, is a default that anybody would try, or has fewer than
//!   16 characters (events would be taken from whoever got hold of a key, unsigned);
//! - any other secret that is given, `RR_ADMIN_PASSWORD` first, is such a default: then it was
//!   never filled in.

use super::secret::Secret;
use super::source::{ConfigError, Setting};
use super::{Config, admin, http, services, webhook};

const SHORTEST_WEBHOOK_SECRET: usize = 16;

/// Refuses to listen beyond this machine with a default or missing secret.
pub(crate) fn check(config: &Config) -> Result<(), ConfigError> {
    if config.http.is_loopback() {
        return Ok(());
    }
    let refuse = |setting: Setting, reason: &str| {
        Err(ConfigError(format!(
            "{}: refusing to listen on {}, which other machines can reach: {} {reason}",
            http::BIND.variable,
            config.http.bind,
            setting.variable
        )))
    };
    let Some(secret) = &config.webhook.secret else {
        return refuse(webhook::SECRET, "is not set (make one with `openssl rand -hex 32`)");
    };
    if let Some(reason) = secret.weakness(SHORTEST_WEBHOOK_SECRET) {
        return refuse(webhook::SECRET, &reason);
    }
    let others: [(Setting, &Option<Secret>); 6] = [
        (admin::PASSWORD, &config.admin.password),
        (services::STRIPE_SECRET_KEY, &config.stripe.secret_key),
        (services::STRIPE_WEBHOOK_SECRET, &config.stripe.webhook_secret),
        (services::OPENAI_API_KEY, &config.openai.api_key),
        (services::SUPABASE_JWT_SECRET, &config.supabase.jwt_secret),
        (services::SUPABASE_SERVICE_ROLE_KEY, &config.supabase.service_role_key),
    ];
    for (setting, secret) in others {
        if let Some(reason) = secret.as_ref().and_then(|secret| secret.weakness(1)) {
            return refuse(setting, &reason);
        }
    }
    Ok(())
}

/// What is allowed beyond this machine and yet unwise, for the log.
pub(crate) fn warning(config: &Config) -> Option<&'static str> {
    let is_https = config.http.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    (!config.http.is_loopback() && !is_https).then_some(
        "RR_PUBLIC_URL is not https: passwords, sessions and keys travel in the clear; put a \
         proxy with TLS in front and name its address",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::load;

    const STRONG: (&str, &str) = ("DEVOPS_WEBHOOK_SECRET", "0a4c9be2f17d48d3b6e5");
    const OPEN: (&str, &str) = ("RR_BIND", "0.0.0.0:5000");

    fn outcome(environment: &[(&str, &str)]) -> Result<(), String> {
        check(&load("", environment).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_network_address_needs_real_secrets() {
        for (environment, names) in [
            (vec![], None),
            (vec![("RR_BIND", "127.9.9.9:1")], None),
            (vec![("RR_BIND", "[::1]:1")], None),
            (vec![("RR_BIND", "localhost:1")], None),
            (vec![("DEVOPS_WEBHOOK_SECRET", "changeme")], None),
            (vec![OPEN], Some("DEVOPS_WEBHOOK_SECRET is not set")),
            (vec![("RR_BIND", "[::]:1")], Some("DEVOPS_WEBHOOK_SECRET is not set")),
            (
                vec![OPEN, ("DEVOPS_WEBHOOK_SECRET", "your_webhook_secret")],
                Some("DEVOPS_WEBHOOK_SECRET is a default"),
            ),
            (
                vec![OPEN, ("DEVOPS_WEBHOOK_SECRET", "k3v9")],
                Some("DEVOPS_WEBHOOK_SECRET has 4 characters and needs at least 16"),
            ),
            (vec![OPEN, STRONG], None),
            (
                vec![OPEN, STRONG, ("RR_ADMIN_PASSWORD", "changeme-123")],
                Some("RR_ADMIN_PASSWORD is a default"),
            ),
            (
                vec![OPEN, STRONG, ("STRIPE_SECRET_KEY", "your_stripe_key")],
                Some("STRIPE_SECRET_KEY is a default"),
            ),
            (vec![OPEN, STRONG, ("RR_ADMIN_PASSWORD", "correct horse battery")], None),
        ] {
            match (outcome(&environment), names) {
                (Ok(()), None) => {}
                (Err(error), Some(names)) => assert!(error.contains(names), "{error}"),
                (got, expected) => panic!("{environment:?}: {got:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn plain_http_beyond_this_machine_is_warned_about() {
        for (environment, warned) in [
            (vec![], false),
            (vec![OPEN], true),
            (vec![OPEN, ("RR_PUBLIC_URL", "http://rr.example.com")], true),
            (vec![OPEN, ("RR_PUBLIC_URL", "https://rr.example.com")], false),
        ] {
            assert_eq!(warning(&load("", &environment).unwrap()).is_some(), warned);
        }
    }
}
