//! GitHub's secret-scanning alerts: tokens of ours that it found in public, in a signed list.
//!
//! GitHub signs the raw body with ECDSA on P-256 and SHA-256 and names its key in a header. The keys
//! are published as JSON and change now and then; the name of a key is opaque.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::{JsonFault, JsonLimits, check_json};

/// A P-256 signature has 70 to 72 bytes; nothing longer is decoded.
const LONGEST_SIGNATURE: usize = 200;

/// The public keys with which GitHub signs its alerts today.
#[derive(Clone)]
pub struct GithubKeys(BTreeMap<String, Arc<ParsedPublicKey>>);

/// Why a text is no list of GitHub's public keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GithubKeysError {
    /// It does not have the form that GitHub publishes.
    #[error("is not GitHub's list of public keys: {0}")]
    Form(String),
    /// One of the keys cannot be used.
    #[error("the key {0} is no public key of the curve P-256")]
    Key(String),
    /// Two keys have one name.
    #[error("the key {0} is listed twice")]
    Twice(String),
    /// Nothing could be verified with it.
    #[error("none of the keys is current")]
    NoneCurrent,
}

/// One token that GitHub found.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct SecretAlert {
    /// The token itself.
    pub token: String,
    /// What GitHub calls tokens that look like this.
    #[serde(rename = "type")]
    pub token_type: String,
    /// Where it was found; GitHub leaves it empty at times.
    pub url: Option<String>,
}

/// Why a request is no list of alerts from GitHub.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlertRefusal {
    /// The signature, or the name of the key that made it, is missing.
    #[error("the signature is missing")]
    Unsigned,
    /// The key is not among those that are current.
    #[error("the signing key is not a current one")]
    UnknownKey,
    /// The signature does not fit the body.
    #[error("the signature does not fit the body")]
    Signature,
    /// GitHub signed it, but it is not JSON that can be accepted.
    #[error("the body {0}")]
    Json(JsonFault),
    /// GitHub signed it, but it is not a list of alerts.
    #[error("the body is not a list of alerts")]
    Form,
}

#[derive(Deserialize)]
struct Published {
    public_keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    key_identifier: String,
    key: String,
    is_current: bool,
}

impl GithubKeys {
    /// Reads what `https://api.github.com/meta/public_keys/secret_scanning` answers. Keys that are
    /// not marked current are left out: nothing is signed with them any more.
    pub fn parse(json: &str) -> Result<GithubKeys, GithubKeysError> {
        let published: Published =
            serde_json::from_str(json).map_err(|error| GithubKeysError::Form(error.to_string()))?;
        let mut keys = BTreeMap::new();
        for PublishedKey { key_identifier: name, key, is_current } in published.public_keys {
            let Some(key) = public_key(&key) else { return Err(GithubKeysError::Key(name)) };
            if is_current && keys.insert(name.clone(), Arc::new(key)).is_some() {
                return Err(GithubKeysError::Twice(name));
            }
        }
        if keys.is_empty() { Err(GithubKeysError::NoneCurrent) } else { Ok(GithubKeys(keys)) }
    }

    /// Reads the alerts of a body that GitHub has signed; `key` and `signature` are its headers
    /// `Github-Public-Key-Identifier` and `Github-Public-Key-Signature`. Nothing of the body is
    /// read before the signature is known to be good.
    pub fn alerts(
        &self,
        key: Option<&[u8]>,
        signature: Option<&[u8]>,
        body: &[u8],
    ) -> Result<Vec<SecretAlert>, AlertRefusal> {
        let (Some(key), Some(signature)) = (key, signature) else {
            return Err(AlertRefusal::Unsigned);
        };
        let key = std::str::from_utf8(key).ok().and_then(|name| self.0.get(name));
        let key = key.ok_or(AlertRefusal::UnknownKey)?;
        let signature = Some(signature).filter(|text| text.len() <= LONGEST_SIGNATURE);
        let signature = signature.and_then(|text| STANDARD.decode(text).ok());
        let good = signature.is_some_and(|signature| key.verify_sig(body, &signature).is_ok());
        if !good {
            return Err(AlertRefusal::Signature);
        }
        check_json(body, JsonLimits::default()).map_err(AlertRefusal::Json)?;
        serde_json::from_slice(body).map_err(|_| AlertRefusal::Form)
    }
}

/// A P-256 key in PEM, or its base64 alone.
fn public_key(text: &str) -> Option<ParsedPublicKey> {
    let base64: String =
        text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(base64).ok()?;
    ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der).ok()
}

impl fmt::Debug for GithubKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GithubKeys").field(&self.0.keys()).finish()
    }
}

/// Without the token.
impl fmt::Debug for SecretAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretAlert").field("token_type", &self.token_type).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    // Published by GitHub in its documentation.
    const BODY: &[u8] = br#"[{"token":"some_token","type":"some_type","url":"some_url"}]"#;
    const SIGNATURE: &str = "MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc=";
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUqkCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==";

    fn list(keys: &[(&str, &str, bool)]) -> String {
        let keys = keys.iter().map(|(name, key, current)| {
            json!({"key_identifier": name, "key": key, "is_current": current})
        });
        json!({"public_keys": keys.collect::<Vec<_>>()}).to_string()
    }

    fn read(key: &str, signature: &str, body: &[u8]) -> Result<Vec<SecretAlert>, AlertRefusal> {
        let keys = GithubKeys::parse(&list(&[("now", KEY, true), ("then", KEY, false)])).unwrap();
        keys.alerts(Some(key.as_bytes()), Some(signature.as_bytes()), body)
    }

    #[test]
    fn the_published_example_is_good() {
        let alerts = read("now", SIGNATURE, BODY).unwrap();
        let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
        assert_eq!((alert.token.as_str(), alert.token_type.as_str()), ("some_token", "some_type"));
        assert_eq!(alert.url.as_deref(), Some("some_url"));
        assert!(!format!("{alert:?}").contains("some_token"));
    }

    #[test]
    fn a_key_may_come_as_pem() {
        let (first, second) = KEY.split_at(64);
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{first}\r\n{second}\n-----END PUBLIC KEY-----\n");
        let keys = GithubKeys::parse(&list(&[("now", &pem, true)])).unwrap();
        assert!(keys.alerts(Some(b"now"), Some(SIGNATURE.as_bytes()), BODY).is_ok());
    }

    #[test]
    fn one_changed_byte_fails() {
        for at in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[at] ^= 1;
            assert_eq!(read("now", SIGNATURE, &body), Err(AlertRefusal::Signature), "{at}");
        }
        let der = STANDARD.decode(SIGNATURE).unwrap();
        for at in 0..der.len() {
            let mut der = der.clone();
            der[at] ^= 1;
            assert!(read("now", &STANDARD.encode(der), BODY).is_err(), "{at}");
        }
        let longer = [BODY, b" "].concat();
        assert_eq!(read("now", SIGNATURE, &longer), Err(AlertRefusal::Signature));
    }

    #[test]
    fn only_a_current_key_counts_and_its_name_is_exact() {
        for name in ["then", "", "NOW", "now ", "\u{e9}"] {
            assert_eq!(read(name, SIGNATURE, BODY), Err(AlertRefusal::UnknownKey), "{name}");
        }
        let keys = GithubKeys::parse(&list(&[("now", KEY, true)])).unwrap();
        let signature = Some(SIGNATURE.as_bytes());
        assert_eq!(keys.alerts(None, signature, BODY), Err(AlertRefusal::Unsigned));
        assert_eq!(keys.alerts(Some(b"now"), None, BODY), Err(AlertRefusal::Unsigned));
        assert_eq!(keys.alerts(Some(b"\xff"), signature, BODY), Err(AlertRefusal::UnknownKey));
    }

    #[test]
    fn a_list_that_cannot_be_used_is_named() {
        let fault = |text: &str| GithubKeys::parse(text).unwrap_err();
        assert!(matches!(fault("{}"), GithubKeysError::Form(_)));
        assert!(matches!(fault("[]"), GithubKeysError::Form(_)));
        assert_eq!(fault(&list(&[])), GithubKeysError::NoneCurrent);
        assert_eq!(fault(&list(&[("a", KEY, false)])), GithubKeysError::NoneCurrent);
        let twice = list(&[("a", KEY, true), ("a", KEY, true)]);
        assert_eq!(fault(&twice), GithubKeysError::Twice("a".to_owned()));
        for key in ["", "nonsense", &KEY[..60]] {
            let fault = fault(&list(&[("a", key, true)]));
            assert_eq!(fault, GithubKeysError::Key("a".to_owned()), "{key}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_is_a_signature(signature in any::<Vec<u8>>(), body in any::<Vec<u8>>()) {
            let keys = GithubKeys::parse(&list(&[("now", KEY, true)])).unwrap();
            let refused = keys.alerts(Some(b"now"), Some(&signature), &body).unwrap_err();
            prop_assert_eq!(refused, AlertRefusal::Signature);
        }
    }
}
