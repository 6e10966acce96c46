//! The body as it may have been when it was signed.

use crate::{JsonLimits, check_json};

/// What happened to the body after it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewritten {
    Nothing,
    LostNewline,
    GainedNewline,
    FromCompact,
    FromSpaced,
    FromPretty,
}

impl Rewritten {
    pub(super) fn code(self) -> &'static str {
        match self {
            Rewritten::Nothing => "body_as_sent",
            Rewritten::LostNewline | Rewritten::GainedNewline => "final_newline",
            Rewritten::FromCompact | Rewritten::FromSpaced | Rewritten::FromPretty => {
                "body_reformatted"
            }
        }
    }

    pub(super) fn words(self) -> Option<&'static str> {
        match self {
            Rewritten::Nothing => None,
            Rewritten::LostNewline => {
                Some("the body was signed with a newline at its end and sent without")
            }
            Rewritten::GainedNewline => {
                Some("the body was signed without a newline at its end and sent with one")
            }
            Rewritten::FromCompact => {
                Some("the JSON was signed without spaces and sent with; sign the bytes as sent")
            }
            Rewritten::FromSpaced => Some(
                "the JSON was signed with a space after each comma and colon and sent otherwise; \
                 sign the bytes as sent",
            ),
            Rewritten::FromPretty => Some(
                "the JSON was signed with line breaks and sent without; sign the bytes as sent",
            ),
        }
    }
}

/// The body as it came, and as it may have been before. JSON is written anew by its text alone:
/// numbers, escapes and the order of members stay, as they do in the libraries that do this.
pub(super) fn candidates(body: &[u8]) -> Vec<(Rewritten, Vec<u8>)> {
    let mut bodies = vec![(Rewritten::Nothing, body.to_vec())];
    let mut add = |rewritten, text: Vec<u8>| {
        if bodies.iter().all(|(_, other)| *other != text) {
            bodies.push((rewritten, text));
        }
    };
    add(Rewritten::LostNewline, [body, b"\n"].concat());
    add(Rewritten::LostNewline, [body, b"\r\n"].concat());
    if let Some(rest) = body.strip_suffix(b"\n") {
        add(Rewritten::GainedNewline, rest.strip_suffix(b"\r").unwrap_or(rest).to_vec());
    }
    if check_json(body, JsonLimits::default()).is_ok() {
        add(Rewritten::FromCompact, rewrite(body, &Style { gap: b"", indent: None }));
        add(Rewritten::FromSpaced, rewrite(body, &Style { gap: b" ", indent: None }));
        for indent in [2, 4] {
            add(Rewritten::FromPretty, rewrite(body, &Style { gap: b" ", indent: Some(indent) }));
        }
    }
    bodies
}

/// How JSON is written.
struct Style {
    /// After a colon, and after a comma where there are no lines.
    gap: &'static [u8],
    /// Spaces a level, where each member has a line.
    indent: Option<usize>,
}

impl Style {
    fn line(&self, depth: usize, text: &mut Vec<u8>) {
        if let Some(indent) = self.indent {
            text.push(b'\n');
            text.extend(std::iter::repeat_n(b' ', indent * depth));
        }
    }
}

/// Checked JSON in another style.
fn rewrite(json: &[u8], style: &Style) -> Vec<u8> {
    let mut text = Vec::with_capacity(json.len() * 2);
    let mut depth: usize = 0;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'"' => {
                let end = after_string(json, at);
                text.push(b'"');
                text.extend_from_slice(json.get(at..end).unwrap_or_default());
                at = end;
            }
            b'{' | b'[' => {
                text.push(byte);
                let next = json.iter().skip(at).position(|byte| !byte.is_ascii_whitespace());
                let next = next.map(|skipped| at + skipped);
                match next.and_then(|next| Some((next, *json.get(next)?))) {
                    // An empty list or object stays on one line.
                    Some((next, end @ (b'}' | b']'))) => {
                        text.push(end);
                        at = next + 1;
                    }
                    _ => {
                        depth += 1;
                        style.line(depth, &mut text);
                    }
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                style.line(depth, &mut text);
                text.push(byte);
            }
            b',' => {
                text.push(byte);
                match style.indent {
                    Some(_) => style.line(depth, &mut text),
                    None => text.extend_from_slice(style.gap),
                }
            }
            b':' => {
                text.push(byte);
                text.extend_from_slice(style.gap);
            }
            other => text.push(other),
        }
    }
    text
}

/// Where the string is over whose first character is at `start`.
fn after_string(json: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_in_every_style_as_the_libraries_do() {
        let json = br#" {"a" :[1.50, {} ,[ ]],"b\"":{ "c":null , "d": "x , y: \\"}} "#;
        let style = |gap, indent| String::from_utf8(rewrite(json, &Style { gap, indent })).unwrap();
        assert_eq!(style(b"", None), r#"{"a":[1.50,{},[]],"b\"":{"c":null,"d":"x , y: \\"}}"#);
        assert_eq!(
            style(b" ", None),
            r#"{"a": [1.50, {}, []], "b\"": {"c": null, "d": "x , y: \\"}}"#
        );
        let pretty = "{\n  \"a\": [\n    1.50,\n    {},\n    []\n  ],\n  \"b\\\"\": {\n    \
                      \"c\": null,\n    \"d\": \"x , y: \\\\\"\n  }\n}";
        assert_eq!(style(b" ", Some(2)), pretty);
        let value: serde_json::Value =
            serde_json::from_slice(br#"{"a":[1,{}],"b":{"c":[]}}"#).unwrap();
        let ours = rewrite(value.to_string().as_bytes(), &Style { gap: b" ", indent: Some(2) });
        assert_eq!(ours, serde_json::to_vec_pretty(&value).unwrap());
    }
}
