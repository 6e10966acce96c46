//! Lists of hexadecimal signatures: Stripe, PagerDuty, and the single one of GitHub and of our own
//! `X-Webhook-Signature`.

use super::{Scheme, Shown, whole_seconds};
use crate::Refusal;

/// `t=<seconds>,v1=<hex>[,…]`, in any order; other versions are passed over.
pub(super) fn read_stripe(value: &[u8]) -> Result<Shown, Refusal> {
    let refuse = |problem| Refusal::header(Scheme::Stripe.header(), problem);
    let mut times = entries(value).filter_map(|entry| entry.strip_prefix(b"t="));
    let time = times.next().ok_or_else(|| refuse("has no t= (the signed time)"))?;
    if times.next().is_some() {
        return Err(refuse("has more than one t="));
    }
    let sent_at = whole_seconds(time)
        .ok_or_else(|| refuse("has a t= that is not whole seconds since 1970"))?;
    let before = [time, b"."].concat();
    Ok(Shown { before, sent_at: Some(sent_at), ..read(Scheme::Stripe, b"v1=", value) })
}

/// A list whose entries begin with `version`.
pub(super) fn read(scheme: Scheme, version: &[u8], value: &[u8]) -> Shown {
    let hmacs = entries(value).filter_map(|entry| decode(entry.strip_prefix(version)?)).collect();
    Shown { scheme, before: Vec::new(), sent_at: None, hmacs, ed25519: Vec::new() }
}

/// `sha256=<hex>` and nothing else.
pub(super) fn read_one(scheme: Scheme, value: &[u8]) -> Shown {
    let hmacs = value.strip_prefix(b"sha256=").and_then(decode).into_iter().collect();
    Shown { scheme, before: Vec::new(), sent_at: None, hmacs, ed25519: Vec::new() }
}

fn entries(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// 64 hexadecimal digits in lower case, as every sender writes them.
fn decode(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect();
    bytes?.try_into().ok()
}
