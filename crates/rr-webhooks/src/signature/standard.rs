//! Standard Webhooks 1.0, and Svix, which has the same under its own names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{MOST_ED25519, Scheme, Shown, whole_seconds};
use crate::Refusal;
use crate::headers::Headers;

/// Reads `<family>-id`, `<family>-timestamp` and the list of signatures. Of the list, what is of
/// another version or not well spelled is passed over: a sender may offer several.
pub(super) fn read(
    headers: Headers<'_>,
    scheme: Scheme,
    family: &str,
    list: &[u8],
) -> Result<Shown, Refusal> {
    let (id_header, time_header) = (format!("{family}-id"), format!("{family}-timestamp"));
    let missing = |header: &str| Refusal::header(header, "is missing");
    let id = headers.id(&id_header)?.ok_or_else(|| missing(&id_header))?;
    if id.contains('.') {
        // The parts are joined with dots: with one inside, another id would have the same signature.
        return Err(Refusal::header(&id_header, "must not contain a dot"));
    }
    let time = headers.single(&time_header)?.ok_or_else(|| missing(&time_header))?;
    let sent_at = whole_seconds(time)
        .ok_or_else(|| Refusal::header(&time_header, "must be whole seconds since 1970"))?;
    let entries = || list.split(u8::is_ascii_whitespace);
    Ok(Shown {
        scheme,
        before: [id.as_bytes(), b".", time, b"."].concat(),
        sent_at: Some(sent_at),
        hmacs: entries().filter_map(|entry| decode(entry, b"v1,")).collect(),
        ed25519: entries().filter_map(|entry| decode(entry, b"v1a,")).take(MOST_ED25519).collect(),
    })
}

fn decode<const N: usize>(entry: &[u8], version: &[u8]) -> Option<[u8; N]> {
    STANDARD.decode(entry.strip_prefix(version)?).ok()?.try_into().ok()
}
