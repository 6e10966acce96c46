//! The fields that making and changing a key have in common, parsed at the border.

use std::collections::BTreeMap;

use rr_domain::Timestamp;
use rr_keys::{AllowList, Beyond, KeyRecord, PermissionSet, Reach};
use serde::{Deserialize, Deserializer};

use crate::auth::{Caller, Permission};
use crate::key_words;
use crate::problem::{Outcome, Problem};

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
    key_words::name(text).map_err(|detail| Problem::field("/name", detail))
}

/// The owner.
pub(super) fn owner(text: &str) -> Outcome<String> {
    key_words::owner(text).map_err(|detail| Problem::field("/user_id", detail))
}

/// A set of permissions.
pub(super) fn permissions(wanted: &[Permission]) -> PermissionSet {
    wanted.iter().map(|permission| permission.name()).collect()
}

/// What the caller may hand on: a key at most what it has itself. An administrator is not bound.
pub(super) fn reach(caller: &Caller) -> Option<Reach> {
    own_record(caller).map(Reach::of)
}

/// The key that asks, where it is one.
pub(super) fn own_record(caller: &Caller) -> Option<&KeyRecord> {
    match caller {
        Caller::Key(key) => Some(key.grant.record()),
        Caller::Administrator(_) => None,
    }
}

/// Why a key that would have these permissions goes beyond the caller, with the field at fault; `limits` is how
/// the request named its rate limits.
pub(super) fn beyond_reach(
    beyond: Beyond,
    wanted: &PermissionSet,
    limits: &str,
    caller: &Caller,
) -> Problem {
    match beyond {
        Beyond::Permissions => missing_permissions(wanted, caller),
        Beyond::Expiry => {
            Problem::field("/expires_at", "must not lie after the end of the key that asks")
        }
        Beyond::Addresses => {
            Problem::field("/allowed_ips", "must lie within the addresses of the key that asks")
        }
        Beyond::RateLimits => Problem::field(
            &format!("/{limits}"),
            "must keep each limit of the key that asks, under its name and no higher",
        ),
        Beyond::Quotas => {
            Problem::field("/quotas", "must keep each quota of the key that asks, no higher")
        }
    }
}

/// More permissions than the caller has itself.
pub(super) fn missing_permissions(wanted: &PermissionSet, caller: &Caller) -> Problem {
    let own = own_record(caller).map(|own| own.permissions.clone()).unwrap_or_default();
    let missing = wanted.iter().filter(|wanted| !own.allows(wanted)).map(str::to_owned).collect();
    let required = wanted.iter().collect::<Vec<_>>().join(" ");
    Problem::missing_permission(&required, missing)
        .detail("A key can hand on, and act on, at most the permissions that it has itself.")
}

/// A first instant, which may have passed.
pub(super) fn start(text: &str) -> Outcome<Timestamp> {
    let wrong = |_| Problem::field("/not_before", "must be an RFC 3339 time");
    Timestamp::parse(text).map_err(wrong)
}

/// A key without a single instant in which it could work.
pub(super) fn ends_before_it_begins(pointer: &str) -> Problem {
    Problem::field(pointer, "the key must begin before it ends")
}

/// An end that lies ahead.
pub(super) fn expiry(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    let wrong = |detail| Problem::field("/expires_at", detail);
    let end = Timestamp::parse(text).map_err(|_| wrong("must be an RFC 3339 time or null"))?;
    if end > now { Ok(end) } else { Err(wrong("must lie in the future")) }
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

/// Notes.
pub(super) fn metadata(sent: BTreeMap<String, String>) -> Outcome<BTreeMap<String, String>> {
    key_words::notes(sent).map_err(|(name, detail)| match name {
        None => Problem::field("/metadata", detail),
        Some(name) => {
            let pointer = format!("/metadata/{}", name.replace('~', "~0").replace('/', "~1"));
            Problem::field(&pointer, detail)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_must_lie_ahead() {
        let now = Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
        assert!(expiry("2024-01-01T00:00:01Z", now).is_ok());
        for bad in ["2024-01-01T00:00:00Z", "2023-01-01T00:00:00Z", "tomorrow", ""] {
            assert!(expiry(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn networks_name_their_fault() {
        let pointer = |problem: Problem| {
            let body: serde_json::Value = serde_json::from_slice(&problem.body("r")).unwrap();
            body["errors"][0]["pointer"].as_str().unwrap().to_owned()
        };
        let ips =
            |ips: &[&str]| allowed_ips(&ips.iter().map(|ip| (*ip).to_owned()).collect::<Vec<_>>());
        assert_eq!(ips(&["10.0.0.0/8", "::1"]).unwrap().to_strings().len(), 2);
        assert_eq!(pointer(ips(&["::1", "x"]).unwrap_err()), "/allowed_ips/1");
        assert_eq!(pointer(ips(&["::1"; 101]).unwrap_err()), "/allowed_ips");
    }
}
