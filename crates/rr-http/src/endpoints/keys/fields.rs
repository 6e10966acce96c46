//! The fields that making and changing a key have in common, parsed at the border.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use rr_domain::Timestamp;
use rr_keys::{AllowList, PermissionSet};
use serde::{Deserialize, Deserializer};

use super::view::RateLimit;
use crate::auth::{Caller, Permission};
use crate::problem::{Outcome, Problem};

/// 31 days, the longest window of a limit.
const LONGEST_WINDOW: u32 = 2_678_400;

/// Tells `null` from a field that is not there.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A name that fits on a line and in a list.
pub(super) fn name(text: &str) -> Outcome<String> {
    let text = text.trim();
    let fits = (1..=100).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Problem::field("/name", "must be 1 to 100 characters, without control characters"))
    }
}

/// The owner, in whatever form the installation names its users.
pub(super) fn owner(text: &str) -> Outcome<String> {
    let fits = (1..=64).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Problem::field("/user_id", "must be 1 to 64 characters, without control characters"))
    }
}

/// A set of permissions that the caller may hand on: a key at most what it has itself.
pub(super) fn permissions(wanted: &[Permission], caller: &Caller) -> Outcome<PermissionSet> {
    let set: PermissionSet = wanted.iter().map(|permission| permission.name()).collect();
    match own_permissions(caller) {
        Some(own) if !own.is_superset(&set) => Err(beyond_reach(&set, own)
            .detail("A key can grant at most the permissions that it has itself.")),
        _ => Ok(set),
    }
}

/// What the caller may hand on; an administrator is not bound.
pub(super) fn own_permissions(caller: &Caller) -> Option<&PermissionSet> {
    match caller {
        Caller::Key(key) => Some(&key.grant.record().permissions),
        Caller::Administrator(_) => None,
    }
}

/// More permissions than the caller has itself.
pub(super) fn beyond_reach(wanted: &PermissionSet, own: &PermissionSet) -> Problem {
    let missing = wanted.iter().filter(|wanted| !own.allows(wanted)).map(str::to_owned).collect();
    let required = wanted.iter().collect::<Vec<_>>().join(" ");
    Problem::missing_permission(&required, missing)
}

/// An end that lies ahead.
pub(super) fn expiry(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    let wrong = |detail| Problem::field("/expires_at", detail);
    let end = Timestamp::parse(text).map_err(|_| wrong("must be an RFC 3339 time or null"))?;
    if end > now { Ok(end) } else { Err(wrong("must lie in the future")) }
}

/// A limit that can be kept.
pub(super) fn rate_limit(sent: RateLimit) -> Outcome<rr_keys::RateLimit> {
    let limit = NonZeroU32::new(sent.limit)
        .ok_or_else(|| Problem::field("/rate_limit/limit", "must be at least 1"))?;
    if !(1..=LONGEST_WINDOW).contains(&sent.window_s) {
        return Err(Problem::field("/rate_limit/window_s", "must be 1 to 2678400 seconds"));
    }
    Ok(rr_keys::RateLimit { limit, window: Duration::from_secs(u64::from(sent.window_s)) })
}

/// Addresses and networks.
pub(super) fn allowed_ips(sent: &[String]) -> Outcome<AllowList> {
    if sent.len() > 100 {
        return Err(Problem::field("/allowed_ips", "may have at most 100 entries"));
    }
    for (index, entry) in sent.iter().enumerate() {
        AllowList::parse([entry]).map_err(|error| {
            Problem::field(&format!("/allowed_ips/{index}"), &error.to_string())
        })?;
    }
    AllowList::parse(sent).map_err(|error| Problem::field("/allowed_ips", &error.to_string()))
}

/// Notes, of which a list of keys shows all.
pub(super) fn metadata(sent: BTreeMap<String, String>) -> Outcome<BTreeMap<String, String>> {
    if sent.len() > 20 {
        return Err(Problem::field("/metadata", "may have at most 20 members"));
    }
    let is_text = |text: &str| !text.chars().any(char::is_control);
    for (name, note) in &sent {
        if !(1..=64).contains(&name.chars().count()) || !is_text(name) {
            let detail = "may have names of 1 to 64 characters, without control characters";
            return Err(Problem::field("/metadata", detail));
        }
        if note.chars().count() > 500 || !is_text(note) {
            let pointer = format!("/metadata/{}", name.replace('~', "~0").replace('/', "~1"));
            let detail = "must be at most 500 characters, without control characters";
            return Err(Problem::field(&pointer, detail));
        }
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Admin;

    #[test]
    fn notes_have_bounds() {
        let notes = |pairs: &[(&str, &str)]| {
            metadata(pairs.iter().map(|(name, note)| ((*name).into(), (*note).into())).collect())
        };
        let (name, note) = ("n".repeat(64), "é".repeat(500));
        assert_eq!(notes(&[("team", ""), (&name, &note)]).unwrap().len(), 2);
        let (name, note) = ("n".repeat(65), "é".repeat(501));
        for bad in
            [[("", "x")], [(name.as_str(), "x")], [("a\n", "x")], [("a", &note)], [("a", "\0")]]
        {
            assert!(notes(&bad).is_err(), "{bad:?}");
        }
        let many =
            |count: u32| metadata((0..count).map(|n| (n.to_string(), String::new())).collect());
        assert!(many(20).is_ok() && many(21).is_err());
    }

    #[test]
    fn names_and_owners_have_bounds() {
        assert_eq!(name(" CI ").unwrap(), "CI");
        for bad in ["", "   ", "a\nb", "a\0", &"x".repeat(101)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(owner("1").unwrap(), "1");
        assert!(owner("").is_err() && owner(&"x".repeat(65)).is_err());
    }

    #[test]
    fn an_end_must_lie_ahead() {
        let now = Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
        assert!(expiry("2024-01-01T00:00:01Z", now).is_ok());
        for bad in ["2024-01-01T00:00:00Z", "2023-01-01T00:00:00Z", "tomorrow", ""] {
            assert!(expiry(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_and_networks_name_their_fault() {
        let pointer = |problem: Problem| {
            let body: serde_json::Value = serde_json::from_slice(&problem.body("r")).unwrap();
            body["errors"][0]["pointer"].as_str().unwrap().to_owned()
        };
        let limit = |limit, window_s| rate_limit(RateLimit { limit, window_s });
        assert_eq!(limit(5, 60).unwrap().window, Duration::from_secs(60));
        assert_eq!(pointer(limit(0, 60).unwrap_err()), "/rate_limit/limit");
        assert_eq!(pointer(limit(1, 0).unwrap_err()), "/rate_limit/window_s");
        let ips =
            |ips: &[&str]| allowed_ips(&ips.iter().map(|ip| (*ip).to_owned()).collect::<Vec<_>>());
        assert_eq!(ips(&["10.0.0.0/8", "::1"]).unwrap().to_strings().len(), 2);
        assert_eq!(pointer(ips(&["::1", "x"]).unwrap_err()), "/allowed_ips/1");
        assert_eq!(pointer(ips(&["::1"; 101]).unwrap_err()), "/allowed_ips");
    }

    #[test]
    fn an_administrator_may_grant_anything() {
        let admin = Caller::Administrator(Admin {
            id: uuid::Uuid::nil(),
            email: String::new(),
            role: String::new(),
            address: None,
        });
        assert_eq!(permissions(&Permission::ALL, &admin).unwrap().iter().len(), 7);
        assert!(permissions(&[], &admin).unwrap().is_empty());
    }
}
