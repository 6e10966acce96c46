//! GitHub's alerts about secrets in public, and its list of keys.

use std::sync::LazyLock;

use rr_webhooks::{AlertRefusal, GithubKeys};
use serde_json::{Value, json};

use super::LONGEST_DETAIL;
use crate::request::Request;

// Published by GitHub in its documentation.
const BODY: &[u8] = br#"[{"token":"some_token","type":"some_type","url":"some_url"}]"#;
const SIGNATURE: &[u8] = b"MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc=";
const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUqkCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==";

static KEYS: LazyLock<Option<GithubKeys>> = LazyLock::new(|| {
    let listed = json!({"public_keys": [
        {"key_identifier": "now", "key": KEY, "is_current": true},
        {"key_identifier": "then", "key": KEY, "is_current": false},
    ]});
    GithubKeys::parse(&listed.to_string()).ok()
});

/// With the one published signature, nothing but the published body is taken.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let request = Request::read(bytes);
    let Some(keys) = &*KEYS else { return false };
    let one = |name| match request.values(name)[..] {
        [value] => Some(value),
        _ => None,
    };
    let (key, signature) =
        (one("github-public-key-identifier"), one("github-public-key-signature"));
    let good = key == Some(b"now") && signature == Some(SIGNATURE) && request.body == BODY;
    match keys.alerts(key, signature, &request.body) {
        Ok(alerts) => {
            assert!(good, "taken without a signature of GitHub's");
            assert_eq!((alerts.len(), &*alerts[0].token), (1, "some_token"));
            assert!(!format!("{alerts:?}").contains("some_token"));
        }
        Err(refusal) => {
            assert!(!good && refusal.to_string().len() <= LONGEST_DETAIL);
            let unsigned = key.is_none() || signature.is_none();
            assert_eq!(refusal == AlertRefusal::Unsigned, unsigned, "{refusal}");
        }
    }
    good
}

/// A list of keys that is read has what it says it has.
pub(crate) fn keys(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match GithubKeys::parse(text) {
        Ok(keys) => {
            let listed: Value = serde_json::from_str(text).unwrap_or_default();
            let mut names: Vec<&str> = listed["public_keys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|key| key["is_current"] == true)
                .filter_map(|key| key["key_identifier"].as_str())
                .collect();
            names.sort_unstable();
            assert_eq!(format!("{keys:?}"), format!("GithubKeys({names:?})"));
            true
        }
        Err(_) => false,
    }
}
