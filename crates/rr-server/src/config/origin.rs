//! Web addresses in the configuration.

/// Checks that `text` is an origin, `https://app.example.com` or `http://localhost:3000`, and
/// gives it back as a browser writes it: lower case, no slash at the end.
pub(crate) fn parse(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "is not an origin, such as https://app.example.com";
    if text == "*" {
        return Err("would let every website in; name the origins");
    }
    let text = text.strip_suffix('/').unwrap_or(text).to_lowercase();
    let host =
        text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(EXPECTED)?;
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-.:[]".contains(char);
    let names_a_host = host.chars().any(|char| char.is_ascii_alphanumeric());
    if names_a_host && !host.starts_with(':') && host.chars().all(is_plain) {
        Ok(text)
    } else {
        Err(EXPECTED)
    }
}

/// Checks that `text` is the address of an HTTP service, with or without a path, and takes the
/// slash at its end away so that paths can be appended.
pub(crate) fn parse_base(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "is not a web address, such as https://api.example.com";
    let (scheme, rest) = text.split_once("://").ok_or(EXPECTED)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let origin = parse(&format!("{scheme}://{host}")).map_err(|_| EXPECTED)?;
    if path.chars().any(|char| char.is_whitespace() || "?#\\".contains(char)) {
        return Err(EXPECTED);
    }
    let path = path.trim_end_matches('/');
    Ok(if path.is_empty() { origin } else { format!("{origin}/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_origins_and_refuses_the_rest() {
        for (text, kept) in [
            ("https://app.example.com", Some("https://app.example.com")),
            ("HTTP://LocalHost:3000/", Some("http://localhost:3000")),
            ("http://[::1]:5000", Some("http://[::1]:5000")),
            ("*", None),
            ("app.example.com", None),
            ("https://", None),
            ("https://:80", None),
            ("https://a.example/path", None),
            ("https://user@a.example", None),
            ("ftp://a.example", None),
        ] {
            assert_eq!(parse(text).ok().as_deref(), kept, "{text}");
        }
    }

    #[test]
    fn a_base_may_have_a_path() {
        for (text, kept) in [
            ("https://api.example.com/v1/", Some("https://api.example.com/v1")),
            ("http://127.0.0.1:12111", Some("http://127.0.0.1:12111")),
            ("https://api.example.com/?a", None),
            ("api.example.com", None),
        ] {
            assert_eq!(parse_base(text).ok().as_deref(), kept, "{text}");
        }
    }
}
