//! E-mail addresses as the command line, the configuration and an import take them.

use std::fmt;

/// An address in lower case: something, one `@`, something, no space, at most 254 bytes. Whether
/// mail arrives there is nobody's business here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    /// Checks and lower-cases `text`.
    pub(crate) fn parse(text: &str) -> Result<Email, &'static str> {
        let text = text.trim();
        let has_parts = text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains('@')
        });
        let is_clean = !text.chars().any(|char| char.is_whitespace() || char.is_control());
        if has_parts && is_clean && text.len() <= 254 {
            Ok(Email(text.to_lowercase()))
        } else {
            Err("is not an e-mail address")
        }
    }

    /// The address.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_addresses_and_refuses_the_rest() {
        for (text, kept) in [
            ("Ann@Example.com", Some("ann@example.com")),
            (" a@b ", Some("a@b")),
            ("é@x.org", Some("é@x.org")),
            ("", None),
            ("@x", None),
            ("x@", None),
            ("a@b@c", None),
            ("a b@c", None),
            ("a\0@c", None),
        ] {
            assert_eq!(Email::parse(text).ok().as_ref().map(Email::as_str), kept, "{text:?}");
        }
        assert!(Email::parse(&format!("{}@x", "a".repeat(254))).is_err());
    }
}
