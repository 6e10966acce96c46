//! What the body says it is.

use crate::Refusal;
use crate::headers::Headers;

/// The media type of a body we read: JSON by any of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Media {
    essence: Option<String>,
}

const CLOUDEVENT: &str = "application/cloudevents+json";
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
            true => Ok(Media { essence }),
            false => Err(Refusal::MediaType),
        }
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
        Media { essence: None }
    }

    /// A CloudEvent with its attributes in the body.
    pub(crate) fn is_cloudevent(&self) -> bool {
        self.essence.as_deref() == Some(CLOUDEVENT)
    }

    /// A list of such.
    pub(crate) fn is_batch(&self) -> bool {
        self.essence.as_deref() == Some(BATCH)
    }

    /// The type as it was declared, without parameters.
    pub(crate) fn declared(&self) -> Option<&str> {
        self.essence.as_deref()
    }

    /// The type to keep with the body.
    pub(crate) fn name(&self) -> &str {
        self.essence.as_deref().unwrap_or("application/json")
    }
}

/// Content-Type without its parameters, in lower case, of a body that is not encoded.
fn essence(headers: Headers<'_>) -> Result<Option<String>, Refusal> {
    if let Some(encoding) = headers.single("content-encoding")?
        && !encoding.eq_ignore_ascii_case(b"identity")
    {
        return Err(Refusal::ContentEncoding);
    }
    let Some(value) = headers.single("content-type")? else { return Ok(None) };
    let value = std::str::from_utf8(value).map_err(|_| Refusal::MediaType)?;
    let mut parts = value.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    if parts.all(parameter_allowed) { Ok(Some(essence)) } else { Err(Refusal::MediaType) }
}

/// `application/json`, or anything built on it.
fn is_json(essence: &str) -> bool {
    if essence == "application/json" {
        return true;
    }
    let Some((kind, name)) = essence.split_once('/') else { return false };
    let token = |text: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !text.is_empty() && text.bytes().all(allowed)
    };
    let json = name.strip_suffix("+json").is_some_and(|base| !base.is_empty());
    json && token(kind) && token(name)
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
