//! What one CSV field may say: the forms in which PostgreSQL and Supabase's table editor write
//! times, truth, lists and amounts.

use rr_domain::{Label, Money, Timestamp};
use rr_webhooks::{JsonLimits, check_json};
use serde_json::value::RawValue;

/// A time: RFC 3339, or PostgreSQL's `2024-01-01 00:00:00.123+00`; without an offset it is UTC.
pub(super) fn timestamp(text: &str) -> Result<Timestamp, String> {
    let fault = || "is not a time, such as 2024-01-31 12:00:00+00".to_owned();
    if !text.is_ascii() {
        return Err(fault());
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => (text, "00:00:00"),
    };
    let split = time.find(['+', '-', 'Z', 'z']).unwrap_or(time.len());
    let (clock, offset) = (time[..split].trim_end(), &time[split..]);
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    let offset = match (offset.len(), offset) {
        (0, _) | (1, "Z" | "z") => "Z".to_owned(),
        (3, _) => format!("{offset}:00"),
        (5, _) => format!("{}:{}", &offset[..3], &offset[3..]),
        _ => offset.to_owned(),
    };
    Timestamp::parse(&format!("{date}T{clock}{offset}")).map_err(|_| fault())
}

/// `t`, `true`, `yes`, `1` and their opposites, in any case.
pub(super) fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "yes" | "y" | "1" => Ok(true),
        "f" | "false" | "no" | "n" | "0" => Ok(false),
        _ => Err("is neither true nor false".to_owned()),
    }
}

/// The most that one row may say: a hundred million. Sums are kept in 64 bits of cents, and a row moves at
/// most 25 times what it says (a payment, and a year of it on two accounts), so 36 million rows like that
/// can be added up. The store refuses what cannot.
const MOST: Money = Money::from_minor(100_000_000 * 100);

/// An amount of dollars with up to two decimals, not below zero, in cents.
pub(super) fn amount(text: &str) -> Result<i64, String> {
    let money = Money::parse(text).map_err(|error| error.to_string())?;
    if money < Money::ZERO {
        Err("must not be below 0".to_owned())
    } else if money > MOST {
        Err(format!("must not be above {MOST}"))
    } else {
        Ok(money.minor())
    }
}

/// A role, status, plan or tier.
pub(super) fn label(text: &str) -> Result<Label, String> {
    Label::parse(text).map_err(|error| error.to_string())
}

/// A list: PostgreSQL's `{a,"b c"}` or JSON's `["a","b c"]`.
pub(super) fn list(text: &str) -> Result<Vec<String>, String> {
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(|_| "is not a list of texts".to_owned());
    }
    let fault = || "is not a list, such as {read_metrics,write_webhooks}".to_owned();
    let inside =
        text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(fault)?;
    let mut items = Vec::new();
    let mut rest = inside.trim();
    while !rest.is_empty() {
        let (item, after) = list_item(rest).ok_or_else(fault)?;
        items.push(item);
        rest = match after.trim_start().strip_prefix(',') {
            Some(more) if !more.trim().is_empty() => more.trim_start(),
            None if after.trim().is_empty() => "",
            _ => return Err(fault()),
        };
    }
    Ok(items)
}

/// The first item of a PostgreSQL array's inside, and what follows it.
fn list_item(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let item = text[..end].trim();
        let is_plain = !item.is_empty() && !item.contains(['{', '}', '"', '\\']);
        return is_plain.then(|| (item.to_owned(), &text[end..]));
    };
    let mut item = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((item, &quoted[at + 1..])),
            '\\' => item.push(chars.next()?.1),
            other => item.push(other),
        }
    }
    None
}

/// A JSON object, as strict as one that comes by HTTP: no key twice, nothing a database cannot keep.
pub(super) fn json_object(text: &str) -> Result<Box<RawValue>, String> {
    let is_valid = check_json(text.as_bytes(), JsonLimits::default()).is_ok();
    if !is_valid || !text.trim_start().starts_with('{') {
        return Err("is not a JSON object".to_owned());
    }
    RawValue::from_string(text.to_owned()).map_err(|_| "is not a JSON object".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form_that_an_export_has() {
        for (text, expected) in [
            ("2024-01-01 00:00:00+00", Some("2024-01-01T00:00:00Z")),
            ("2024-01-01 02:30:00.123456+02:30", Some("2024-01-01T00:00:00.123456Z")),
            ("2024-01-01T00:00:00Z", Some("2024-01-01T00:00:00Z")),
            ("2024-01-01t00:00:00z", Some("2024-01-01T00:00:00Z")),
            ("2024-01-01 00:00:00-0530", Some("2024-01-01T05:30:00Z")),
            ("2024-01-01 00:00:00", Some("2024-01-01T00:00:00Z")),
            ("2024-01-01 09:30", Some("2024-01-01T09:30:00Z")),
            ("2024-01-01 00:00:00 +00", Some("2024-01-01T00:00:00Z")),
            ("2024-02-29", Some("2024-02-29T00:00:00Z")),
            ("2023-02-29", None),
            ("2024-01-01 25:00:00+00", None),
            ("01/31/2024", None),
            ("1704067200", None),
            ("infinity", None),
            ("", None),
            ("2024-01-01 00:00:00 UTC", None),
            ("2024-01-01 00:00:00+0", None),
            ("２０２４-01-01", None),
        ] {
            let shown = timestamp(text).map(|at| at.to_string()).ok();
            assert_eq!(shown.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn truth_in_every_form() {
        for (text, expected) in [
            ("t", Some(true)),
            ("TRUE", Some(true)),
            ("f", Some(false)),
            ("false", Some(false)),
            ("0", Some(false)),
            ("", None),
            ("maybe", None),
        ] {
            assert_eq!(truth(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn amounts_are_cents_and_never_negative() {
        for (text, expected) in [
            ("47", Some(4_700)),
            ("23.50", Some(2_350)),
            ("0", Some(0)),
            ("100000000", Some(10_000_000_000)),
            ("100000000.01", None),
            ("92233720368547758.07", None),
            ("92233720368547758.08", None),
            ("-1", None),
            ("1.234", None),
            ("$5", None),
        ] {
            assert_eq!(amount(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn lists_as_postgresql_and_json_write_them() {
        for (text, expected) in [
            ("{}", Some(vec![])),
            ("{read_metrics,write_webhooks}", Some(vec!["read_metrics", "write_webhooks"])),
            (r#"{"read_metrics", "a \"b\", c"}"#, Some(vec!["read_metrics", "a \"b\", c"])),
            (r#"["read_metrics"]"#, Some(vec!["read_metrics"])),
            ("[]", Some(vec![])),
            ("read_metrics", None),
            ("{a,}", None),
            ("{,a}", None),
            ("{a,{b}}", None),
            (r#"{"a}"#, None),
            ("[1]", None),
            ("", None),
        ] {
            assert_eq!(
                list(text).ok(),
                expected.map(|items| items.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn only_objects_are_objects() {
        assert_eq!(json_object(r#"{"a": 1}"#).unwrap().get(), r#"{"a": 1}"#);
        for text in ["", "null", "[]", "{", "{} x", r#""{}""#] {
            assert!(json_object(text).is_err(), "{text}");
        }
    }
}
