//! The question that a sender of CloudEvents may ask before it sends (HTTP 1.1 Web Hooks for Event
//! Delivery, chapter 4).

use crate::Refusal;
use crate::headers::Headers;

/// A sender that asks whether it may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handshake<'a> {
    /// The system that it says it is.
    pub origin: &'a str,
    /// How many requests a minute it would like to send, if it says so.
    pub rate: Option<u32>,
}

const RATE: &str = "webhook-request-rate";

/// Reads the question; none where it is not asked. An address to call back later is not looked at: the
/// answer is there at once, and a server that calls addresses it is given can be sent anywhere.
pub fn handshake<'a>(headers: &'a [(&'a str, &'a [u8])]) -> Result<Option<Handshake<'a>>, Refusal> {
    let headers = Headers(headers);
    let Some(origin) = headers.id("webhook-request-origin")? else { return Ok(None) };
    let rate = headers.single(RATE)?.map(rate).transpose()?;
    Ok(Some(Handshake { origin, rate }))
}

/// Digits only, and not none a minute.
fn rate(value: &[u8]) -> Result<u32, Refusal> {
    let digits = value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number
        .filter(|rate| digits && *rate > 0)
        .ok_or_else(|| Refusal::header(RATE, "must be a whole number of requests a minute"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_its_origin_and_perhaps_a_rate() {
        let origin = ("WebHook-Request-Origin", &b"eventemitter.example.com"[..]);
        let back = ("webhook-request-callback", &b"http://127.0.0.1/"[..]);
        assert_eq!(handshake(&[back, ("webhook-request-rate", b"1")]), Ok(None));
        let asked = |rate| Ok(Some(Handshake { origin: "eventemitter.example.com", rate }));
        assert_eq!(handshake(&[origin, back]), asked(None));
        assert_eq!(handshake(&[origin, ("webhook-request-rate", b" 120 ")]), asked(Some(120)));
        for bad in [&b""[..], b"0", b"-1", b"+1", b"1.5", b"*", b"99999999999", b"\xff"] {
            let refused = handshake(&[origin, ("webhook-request-rate", bad)]).unwrap_err();
            assert_eq!(refused.code(), "invalid_header", "{bad:?}");
        }
        for bad in [&b""[..], b"two words", b"a\r\nb", b"\xc3\xa9"] {
            assert!(handshake(&[("webhook-request-origin", bad)]).is_err(), "{bad:?}");
        }
        assert!(handshake(&[origin, origin]).is_err());
    }
}
