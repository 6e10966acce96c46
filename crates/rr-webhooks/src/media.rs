//! What the body says it is.

use crate::Refusal;
use crate::headers::Headers;

/// The media type of a body we read: JSON by any of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Media {
    essence: Option<String>,
}

const CLOUDEVENT: &str = "application/cloudevents+json";

impl Media {
    /// Reads Content-Type and Content-Encoding.
    ///
    /// A missing Content-Type passes, because old clients send none; the body has to be JSON all
    /// the same. A batch of events is not taken: it would need an answer for each of them.
    pub(crate) fn read(headers: Headers<'_>) -> Result<Media, Refusal> {
        if let Some(encoding) = headers.single("content-encoding")?
            && !encoding.eq_ignore_ascii_case(b"identity")
        {
            return Err(Refusal::ContentEncoding);
        }
        let Some(value) = headers.single("content-type")? else {
            return Ok(Media { essence: None });
        };
        let value = std::str::from_utf8(value).map_err(|_| Refusal::MediaType)?;
        let mut parts = value.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        if !is_json(&essence) || !parts.all(parameter_allowed) {
            return Err(Refusal::MediaType);
        }
        Ok(Media { essence: Some(essence) })
    }

    /// A CloudEvent with its attributes in the body.
    pub(crate) fn is_cloudevent(&self) -> bool {
        self.essence.as_deref() == Some(CLOUDEVENT)
    }

    /// The type as it was declared, without parameters.
    pub(crate) fn declared(&self) -> Option<&str> {
        self.essence.as_deref()
    }

    /// The type to keep with the body.
    pub(crate) fn into_string(self) -> String {
        self.essence.unwrap_or_else(|| "application/json".to_owned())
    }
}

/// `application/json`, or anything built on it, except the batch of CloudEvents.
fn is_json(essence: &str) -> bool {
    let Some((kind, name)) = essence.split_once('/') else { return false };
    let token = |text: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !text.is_empty() && text.bytes().all(allowed)
    };
    let json = essence == "application/json"
        || name.strip_suffix("+json").is_some_and(|base| !base.is_empty());
    json && token(kind) && token(name) && essence != "application/cloudevents-batch+json"
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
            assert_eq!(media.into_string(), kept);
        }
        assert_eq!(read(&[]).unwrap().into_string(), "application/json");
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
            "application/cloudevents-batch+json",
        ] {
            assert_eq!(read(&[("content-type", declared)]), Err(Refusal::MediaType), "{declared}");
        }
        for encoding in ["gzip", "br", "identity, gzip", ""] {
            let refused = read(&[("content-encoding", encoding)]);
            assert_eq!(refused, Err(Refusal::ContentEncoding), "{encoding}");
        }
        assert!(read(&[("content-encoding", "Identity")]).is_ok());
        let twice = read(&[("content-type", "application/json"), ("Content-Type", "text/plain")]);
        assert_eq!(twice.map_err(|refusal| refusal.code()), Err("invalid_header"));
    }
}
