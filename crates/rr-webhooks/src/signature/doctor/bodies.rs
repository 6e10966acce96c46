//! The body as it may have been when it was signed.

use std::borrow::Cow;

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
    FromEscaped,
    FromUnescaped,
}

impl Rewritten {
    pub(super) fn code(self) -> &'static str {
        match self {
            Rewritten::Nothing => "body_as_sent",
            Rewritten::LostNewline | Rewritten::GainedNewline => "final_newline",
            Rewritten::FromCompact
            | Rewritten::FromSpaced
            | Rewritten::FromPretty
            | Rewritten::FromEscaped
            | Rewritten::FromUnescaped => "body_reformatted",
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
            Rewritten::FromEscaped => Some(
                "the JSON was signed with letters or slashes escaped (\\u00e9, \\/) and sent otherwise; \
                 sign the bytes as sent",
            ),
            Rewritten::FromUnescaped => Some(
                "the JSON was signed without letters or slashes escaped (\\u00e9, \\/) and sent \
                 otherwise; sign the bytes as sent",
            ),
        }
    }
}

/// The body as it came and as it may have been before, the likeliest first, each written when it is asked for.
/// JSON is written anew by its text: numbers and the order of members stay, as they do in the libraries that do
/// this. Escapes stay, or are what Python, PHP or a browser would make of the text.
pub(super) fn candidates(body: &[u8]) -> impl Iterator<Item = (Rewritten, Cow<'_, [u8]>)> {
    let lost = [&b"\n"[..], b"\r\n"].map(|end| (Rewritten::LostNewline, [body, end].concat()));
    let gained = body.strip_suffix(b"\n").map(|rest| rest.strip_suffix(b"\r").unwrap_or(rest));
    let gained = gained.map(|rest| (Rewritten::GainedNewline, Cow::Borrowed(rest)));
    let owned = |(rewritten, text)| (rewritten, Cow::Owned(text));
    std::iter::once((Rewritten::Nothing, Cow::Borrowed(body)))
        .chain(gained)
        .chain(lost.into_iter().map(owned))
        // JSON is looked for when the rest was tried.
        .chain(
            std::iter::once(())
                .flat_map(move |()| styles(body))
                .map(move |(style, rewritten)| (rewritten, Cow::Owned(rewrite(body, &style)))),
        )
        .filter(move |(rewritten, text)| *rewritten == Rewritten::Nothing || **text != *body)
}

/// The styles that the body may have been written in, if it is JSON. Those that would change nothing because the
/// text holds nothing that they write in their own way are left out.
fn styles(body: &[u8]) -> impl Iterator<Item = (Style, Rewritten)> {
    let is_json = check_json(body, JsonLimits::default()).is_ok();
    let holds = |wanted: &[u8]| body.windows(wanted.len()).any(|part| part == wanted);
    let is_foreign = !body.is_ascii();
    let (slashes, escapes) = (holds(b"/"), holds(b"\\u") || holds(b"\\/"));
    STYLES.into_iter().filter(move |(style, _)| {
        is_json
            && match style.strings {
                Strings::AsTheyAre => true,
                Strings::Python => is_foreign,
                Strings::Php => is_foreign || slashes,
                Strings::Browser => escapes,
            }
    })
}

/// How JSON is written.
#[derive(Debug, Clone, Copy)]
struct Style {
    /// After a colon, and after a comma where there are no lines.
    gap: &'static [u8],
    /// Spaces a level, where each member has a line.
    indent: Option<usize>,
    strings: Strings,
}

/// How the texts in it are written.
#[derive(Debug, Clone, Copy)]
enum Strings {
    AsTheyAre,
    /// Nothing but ASCII.
    Python,
    /// The same, and each slash behind a backslash.
    Php,
    /// Everything that need not be escaped as it is, as in most other languages.
    Browser,
}

const COMPACT: Style = Style { gap: b"", indent: None, strings: Strings::AsTheyAre };
const SPACED: Style = Style { gap: b" ", ..COMPACT };
const TWO: Style = Style { indent: Some(2), ..SPACED };
const FOUR: Style = Style { indent: Some(4), ..SPACED };

/// The styles of the libraries there are, the most used first.
const STYLES: [(Style, Rewritten); 14] = {
    use Rewritten::{FromCompact, FromEscaped, FromPretty, FromSpaced, FromUnescaped};
    use Strings::{Browser, Php, Python};
    [
        (COMPACT, FromCompact),
        (SPACED, FromSpaced),
        (SPACED.with(Python), FromEscaped),
        (COMPACT.with(Python), FromEscaped),
        (COMPACT.with(Php), FromEscaped),
        (COMPACT.with(Browser), FromUnescaped),
        (SPACED.with(Browser), FromUnescaped),
        (TWO, FromPretty),
        (FOUR, FromPretty),
        (TWO.with(Python), FromEscaped),
        (FOUR.with(Python), FromEscaped),
        (FOUR.with(Php), FromEscaped),
        (TWO.with(Browser), FromUnescaped),
        (FOUR.with(Browser), FromUnescaped),
    ]
};

impl Style {
    const fn with(self, strings: Strings) -> Style {
        Style { strings, ..self }
    }

    fn line(&self, depth: usize, text: &mut Vec<u8>) {
        if let Some(indent) = self.indent {
            text.push(b'\n');
            text.extend(std::iter::repeat_n(b' ', indent * depth));
        }
    }
}

impl Strings {
    /// Writes a string that stands in JSON as `written`, with its quotes.
    fn write(self, written: &[u8], text: &mut Vec<u8>) {
        let said = match self {
            Strings::AsTheyAre => None,
            _ => serde_json::from_slice::<String>(written).ok(),
        };
        let Some(said) = said else {
            text.extend_from_slice(written);
            return;
        };
        text.push(b'"');
        for char in said.chars() {
            let short = match char {
                '"' | '\\' => Some(char),
                '/' if matches!(self, Strings::Php) => Some(char),
                '\n' => Some('n'),
                '\r' => Some('r'),
                '\t' => Some('t'),
                '\u{8}' => Some('b'),
                '\u{c}' => Some('f'),
                _ => None,
            };
            let is_long = match self {
                Strings::AsTheyAre | Strings::Browser => char < ' ',
                Strings::Python => !matches!(char, ' '..='~'),
                Strings::Php => char < ' ' || !char.is_ascii(),
            };
            let mut buffer = [0; 4];
            if let Some(short) = short {
                text.push(b'\\');
                text.extend_from_slice(short.encode_utf8(&mut buffer).as_bytes());
            } else if is_long {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    text.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            } else {
                text.extend_from_slice(char.encode_utf8(&mut buffer).as_bytes());
            }
        }
        text.push(b'"');
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
                style.strings.write(json.get(at - 1..end).unwrap_or_default(), &mut text);
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
        let style = |style: Style| String::from_utf8(rewrite(json, &style)).unwrap();
        assert_eq!(style(COMPACT), r#"{"a":[1.50,{},[]],"b\"":{"c":null,"d":"x , y: \\"}}"#);
        assert_eq!(style(SPACED), r#"{"a": [1.50, {}, []], "b\"": {"c": null, "d": "x , y: \\"}}"#);
        let pretty = "{\n  \"a\": [\n    1.50,\n    {},\n    []\n  ],\n  \"b\\\"\": {\n    \
                      \"c\": null,\n    \"d\": \"x , y: \\\\\"\n  }\n}";
        assert_eq!(style(TWO), pretty);
        let value: serde_json::Value =
            serde_json::from_slice(br#"{"a":[1,{}],"b":{"c":[]}}"#).unwrap();
        let ours = rewrite(value.to_string().as_bytes(), &TWO);
        assert_eq!(ours, serde_json::to_vec_pretty(&value).unwrap());
    }

    /// What `json.dumps`, `json_encode` and `JSON.stringify` print.
    #[test]
    fn texts_are_written_as_each_language_does() {
        let json = r#"{"é\u00e9/":"😀\/\"\\\n\u0001\u007f"}"#;
        let style =
            |strings| String::from_utf8(rewrite(json.as_bytes(), &COMPACT.with(strings))).unwrap();
        assert_eq!(style(Strings::AsTheyAre), json);
        assert_eq!(
            style(Strings::Python),
            r#"{"\u00e9\u00e9/":"\ud83d\ude00/\"\\\n\u0001\u007f"}"#
        );
        let php = "{\"\\u00e9\\u00e9\\/\":\"\\ud83d\\ude00\\/\\\"\\\\\\n\\u0001\u{7f}\"}";
        assert_eq!(style(Strings::Php), php);
        let browser = "{\"éé/\":\"😀/\\\"\\\\\\n\\u0001\u{7f}\"}";
        assert_eq!(style(Strings::Browser), browser);
    }

    #[test]
    fn only_what_differs_is_tried() {
        let tried = |body: &str| candidates(body.as_bytes()).count();
        assert_eq!(tried("not json"), 3);
        assert_eq!(tried(r#"{"a":1}"#), 6);
        assert_eq!(tried(r#"{"a":"é"}"#), 12);
        assert_eq!(candidates(b"{}\n").next().unwrap().0, Rewritten::Nothing);
    }
}
