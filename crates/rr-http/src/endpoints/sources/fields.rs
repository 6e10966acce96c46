//! The fields of sources, checked where they come in.

use rr_webhooks::{Format, WebhookSecret};
use sha2::{Digest, Sha256};

use crate::problem::{Outcome, Problem};

/// Ten years.
const MOST_DAYS: i64 = 3_650;

/// A name that can stand in an address.
pub(super) fn name(text: String) -> Outcome<String> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| is_word(byte) || byte == b'-')
        && text.bytes().next().is_some_and(is_word);
    // `/api/devops/webhook/batch` is another address.
    if fits && text != "batch" {
        return Ok(text);
    }
    let detail = "must be 1 to 64 lower-case letters, digits and hyphens, not `batch`";
    Err(Problem::field("/name", detail))
}

/// A format by its name.
pub(super) fn format(name: &str) -> Outcome<Format> {
    Format::named(name).ok_or_else(|| Problem::field("/format", "is not the name of a format"))
}

/// How many days events are kept.
pub(super) fn days(days: Option<i64>) -> Outcome<Option<i64>> {
    match days {
        Some(days) if !(1..=MOST_DAYS).contains(&days) => {
            Err(Problem::field("/retention_days", "must be 1 to 3650 days, or null"))
        }
        days => Ok(days),
    }
}

/// How many bytes of bodies are kept.
pub(super) fn bytes(bytes: Option<i64>) -> Outcome<Option<i64>> {
    match bytes {
        Some(bytes) if bytes < 1 => {
            Err(Problem::field("/retention_bytes", "must be at least 1, or null"))
        }
        bytes => Ok(bytes),
    }
}

/// A secret that can sign and that nobody guesses. What is wrong with it never quotes it.
pub(super) fn secret(text: &str) -> Outcome<()> {
    if !(16..=512).contains(&text.len()) || text.chars().any(char::is_control) {
        let detail = "must be 16 to 512 bytes without control characters";
        return Err(Problem::field("/secret", detail));
    }
    WebhookSecret::parse(text)
        .map(drop)
        .map_err(|error| Problem::field("/secret", &format!("cannot be used: {error}")))
}

/// What people know a secret by: short enough to tell nothing, long enough to tell two apart.
pub(super) fn fingerprint(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_stand_in_an_address() {
        for good in ["a", "github", "ci-2", &"x".repeat(64)] {
            assert!(name(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "batch", "-a", "A", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(name(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_has_a_length_and_a_fingerprint_that_sha256sum_prints() {
        assert!(secret("It's a Secret to Everybody").is_ok());
        for bad in ["short", "whsec_not base64 at all", &"x".repeat(513), "0123456789abcdef\n"] {
            assert!(secret(bad).is_err(), "{bad}");
        }
        assert_eq!(fingerprint("abc"), "ba7816bf8f01");
        assert!(days(Some(0)).is_err() && days(Some(3_650)).is_ok() && days(None).is_ok());
        assert!(bytes(Some(0)).is_err() && bytes(Some(1)).is_ok());
    }
}
