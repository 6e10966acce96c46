//! A configured secret: it can be used, it cannot be shown.

use std::fmt;

/// A secret from the configuration. `Debug` says that there is one and nothing more; there is no
/// `Display` and no `Serialize`, so it reaches neither a log line nor an answer by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub(crate) fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for the one place that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Why this secret protects nothing, or `None` when it will do.
    ///
    /// Only what everybody would try first is looked for: a text too short to resist guessing, one
    /// character over and over, and what templates and tutorials print.
    pub(crate) fn weakness(&self, shortest: usize) -> Option<String> {
        let text = self.0.trim();
        let length = text.chars().count();
        let plain: String =
            text.to_lowercase().chars().filter(|char| char.is_ascii_alphanumeric()).collect();
        let first = plain.chars().next();
        if DEFAULTS.contains(&plain.as_str())
            || TEMPLATES.iter().any(|template| plain.starts_with(template))
            || plain.chars().all(|char| Some(char) == first)
        {
            Some("is a default that anybody would try".to_owned())
        } else if length < shortest {
            Some(format!("has {length} characters and needs at least {shortest}"))
        } else {
            None
        }
    }
}

/// Whole values, without case and punctuation.
const DEFAULTS: [&str; 13] = [
    "admin",
    "administrator",
    "adminadmin",
    "default",
    "devops",
    "letmein",
    "password",
    "qwerty",
    "secret",
    "test",
    "webhook",
    "webhooksecret",
    "devopswebhooksecret",
];

/// How a value begins that was never filled in, without case and punctuation.
const TEMPLATES: [&str; 9] = [
    "changeme",
    "changethis",
    "example",
    "insert",
    "placeholder",
    "replace",
    "xxx",
    "your",
    "1234",
];

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2hunter2")), "Secret(…)");
    }

    #[test]
    fn knows_what_everybody_would_try() {
        for (text, weak) in [
            ("changeme", true),
            ("Change-Me-Please-Now-1234", true),
            ("your_webhook_secret_here", true),
            ("webhook-secret", true),
            ("xxxxxxxxxxxxxxxxxxxxxxxx", true),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", true),
            ("", true),
            ("k3v9", true),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false),
            ("9f8b2c7d1e6a4f3b", false),
        ] {
            assert_eq!(Secret::new(text).weakness(16).is_some(), weak, "{text}");
        }
    }
}
