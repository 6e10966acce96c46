//! Base62 in the order 0-9A-Za-z: random digits and the check digits of GitHub's key layout.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The largest multiple of 62 that fits into a byte; bytes from here on would favour the first digits.
const FAIR: u8 = 248;

/// `N` independent, evenly spread digits.
pub(super) fn random<const N: usize>(mut fill: impl FnMut(&mut [u8])) -> Zeroizing<[u8; N]> {
    let mut digits = Zeroizing::new([0; N]);
    let mut pool = Zeroizing::new([0; N]);
    let mut made = 0;
    while made < N {
        fill(&mut *pool);
        for byte in pool.iter().copied().filter(|byte| *byte < FAIR) {
            if made == N {
                break;
            }
            digits[made] = ALPHABET[usize::from(byte % 62)];
            made += 1;
        }
    }
    digits
}

/// The CRC-32 (zlib) of the body in six digits, padded with `0` on the left.
pub(super) fn check_digits(body: &[u8]) -> [u8; 6] {
    let mut rest = crc32fast::hash(body);
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// Whether these are the check digits of the body. Reads them as a number instead of writing the expected
/// ones, which would take six divisions, each waiting for the one before.
pub(super) fn fits(body: &[u8], check: &[u8]) -> bool {
    let read = check.iter().fold(0_u64, |sum, digit| {
        sum.wrapping_mul(62).wrapping_add(u64::from(VALUES[usize::from(*digit)]))
    });
    check.len() == 6 && read == u64::from(crc32fast::hash(body))
}

/// The value of each digit; of other characters one that makes the sum of no use. The caller looks at the
/// characters too, for a sum alone could be met by chance.
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 62 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 62")]
        let narrow = value as u8;
        values[ALPHABET[value] as usize] = narrow;
        value += 1;
    }
    values
};
