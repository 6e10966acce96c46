//! What other systems store, held against ours: vectors that they publish or that were computed from their
//! sources.

use crate::{HashScheme, KeyFormat, KeyHash, Malformed};

fn sha256(text: &str) -> KeyHash {
    HashScheme::sha256().hash(text)
}

/// Unkey keeps SHA-256 as base64, better-auth as url-safe base64 without padding, Seam and crates.io in
/// hexadecimal: the same key arrives as the same hash. (Seam's own vectors stand with [`KeyHash`].)
#[test]
fn hashes_of_other_systems_arrive_as_ours() {
    let ours = ["rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw"].concat();
    for (text, stored) in [
        (ours.as_str(), "2db9d0551bbe32920b100be6e4a3c7e34556ccf90faa5b88219445a688faacd4"),
        (ours.as_str(), "LbnQVRu+MpILEAvm5KPH40VWzPkPqluIIZRFpoj6rNQ="),
        (ours.as_str(), "LbnQVRu-MpILEAvm5KPH40VWzPkPqluIIZRFpoj6rNQ"),
    ] {
        assert_eq!(HashScheme::sha256().import(stored), Ok(sha256(text)), "{stored}");
    }
    let token = concat!("gGK6jurSwKyl9V3Az", "19z7YEFQI9aoOO");
    assert_eq!(sha256(token).as_bytes()[..4], [0x0b, 0x66, 0x3a, 0xaf]);
}

/// The check digit of crates.io's trusted-publishing tokens: all bytes XORed, modulo 62.
fn crates_io_check(body: &str) -> char {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char::from(alphabet[usize::from(body.bytes().fold(0, |all, byte| all ^ byte) % 62)])
}

/// Theirs does not notice two characters that changed places, as fingers do; ours does.
#[test]
fn a_swap_that_crates_io_lets_through_is_refused_here() {
    let token = concat!("gGK6jurSwKyl9V3Az", "19z7YEFQI9aoOO");
    let swapped = concat!("GgK6jurSwKyl9V3Az", "19z7YEFQI9aoOO");
    assert_eq!((crates_io_check(token), crates_io_check(swapped)), ('d', 'd'));
    assert_eq!(crates_io_check(&"0".repeat(31)), 'w');
    let ours = ["rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw"].concat();
    for at in 3..38 {
        let mut bytes = ours.clone().into_bytes();
        bytes.swap(at, at + 1);
        let swapped = String::from_utf8(bytes).unwrap();
        let parsed = KeyFormat::REVENUE_RIPPLE.parse(&swapped).map(drop);
        assert_eq!(parsed, Err(Malformed::Check), "{at} and the next");
    }
}
