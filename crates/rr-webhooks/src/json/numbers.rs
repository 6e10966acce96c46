//! Numbers as they are written.
//!
//! A reader that keeps numbers as they stand (both databases, and the list of events) needs them
//! short and of a size that fits; a reader that turns them into doubles needs them finite. What
//! is refused: more than the allowed number of characters, an exponent beyond it either way, and
//! a magnitude beyond that of a double. 2^53 + 1 and 2^64 are kept exactly and pass.

/// The offset of the first number that is refused.
///
/// The text need not be valid: what is no number by the grammar is left to the parser.
pub(super) fn check(text: &str, limit: usize) -> Result<(), usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = after_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = after_number(bytes, at);
                if !fits(&text[at..end], limit) {
                    return Err(at);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// Where the string that starts at `start` is over.
fn after_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where the run of number characters that starts at `start` is over.
fn after_number(bytes: &[u8], start: usize) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    bytes[start..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |len| start + len)
}

fn fits(number: &str, limit: usize) -> bool {
    let Ok(value) = number.parse::<f64>() else { return true };
    let exponent = number.split_once(['e', 'E']).map_or("0", |(_, exponent)| exponent);
    // An exponent whose digits do not even fit 64 bits is beyond any limit.
    let exponent_fits = exponent
        .parse::<i64>()
        .is_ok_and(|exponent| usize::try_from(exponent.unsigned_abs()).is_ok_and(|e| e <= limit));
    value.is_finite() && number.len() <= limit && exponent_fits
}
