//! The text of a key.

use rr_keys::{HashScheme, KeyFormat, KeyHash, LegacyShape, Malformed};
use sha2::{Digest as _, Sha256};

/// The digits of base62, in their order.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Reads the bytes as a key of several formats, and makes a key of them as if they were random.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let ours = KeyFormat::REVENUE_RIPPLE;
    for (prefix, format) in [("rr_", &ours), ("a-b_c_", &foreign("a-b_c_", None))] {
        builds(format, prefix, bytes);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    // Seeds name the check digits, because a key written out would alarm whoever scans for secrets.
    let text = &match text.strip_suffix("$check") {
        Some(body) => {
            [body, &check_digits(&body.as_bytes()[body.len().saturating_sub(30)..])].concat()
        }
        None => text.to_owned(),
    };
    let taken = agrees(&ours, "rr_", &[("rr_", 43)], text);
    let shape = LegacyShape::url_safe("old_", 8).ok();
    agrees(&foreign("rr_", shape), "rr_", &[("old_", 8)], text) | taken
}

/// The format says what the slow rule says, and hashes the whole text.
fn agrees(format: &KeyFormat, prefix: &str, legacy: &[(&str, usize)], text: &str) -> bool {
    let parsed = format.parse(text).map(|presented| presented.hash(&HashScheme::sha256()));
    assert_eq!(parsed, slowly(prefix, legacy, text).map(|()| sha256(text)), "{text:?}");
    parsed.is_ok()
}

/// The rule as the documentation has it.
fn slowly(prefix: &str, legacy: &[(&str, usize)], text: &str) -> Result<(), Malformed> {
    let url_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let old = legacy.iter().any(|(prefix, length)| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.len() == *length && rest.chars().all(url_safe))
    });
    if old {
        return Ok(());
    }
    let rest = text.strip_prefix(prefix).ok_or(Malformed::Prefix)?;
    if rest.len() != 36 {
        return Err(Malformed::Length);
    }
    if !rest.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(Malformed::Character);
    }
    let (body, check) = rest.split_at(30);
    if check == check_digits(body.as_bytes()) { Ok(()) } else { Err(Malformed::Check) }
}

/// CRC-32 bit by bit, then base62 digit by digit.
fn check_digits(body: &[u8]) -> String {
    let mut crc = u32::MAX;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = !crc;
    let mut digits = String::new();
    for _ in 0..6 {
        digits.insert(0, char::from(DIGITS[rest as usize % 62]));
        rest /= 62;
    }
    digits
}

/// A key made of these bytes reads back, and neither a wrong character nor two exchanged ones pass.
fn builds(format: &KeyFormat, prefix: &str, bytes: &[u8]) {
    // After them comes noise: a source that only ever says the same could go on for ever.
    let mut source = bytes.iter().copied().chain((0_u64..).flat_map(|block| {
        <[u8; 32]>::from(Sha256::digest([bytes, &block.to_le_bytes()].concat()))
    }));
    let issued = format.issue(|buffer| buffer.fill_with(|| source.next().unwrap_or_default()));
    let text = issued.secret.expose();
    assert_eq!(slowly(prefix, &[], text), Ok(()));
    let hash = issued.hash(&HashScheme::sha256());
    assert_eq!(format.parse(text).map(|presented| presented.hash(&HashScheme::sha256())), Ok(hash));
    assert_eq!(hash, sha256(text));
    assert_eq!(issued.hint, text[..prefix.len() + 4]);
    assert!(!format!("{issued:?}").contains(&text[prefix.len() + 4..]));
    let digit = |n: usize| usize::from(bytes.get(n).copied().unwrap_or_default());
    let (at, other) = (prefix.len() + digit(0) % 36, DIGITS[digit(1) % 62]);
    let mut typo = text.as_bytes().to_vec();
    typo[at] = other;
    refuses(format, &typo, text);
    let mut exchanged = text.as_bytes().to_vec();
    let at = prefix.len() + digit(0) % 29;
    exchanged.swap(at, at + 1);
    refuses(format, &exchanged, text);
}

fn refuses(format: &KeyFormat, changed: &[u8], text: &str) {
    let changed = std::str::from_utf8(changed).unwrap_or_default();
    assert_eq!(format.parse(changed).is_ok(), changed == text, "{changed} for {text}");
}

fn sha256(text: &str) -> KeyHash {
    let hex: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    #[expect(clippy::expect_used, reason = "64 hexadecimal digits are a hash")]
    KeyHash::from_hex(&hex).expect("64 digits")
}

fn foreign(prefix: &'static str, shape: Option<LegacyShape>) -> KeyFormat {
    #[expect(clippy::expect_used, reason = "the prefixes above are good ones")]
    let format = KeyFormat::new(prefix).expect("a good prefix");
    match shape {
        Some(shape) => format.with_legacy(shape),
        None => format,
    }
}
