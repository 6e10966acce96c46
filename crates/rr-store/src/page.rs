//! Keyset pages: newest first, continued by an opaque cursor.

use std::fmt;

use rr_domain::Timestamp;
use uuid::Uuid;

/// Which page of a list.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// At most this many items.
    pub limit: u32,
    /// Where the page before ended; `None` for the first page.
    pub cursor: Option<Cursor>,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

/// The place where a page ended: the instant of its last item and a tie-breaker.
///
/// Its text is opaque to clients. Anything that is not exactly a text this type wrote is refused,
/// so a client learns at once that it sent a truncated or invented one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) at: Timestamp,
    pub(crate) tie: u128,
}

/// A text that is not a cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that a list answer gave")]
pub struct CursorError;

impl Cursor {
    pub(crate) fn after_id(at: Timestamp, id: Uuid) -> Cursor {
        Cursor { at, tie: id.as_u128() }
    }

    pub(crate) fn after_seq(at: Timestamp, seq: i64) -> Cursor {
        Cursor { at, tie: u128::from(seq.unsigned_abs()) }
    }

    pub(crate) fn id(self) -> Uuid {
        Uuid::from_u128(self.tie)
    }

    /// A tie-breaker that is no sequence number (a cursor of another list) sorts after them all.
    pub(crate) fn seq(self) -> i64 {
        i64::try_from(self.tie).unwrap_or(i64::MAX)
    }

    /// Reads what [`Cursor`]'s `Display` wrote.
    pub fn parse(text: &str) -> Result<Cursor, CursorError> {
        // 16 hexadecimal digits of time, 32 of tie-breaker, 4 of checksum.
        let digits_only = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() != 52 || !digits_only {
            return Err(CursorError);
        }
        let part = |from: usize, to: usize| text.get(from..to).ok_or(CursorError);
        let time = u64::from_str_radix(part(0, 16)?, 16).map_err(|_| CursorError)?;
        let tie = u128::from_str_radix(part(16, 48)?, 16).map_err(|_| CursorError)?;
        let check = u16::from_str_radix(part(48, 52)?, 16).map_err(|_| CursorError)?;
        let at = Timestamp::from_micros(time.cast_signed()).map_err(|_| CursorError)?;
        let cursor = Cursor { at, tie };
        if cursor.checksum() == check { Ok(cursor) } else { Err(CursorError) }
    }

    /// Catches typing and cutting, not forgery: a cursor only ever names a place in a list that
    /// its sender may read anyway. (FNV-1a, folded to 16 bits.)
    fn checksum(self) -> u16 {
        let bytes = self.at.micros().to_be_bytes().into_iter().chain(self.tie.to_be_bytes());
        let hash = bytes
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let [a, b, c, d] = hash.to_be_bytes();
        u16::from_be_bytes([a ^ c, b ^ d])
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:032x}{:04x}", self.at.micros(), self.tie, self.checksum())
    }
}

/// Cuts a page out of rows that were asked for with one row too many.
pub(crate) fn cut<T>(
    mut items: Vec<T>,
    request: &PageRequest,
    place: impl Fn(&T) -> Cursor,
) -> Page<T> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(place) } else { None };
    Page { items, next }
}

/// How many rows to ask the database for: one more than the page shows says whether more follow.
pub(crate) fn fetch_limit(request: &PageRequest) -> i64 {
    i64::from(request.limit) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_refuses_tampering() {
        for (micros, tie) in [(0, 0), (1_704_067_200_123_456, u128::MAX), (-5, 42)] {
            let cursor = Cursor { at: Timestamp::from_micros(micros).unwrap(), tie };
            let text = cursor.to_string();
            assert_eq!(Cursor::parse(&text), Ok(cursor));
            for position in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[position] = if changed[position] == b'0' { b'1' } else { b'0' };
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(Cursor::parse(&changed), Err(CursorError), "{changed}");
            }
        }
        for bad in ["", "0", &"0".repeat(51), &"+".repeat(52), &"é".repeat(26), &"F".repeat(52)] {
            assert_eq!(Cursor::parse(bad), Err(CursorError), "{bad}");
        }
    }

    #[test]
    fn a_page_names_the_next_only_when_more_follows() {
        let place = |seq: &i64| Cursor::after_seq(Timestamp::EPOCH, *seq);
        let request = PageRequest { limit: 2, cursor: None };
        let full = cut(vec![9_i64, 8, 7], &request, place);
        assert_eq!((full.items, full.next.map(Cursor::seq)), (vec![9, 8], Some(8)));
        let last = cut(vec![7_i64, 6], &request, place);
        assert_eq!((last.items, last.next), (vec![7, 6], None));
    }
}
