//! Limits of a key in the words of the command line.

use std::num::NonZeroU32;
use std::time::Duration;

use rr_http::key_words;
use rr_keys::{QuotaPeriod, Quotas, RateLimit, RateLimits, WindowName};

/// The units of a window and their seconds, the longest first.
const UNITS: [(&str, u32); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// `100/60s`; of several that hold together each has a name, `burst=10/1s`.
pub(super) fn rate_limits(texts: &[String]) -> Result<RateLimits, String> {
    let windows: Result<Vec<_>, String> = texts.iter().map(|text| named(text.trim())).collect();
    RateLimits::new(windows?).map_err(|error| error.to_string())
}

fn named(text: &str) -> Result<(WindowName, RateLimit), String> {
    const FORM: &str =
        "must be a number from 1, /, and 1 second to 31 days: 100/60s, 1000/1h or burst=10/1s";
    let (name, limit) = match text.split_once('=') {
        None => (WindowName::default(), text),
        Some((name, limit)) => {
            let parsed = name.parse().map_err(|error| format!("the name {name:?} {error}"))?;
            (parsed, limit)
        }
    };
    rate_limit(limit).map(|limit| (name, limit)).ok_or_else(|| FORM.to_owned())
}

fn rate_limit(text: &str) -> Option<RateLimit> {
    let (limit, window) = text.split_once('/')?;
    let in_unit = |(unit, seconds): (&str, u32)| {
        window.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(seconds)
    };
    let window_s = UNITS.into_iter().find_map(in_unit)?;
    let window = Duration::from_secs(u64::from(window_s));
    let limit = limit.parse().ok()?;
    key_words::WINDOWS.contains(&window_s).then_some(RateLimit { limit, window })
}

/// The same words, as a list shows them.
pub(super) fn text(limits: &RateLimits) -> String {
    let window = |(name, limit): (WindowName, RateLimit)| {
        let seconds = limit.window.as_secs();
        let whole = |(_, unit): &(&str, u32)| seconds.is_multiple_of(u64::from(*unit));
        let (unit, length) = UNITS.into_iter().find(whole).unwrap_or(("s", 1));
        let limit = format!("{}/{}{unit}", limit.limit, seconds / u64::from(length));
        if name == WindowName::default() { limit } else { format!("{name}={limit}") }
    };
    let windows: Vec<String> = limits.iter().map(window).collect();
    if windows.is_empty() { "none".to_owned() } else { windows.join(" ") }
}

/// `day=1000`.
pub(super) fn quotas(texts: &[String]) -> Result<Quotas, &'static str> {
    texts.iter().map(|text| quota(text)).collect::<Result<Vec<_>, _>>().map(Quotas::new)
}

fn quota(text: &str) -> Result<(QuotaPeriod, NonZeroU32), &'static str> {
    const FORM: &str = "must be day, month or total, =, and a number from 1";
    let (name, limit) = text.trim().split_once('=').ok_or(FORM)?;
    let period = QuotaPeriod::ALL.into_iter().find(|period| period.name() == name);
    Ok((period.ok_or(FORM)?, limit.parse().map_err(|_| FORM)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(texts: &[&str]) -> Result<String, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        rate_limits(&texts).map(|limits| text(&limits))
    }

    #[test]
    fn limits_are_shown_as_they_are_said() {
        for (texts, shown) in [
            (&[][..], "none"),
            (&["100/60s"], "100/1m"),
            (&["5/90s"], "5/90s"),
            (&["burst=10/1s", "sustained=1000/1h"], "burst=10/1s sustained=1000/1h"),
            (&["9/31d", "a=1/24h"], "9/31d a=1/1d"),
        ] {
            assert_eq!(said(texts).as_deref(), Ok(shown), "{texts:?}");
        }
    }

    #[test]
    fn what_is_no_limit_is_refused_with_its_reason() {
        for (texts, reason) in [
            (&["100"][..], "100/60s"),
            (&["0/60s"], "100/60s"),
            (&["9/0s"], "31 days"),
            (&["9/60"], "100/60s"),
            (&["9/32d"], "31 days"),
            (&["9/99999999h"], "31 days"),
            (&["a=b=1/1s"], "burst=10/1s"),
            (&["Burst=1/1s"], "a-z"),
            (&["=1/1s"], "1 to 16"),
            (&["1/1s", "2/2s"], "two windows are called default"),
            (&["a=1/1s", "b=1/1s", "c=1/1s", "d=1/1s", "e=1/1s"], "at most 4"),
        ] {
            let error = said(texts).unwrap_err();
            assert!(error.contains(reason), "{texts:?}: {error}");
        }
    }
}
