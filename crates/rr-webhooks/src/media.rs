//! What the body says it is.

use crate::Refusal;
use crate::headers::Headers;

/// The media type of a body we read: JSON by any of its names, or what the data of a CloudEvent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Media {
    essence: Option<String>,
    /// The whole of it, where the body is not JSON.
    foreign: Option<String>,
}

const CLOUDEVENT: &str = "application/cloudevents+json";
const FORM: &str = "application/x-www-form-urlencoded";
const BATCH: &str = "application/cloudevents-batch+json";
/// The names that JSON, one value a line, goes by.
const LINES: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

impl Media {
    /// Reads Content-Type and Content-Encoding.
    ///
    /// A missing Content-Type passes, because old clients send none; the body has to be JSON all
    /// the same.
    pub(crate) fn read(headers: Headers<'_>) -> Result<Media, Refusal> {
        let essence = essence(headers)?;
        match essence.as_deref().is_none_or(is_json) {
            true => Ok(Media { essence, foreign: None }),
            false => Err(Refusal::MediaType),
        }
    }

    /// The same for GitHub, which sends a form with the JSON in it unless it is told otherwise.
    pub(crate) fn of_github(headers: Headers<'_>) -> Result<Media, Refusal> {
        let essence = essence(headers)?;
        match essence.as_deref() {
            Some(FORM) => Ok(Media { essence, foreign: None }),
            _ => Media::read(headers),
        }
    }

    /// The same for the data of a binary CloudEvent, which may be of any type.
    pub(crate) fn of_data(headers: Headers<'_>) -> Result<Media, Refusal> {
        let Some(value) = declared(headers)? else { return Media::read(headers) };
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if is_json(&essence) || !is_type(&essence) || !is_plain {
            return Media::read(headers);
        }
        Ok(Media { essence: Some(essence), foreign: Some(value.to_owned()) })
    }

    /// The same for a body of lines, which must say that it is one.
    pub(crate) fn lines(headers: Headers<'_>) -> Result<(), Refusal> {
        match essence(headers)?.is_some_and(|essence| LINES.contains(&essence.as_str())) {
            true => Ok(()),
            false => Err(Refusal::LinesMediaType),
        }
    }

    /// The type of one line.
    pub(crate) fn line() -> Media {
        Media { essence: None, foreign: None }
    }

    /// A CloudEvent with its attributes in the body.
    pub(crate) fn is_cloudevent(&self) -> bool {
        self.essence.as_deref() == Some(CLOUDEVENT)
    }

    /// A list of such.
    pub(crate) fn is_batch(&self) -> bool {
        self.essence.as_deref() == Some(BATCH)
    }

    /// A form that holds the JSON.
    pub(crate) fn is_form(&self) -> bool {
        self.is_json() && self.essence.as_deref() == Some(FORM)
    }

    /// Whether the body is JSON, as everything but the data of a CloudEvent is.
    pub(crate) fn is_json(&self) -> bool {
        self.foreign.is_none()
    }

    /// Whether it is said to be text, in UTF-8 as far as anything is said about that.
    pub(crate) fn is_text(&self) -> bool {
        let is_text = |value: &&String| value.to_ascii_lowercase().starts_with("text/");
        let foreign = self.foreign.as_ref().filter(is_text);
        foreign.is_some_and(|value| value.split(';').skip(1).all(parameter_allowed))
    }

    /// The type as it was declared; that of JSON without parameters, which say nothing.
    pub(crate) fn declared(&self) -> Option<&str> {
        self.foreign.as_deref().or(self.essence.as_deref())
    }

    /// The type to keep with the body.
    pub(crate) fn name(&self) -> &str {
        self.essence.as_deref().unwrap_or("application/json")
    }
}

/// Content-Type without its parameters, in lower case, of a body that is not encoded.
fn essence(headers: Headers<'_>) -> Result<Option<String>, Refusal> {
    let Some(value) = declared(headers)? else { return Ok(None) };
    let mut parts = value.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    if parts.all(parameter_allowed) { Ok(Some(essence)) } else { Err(Refusal::MediaType) }
}

/// Content-Type of a body that is not encoded.
fn declared(headers: Headers<'_>) -> Result<Option<&str>, Refusal> {
    if let Some(encoding) = headers.single("content-encoding")?
        && !encoding.eq_ignore_ascii_case(b"identity")
    {
        return Err(Refusal::ContentEncoding);
    }
    let value = headers.single("content-type")?;
    value.map(|value| std::str::from_utf8(value).map_err(|_| Refusal::MediaType)).transpose()
}

/// `application/json`, or anything built on it.
fn is_json(essence: &str) -> bool {
    if essence == "application/json" {
        return true;
    }
    let base = essence.split_once('/').and_then(|(_, name)| name.strip_suffix("+json"));
    base.is_some_and(|base| !base.is_empty()) && is_type(essence)
}

/// Two tokens.
fn is_type(essence: &str) -> bool {
    let token = |text: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !text.is_empty() && text.bytes().all(allowed)
    };
    essence.split_once('/').is_some_and(|(kind, name)| token(kind) && token(name))
}

/// JSON is UTF-8; a charset that says otherwise announces a body we would misread.
fn parameter_allowed(parameter: &str) -> bool {
    let parameter = parameter.trim();
    if parameter.is_empty() {
        return true;
    }
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim().trim_matches('"');
    !name.trim().eq_ignore_ascii_case("charset")
        || value.eq_ignore_ascii_case("utf-8")
        || value.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> Result<Media, Refusal> {
        let fields: Vec<(&str, &[u8])> =
            fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        Media::read(Headers(&fields))
    }

    #[test]
    fn json_goes_by_many_names() {
        for (declared, kept) in [
            ("application/json", "application/json"),
            ("Application/JSON; Charset=\"UTF-8\"", "application/json"),
            ("application/json;", "application/json"),
            ("application/vnd.api+json; profile=x", "application/vnd.api+json"),
            ("application/cloudevents+json; charset=utf-8", CLOUDEVENT),
        ] {
            let media = read(&[("content-type", declared)]).unwrap();
            assert_eq!(media.is_cloudevent(), kept == CLOUDEVENT);
            assert_eq!(media.name(), kept);
            assert!(!media.is_batch());
        }
        assert_eq!(read(&[]).unwrap().name(), "application/json");
    }

    #[test]
    fn other_types_charsets_and_encodings_are_refused() {
        for declared in [
            "",
            "json",
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/+json",
            "/x+json",
            "application/a b+json",
            "application/json, text/plain",
            "application/json; charset=utf-16",
            "application/json; charset=utf-8; charset=latin1",
            "application/json; charset",
            "application/x-ndjson",
        ] {
            assert_eq!(read(&[("content-type", declared)]), Err(Refusal::MediaType), "{declared}");
        }
        for encoding in ["gzip", "br", "identity, gzip", ""] {
            let refused = read(&[("content-encoding", encoding)]);
            assert_eq!(refused, Err(Refusal::ContentEncoding), "{encoding}");
        }
        assert!(read(&[("content-encoding", "Identity")]).is_ok());
        assert!(read(&[("content-type", BATCH)]).unwrap().is_batch());
        let github =
            |declared: &str| Media::of_github(Headers(&[("content-type", declared.as_bytes())]));
        assert!(github(FORM).is_ok_and(|media| media.is_form() && media.name() == FORM));
        assert!(github("application/json").is_ok_and(|media| !media.is_form()));
        assert_eq!(github("text/plain"), Err(Refusal::MediaType));
        let twice = read(&[("content-type", "application/json"), ("Content-Type", "text/plain")]);
        assert_eq!(twice.map_err(|refusal| refusal.code()), Err("invalid_header"));
    }

    #[test]
    fn lines_must_say_what_they_are() {
        let lines = |declared: &str| {
            let fields = [("content-type", declared.as_bytes())];
            Media::lines(Headers(&fields))
        };
        for declared in ["application/x-ndjson", "Application/NDJSON; charset=utf-8", LINES[2]] {
            assert_eq!(lines(declared), Ok(()), "{declared}");
        }
        for declared in ["", "application/json", "text/plain"] {
            assert_eq!(lines(declared), Err(Refusal::LinesMediaType), "{declared}");
        }
        assert_eq!(Media::lines(Headers(&[])), Err(Refusal::LinesMediaType));
    }
}
