//! Damage as a seeded generator comes up with it.

/// A seeded stream of numbers (xorshift64*); a test needs no more.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
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

/// Changes the bytes in one place.
pub(crate) fn damage(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    if bytes.is_empty() {
        bytes.push(b' ');
    }
    let at = numbers.below(bytes.len());
    match numbers.below(7) {
        0 => bytes[at] ^= 1 << numbers.below(8),
        1 => drop(bytes.drain(at..(at + numbers.below(40)).min(bytes.len()))),
        2 => bytes.truncate(at),
        3 => {
            let piece = bytes[at..(at + numbers.below(60)).min(bytes.len())].to_vec();
            let to = numbers.below(bytes.len());
            bytes.splice(to..to, piece);
        }
        4 => {
            let line = bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or_default();
            let piece = bytes[at..=at + line].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => replace_value(bytes, at, VALUES[numbers.below(VALUES.len())]),
    }
}

/// Replaces the value of the member that is nearest behind `at`: JSON stays JSON.
fn replace_value(bytes: &mut Vec<u8>, at: usize, value: &str) {
    let Some(colon) = bytes[at..].windows(2).position(|pair| pair == b"\":") else { return };
    let start = at + colon + 2;
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..])
        .into_iter::<&serde_json::value::RawValue>();
    if let Some(Ok(old)) = values.next() {
        let end = start + old.get().len();
        bytes.splice(start..end, value.bytes());
    }
}
