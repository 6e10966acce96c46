//! Where a page ended, as a text that its reader gives back for the next one: numbers under a seal.

use crate::problem::{Outcome, Problem};

/// What a question is told by. A place in the answer to one means nothing in that to another. It catches
/// slips and not forgery: whoever makes up a place learns nothing that the question does not tell.
pub(crate) struct Seal(String);

/// What a place is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) short: [i64; 5],
    pub(crate) long: [i128; 2],
}

/// Five numbers of 16 hexadecimal digits, two of 32, and the seal of 8.
const LENGTH: usize = 5 * 16 + 2 * 32 + 8;

impl Seal {
    /// The seal of a question.
    pub(crate) fn of(question: String) -> Seal {
        Seal(question)
    }

    /// Writes a place.
    pub(crate) fn close(&self, place: Numbers) -> String {
        let short = place.short.map(|number| format!("{number:016x}")).concat();
        let long = place.long.map(|number| format!("{number:032x}")).concat();
        let text = short + &long;
        let seal = self.over(&text);
        format!("{text}{seal:08x}")
    }

    /// Reads what it wrote, into what it stands for.
    pub(crate) fn open<T>(
        &self,
        text: &str,
        place: impl FnOnce(Numbers) -> Option<T>,
    ) -> Outcome<T> {
        self.read(text).and_then(place).ok_or_else(no_place)
    }

    fn read(&self, text: &str) -> Option<Numbers> {
        let is_digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() != LENGTH || !is_digits {
            return None;
        }
        let (numbers, seal) = text.split_at(LENGTH - 8);
        if u32::from_str_radix(seal, 16).ok()? != self.over(numbers) {
            return None;
        }
        let mut numbers = Numbers { short: [0; 5], long: [0; 2] };
        for (index, number) in numbers.short.iter_mut().enumerate() {
            let digits = text.get(index * 16..(index + 1) * 16)?;
            *number = u64::from_str_radix(digits, 16).ok()?.cast_signed();
        }
        for (index, number) in numbers.long.iter_mut().enumerate() {
            let digits = text.get(80 + index * 32..80 + (index + 1) * 32)?;
            *number = u128::from_str_radix(digits, 16).ok()?.cast_signed();
        }
        Some(numbers)
    }

    /// FNV-1a over the question and the numbers.
    fn over(&self, numbers: &str) -> u32 {
        let bytes = self.0.bytes().chain(numbers.bytes());
        bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }
}

/// A text that is no place in this answer.
pub(crate) fn no_place() -> Problem {
    Problem::parameter("cursor", "must be the next_cursor of an earlier page")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_under_its_own_seal_alone() {
        let place = Numbers { short: [-5, 7, 3, i64::MIN, i64::MAX], long: [-1, i128::MAX] };
        let own = Seal::of("mrr now 0".to_owned());
        let text = own.close(place);
        assert_eq!(own.read(&text), Some(place));
        assert_eq!(Seal::of("mrr now 1".to_owned()).read(&text), None);
        for position in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[position] = if changed[position] == b'0' { b'1' } else { b'0' };
            assert_eq!(own.read(&String::from_utf8(changed).unwrap()), None);
        }
        for bad in ["", "0", &"0".repeat(LENGTH), &"é".repeat(LENGTH / 2), &text.to_uppercase()] {
            assert_eq!(own.read(bad), None, "{bad}");
        }
    }
}
