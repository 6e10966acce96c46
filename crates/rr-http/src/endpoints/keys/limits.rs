//! Rate limits of a key on the wire.

use std::num::NonZeroU32;
use std::time::Duration;

use rr_keys::{InvalidLimits, RateLimits, WindowName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::key_words;
use crate::problem::{Outcome, Problem};

/// At most `limit` uses, refilled evenly over `window_s` seconds: a window called `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimit {
    #[schema(minimum = 1)]
    limit: u32,
    #[schema(minimum = 1, maximum = 2_678_400)]
    window_s: u32,
}

/// One of several limits that hold together, by its name in the `RateLimit` field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateWindow {
    /// No two of a key have the same. Names that begin with `quota-` are taken.
    #[schema(pattern = "^[a-z0-9_-]{1,16}$")]
    name: String,
    #[schema(minimum = 1)]
    limit: u32,
    #[schema(minimum = 1, maximum = 2_678_400)]
    window_s: u32,
}

impl RateLimit {
    /// The window of a key that is called `default`.
    pub(super) fn of(limits: &RateLimits) -> Option<RateLimit> {
        let limit = limits.get(WindowName::default())?;
        Some(RateLimit { limit: limit.limit.get(), window_s: seconds(limit.window) })
    }
}

impl RateWindow {
    /// All windows of a key.
    pub(super) fn all(limits: &RateLimits) -> Vec<RateWindow> {
        let window = |(name, limit): (WindowName, rr_keys::RateLimit)| RateWindow {
            name: name.to_string(),
            limit: limit.limit.get(),
            window_s: seconds(limit.window),
        };
        limits.iter().map(window).collect()
    }
}

/// All windows that a key shall have, said as `rate_limit` or as `rate_limits`, of which null is none; `None` when
/// neither was sent.
pub(super) fn parse(
    single: Option<Option<RateLimit>>,
    several: Option<Option<Vec<RateWindow>>>,
) -> Outcome<Option<RateLimits>> {
    match (single, several) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            Err(Problem::field("/rate_limits", "cannot be combined with rate_limit"))
        }
        (Some(None), None) | (None, Some(None)) => Ok(Some(RateLimits::default())),
        (Some(Some(sent)), None) => {
            limit("/rate_limit", sent.limit, sent.window_s).map(|limit| Some(limit.into()))
        }
        (None, Some(Some(sent))) => windows(&sent).map(Some),
    }
}

/// Windows that one key can have.
fn windows(sent: &[RateWindow]) -> Outcome<RateLimits> {
    let mut windows = Vec::new();
    for (place, window) in sent.iter().enumerate() {
        let at = format!("/rate_limits/{place}");
        let name: WindowName =
            window.name.parse().map_err(|error: rr_keys::InvalidWindowName| {
                Problem::field(&format!("{at}/name"), &error.to_string())
            })?;
        windows.push((name, limit(&at, window.limit, window.window_s)?));
    }
    RateLimits::new(windows).map_err(|error| match error {
        InvalidLimits::TooMany => Problem::field("/rate_limits", &error.to_string()),
        InvalidLimits::NameTwice(name) => {
            let second = sent.iter().rposition(|window| window.name == name.as_str());
            let field = format!("/rate_limits/{}/name", second.unwrap_or_default());
            Problem::field(&field, "is the name of another window")
        }
    })
}

/// A limit that can be kept.
fn limit(at: &str, limit: u32, window_s: u32) -> Outcome<rr_keys::RateLimit> {
    let wrong = |field: &str, detail| Problem::field(&format!("{at}/{field}"), detail);
    let limit = NonZeroU32::new(limit).ok_or_else(|| wrong("limit", "must be at least 1"))?;
    if !key_words::WINDOWS.contains(&window_s) {
        return Err(wrong("window_s", "must be 1 to 2678400 seconds"));
    }
    Ok(rr_keys::RateLimit { limit, window: Duration::from_secs(u64::from(window_s)) })
}

fn seconds(window: Duration) -> u32 {
    u32::try_from(window.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_come_back_as_they_were_sent() {
        for body in [
            r#"[]"#,
            r#"[{"name":"default","limit":1,"window_s":2678400}]"#,
            r#"[{"name":"burst","limit":10,"window_s":1},{"name":"sustained","limit":1000,"window_s":3600}]"#,
        ] {
            let sent: Vec<RateWindow> = serde_json::from_str(body).unwrap();
            let kept = parse(None, Some(Some(sent))).unwrap().unwrap();
            assert_eq!(serde_json::to_string(&RateWindow::all(&kept)).unwrap(), body);
        }
        let single = RateLimit { limit: 5, window_s: 60 };
        let kept = parse(Some(Some(single)), None).unwrap().unwrap();
        assert_eq!(RateLimit::of(&kept), Some(single));
        assert_eq!(RateWindow::all(&kept)[0].name, "default");
        assert_eq!(parse(None, None).unwrap(), None);
        for none in [parse(Some(None), None), parse(None, Some(None))] {
            assert_eq!(none.unwrap(), Some(RateLimits::default()));
        }
    }
}
