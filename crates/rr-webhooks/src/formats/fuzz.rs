//! Every vector, damaged in every way a seeded generator comes up with: nothing panics, and what
//! is taken all the same is sound. The same damage on every run.

use super::vectors::{ALL, send};
use crate::headers::check_name;
use crate::{JsonLimits, Refusal, check_json};

/// A seeded stream of numbers (xorshift64*); a test needs no more.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % bound.max(1)
    }
}

/// What a value is replaced by.
const VALUES: [&str; 16] = [
    "null",
    "true",
    "0",
    "-1",
    "1e300",
    "9223372036854775808",
    "\"\"",
    "\"x\"",
    "[]",
    "{}",
    "[[[]]]",
    "\"2026-01-15T12:00:00Z\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"\\u0000\"",
    "{\"id\":1}",
    "\"0000000000000000000000000000000000000000\"",
];

fn damage(body: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(body.len());
    match numbers.below(6) {
        0 => body[at] ^= 1 << numbers.below(8),
        1 => drop(body.drain(at..(at + numbers.below(40)).min(body.len()))),
        2 => body.truncate(at),
        3 => {
            let piece = body[at..(at + numbers.below(60)).min(body.len())].to_vec();
            let to = numbers.below(body.len());
            body.splice(to..to, piece);
        }
        _ => replace_value(body, at, VALUES[numbers.below(VALUES.len())]),
    }
    if body.is_empty() {
        body.push(b' ');
    }
}

/// Replaces the value of the member that is nearest behind `at`: the body stays JSON.
fn replace_value(body: &mut Vec<u8>, at: usize, value: &str) {
    let Some(colon) = body[at..].windows(2).position(|pair| pair == b"\":") else { return };
    let start = at + colon + 2;
    let mut values = serde_json::Deserializer::from_slice(&body[start..])
        .into_iter::<&serde_json::value::RawValue>();
    if let Some(Ok(old)) = values.next() {
        let end = start + old.get().len();
        body.splice(start..end, value.bytes());
    }
}

#[test]
fn damaged_requests_are_taken_or_refused() {
    let mut numbers = Numbers(0x005e_ed0f_ca5e_0001);
    let (mut taken, mut refused) = (0_u32, 0_u32);
    for (name, fields, text) in ALL {
        for round in 0..400 {
            let mut body = text.as_bytes().to_vec();
            for _ in 0..=round % 4 {
                damage(&mut body, &mut numbers);
            }
            let mut headers: Vec<(&str, Vec<u8>)> =
                fields.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect();
            if round % 5 == 4 && !headers.is_empty() {
                let which = numbers.below(headers.len());
                let value = &mut headers[which].1;
                value.push(b'x');
                damage(value, &mut numbers);
            }
            let headers: Vec<(&str, &[u8])> =
                headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
            match send(&headers, &body) {
                Ok(events) => {
                    taken += 1;
                    assert!(!events.is_empty(), "{name}");
                    for event in events {
                        let shown = String::from_utf8_lossy(&body);
                        assert_eq!(check_name(&event.event_type), Ok(()), "{name}: {shown}");
                        assert_eq!(check_name(&event.source), Ok(()), "{name}: {shown}");
                        let data = event.data.get().as_bytes();
                        assert!(check_json(data, JsonLimits::default()).is_ok(), "{name}: {shown}");
                        let stored = serde_json::to_string(&event.meaning).unwrap();
                        let back: crate::Meaning = serde_json::from_str(&stored).unwrap();
                        assert_eq!(back, event.meaning, "{name}: {shown}");
                        assert!(
                            event.dedupe.iter().all(|id| !id.key.is_empty()),
                            "{name}: {shown}"
                        );
                    }
                }
                Err(refusal) => {
                    refused += 1;
                    assert!((400..=422).contains(&refusal.status()), "{name}: {refusal:?}");
                    assert!(!matches!(refusal, Refusal::SignatureMissing), "{name}");
                }
            }
        }
    }
    assert!(taken > 1_500 && refused > 1_500, "{taken} taken, {refused} refused: no fair damage");
}
