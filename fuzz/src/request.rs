//! A request out of bytes: header lines, an empty line, a body. It reads as what travels, so seeds can be
//! written by hand, and a fuzzer keeps its structure.

use rr_domain::Timestamp;
use rr_webhooks::Incoming;
use uuid::Uuid;

/// More header lines than any format has.
const MOST_LINES: usize = 24;

/// When the requests of the seeds were sent.
pub(crate) const NOW: i64 = 1_614_265_330;

pub(crate) struct Request {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Every byte string is one; lines that are no header are passed over.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut headers = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if line.is_empty() {
                break;
            }
            headers.extend(header(line));
        }
        headers.truncate(MOST_LINES);
        Self { headers, body: rest.to_vec() }
    }

    /// The values under a name, in any case.
    pub(crate) fn values(&self, name: &str) -> Vec<&[u8]> {
        let same = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.as_slice()).collect()
    }

    /// The header lines as the code under test takes them.
    pub(crate) fn fields(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
    }
}

/// What arrives, at the time of the seeds and by the same key.
pub(crate) fn incoming<'a>(fields: &'a [(&'a str, &'a [u8])], body: &'a [u8]) -> Incoming<'a> {
    let received_at = Timestamp::from_seconds(NOW).unwrap_or(Timestamp::EPOCH);
    Incoming { headers: fields, body, received_at, key_id: Uuid::from_u128(7) }
}

fn header(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(&line[..colon]).ok()?;
    let value = &line[colon + 1..];
    Some((name.to_owned(), value.strip_prefix(b" ").unwrap_or(value).to_vec()))
}
