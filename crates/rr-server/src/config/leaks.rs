//! What happens when the secret of a key became public.

use std::path::{Path, PathBuf};

use rr_http::GithubKeyring;
use rr_store::LeakPolicy;
use rr_webhooks::GithubKeys;

use super::source::{ConfigError, Setting, Sources};

/// `[leaks]`.
#[derive(Debug, Clone)]
pub(crate) struct LeaksConfig {
    /// `RR_LEAK_POLICY`, `leaks.policy`: `disable` ends the secret and switches the key off, `notify`
    /// leaves both alone and tells people. Default `disable`.
    pub(crate) policy: LeakPolicy,
    /// `RR_GITHUB_SECRET_SCANNING_KEYS`, `leaks.github_keys`: the file that holds what
    /// `https://api.github.com/meta/public_keys/secret_scanning` answers. Default none: alerts of
    /// GitHub are not taken.
    pub(crate) github: Option<GithubKeysFile>,
}

/// GitHub's keys and where they were read.
#[derive(Debug, Clone)]
pub(crate) struct GithubKeysFile {
    pub(crate) path: PathBuf,
    pub(crate) keys: GithubKeys,
}

const POLICY: Setting = Setting::new("leaks.policy", "RR_LEAK_POLICY");
pub(crate) const GITHUB_KEYS: Setting =
    Setting::new("leaks.github_keys", "RR_GITHUB_SECRET_SCANNING_KEYS");

impl LeaksConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<LeaksConfig, ConfigError> {
        Ok(LeaksConfig {
            policy: sources.parse(POLICY, LeakPolicy::default(), parse_policy)?,
            github: sources.optional(GITHUB_KEYS, read_file)?,
        })
    }
}

fn parse_policy(text: &str) -> Result<LeakPolicy, &'static str> {
    match text {
        "disable" => Ok(LeakPolicy::Disable),
        "notify" => Ok(LeakPolicy::Notify),
        _ => Err("is neither disable nor notify"),
    }
}

impl GithubKeysFile {
    /// The keys, read from the same file again while the server runs.
    pub(crate) fn keyring(&self) -> GithubKeyring {
        let path = self.path.clone();
        GithubKeyring::new(self.keys.clone(), move || read_keys(&path))
    }
}

fn read_file(path: &str) -> Result<GithubKeysFile, String> {
    let path = Path::new(path).to_path_buf();
    Ok(GithubKeysFile { keys: read_keys(&path)?, path })
}

fn read_keys(path: &Path) -> Result<GithubKeys, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    GithubKeys::parse(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::config::tests::load;

    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUqkCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==";

    #[test]
    fn a_list_of_keys_is_read_from_its_file_or_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let variable = "RR_GITHUB_SECRET_SCANNING_KEYS";
        let read = || load("", &[(variable, path.to_str().unwrap())]);
        assert!(read().unwrap_err().contains("cannot be read"));
        std::fs::write(&path, r#"{"public_keys":[]}"#).unwrap();
        let error = read().unwrap_err();
        assert!(
            error.starts_with(variable) && error.contains("none of the keys is current"),
            "{error}"
        );
        let key = format!(r#"{{"key_identifier":"k","key":"{KEY}","is_current":true}}"#);
        std::fs::write(&path, format!(r#"{{"public_keys":[{key}]}}"#)).unwrap();
        let config = read().unwrap();
        assert_eq!(config.leaks.github.unwrap().path, path);
    }
}
