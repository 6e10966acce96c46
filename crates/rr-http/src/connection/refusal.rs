//! Refusals written straight to a socket, for requests that never reached the application.

use bytes::Bytes;

use crate::codes::Code;
use crate::problem::Problem;
use crate::request_id::RequestId;

/// The whole answer to a request that could not be read, after which the connection ends.
pub(super) fn refusal(code: Code, id: &RequestId) -> Bytes {
    let body = Problem::new(code).body(id.as_str());
    let status = code.status_code();
    let reason = status.canonical_reason().unwrap_or("Refused");
    let mut answer = format!(
        "HTTP/1.1 {} {reason}\r\n\
         content-type: application/problem+json\r\n\
         content-length: {}\r\n\
         cache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n\
         x-request-id: {}\r\n\
         connection: close\r\n\r\n",
        status.as_u16(),
        body.len(),
        id.as_str(),
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    Bytes::from(answer)
}

/// The status of an answer that the framework makes by itself when it cannot read a request,
/// told by the answer's first bytes.
pub(super) fn framework_refusal(answer: &[u8]) -> Option<Code> {
    let status = answer.strip_prefix(b"HTTP/1.1 ").or(answer.strip_prefix(b"HTTP/1.0 "))?;
    match std::str::from_utf8(status.get(..3)?).ok()?.parse::<u16>().ok()? {
        // The bytes of a head are counted by us and never reach the framework's own limit.
        431 => Some(Code::TooManyHeaders),
        status @ 400..600 => Some(Code::of_status(status)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_complete_answer() {
        let id = RequestId::parse("abc-123").unwrap();
        let answer = refusal(Code::Timeout, &id);
        let text = std::str::from_utf8(&answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert!(head.contains("x-request-id: abc-123\r\n"), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], "request_timeout");
        assert_eq!(body["request_id"], "abc-123");
    }

    #[test]
    fn the_frameworks_refusals_are_told_by_their_status_line() {
        for (answer, code) in [
            (&b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..], Some(Code::BadRequest)),
            (b"HTTP/1.1 431 Request Header Fields Too Large\r\n", Some(Code::TooManyHeaders)),
            (b"HTTP/1.1 500 Internal Server Error\r\n", Some(Code::Internal)),
            (b"HTTP/1.1 100 Continue\r\n\r\n", None),
            (b"HTTP/1.1 200 OK\r\n", None),
            (b"HTTP/1.1 4", None),
            (b"{}", None),
        ] {
            assert_eq!(framework_refusal(answer), code, "{:?}", String::from_utf8_lossy(answer));
        }
    }
}
