//! On which line of the file a row begins.
//!
//! The CSV reader says where it stood before a row, and passes over blank lines and the rest of a
//! line's end afterwards. So the bytes are watched on their way to it.

use std::collections::VecDeque;
use std::io::{self, Read};

/// Hands bytes on and remembers where lines with something in them begin.
pub(super) struct Lines<R> {
    inner: R,
    offset: u64,
    line: u64,
    at_start: bool,
    /// Offset and number of each such line, as far as no row has passed it.
    begins: VecDeque<(u64, u64)>,
}

impl<R> Lines<R> {
    pub(super) fn new(inner: R) -> Lines<R> {
        Lines { inner, offset: 0, line: 1, at_start: true, begins: VecDeque::new() }
    }

    /// The line of the first row at or behind `offset`, which must not move backwards.
    pub(super) fn line_from(&mut self, offset: u64) -> u64 {
        while self.begins.front().is_some_and(|(begin, _)| *begin < offset) {
            self.begins.pop_front();
        }
        self.begins.front().map_or(self.line, |(_, line)| *line)
    }

    fn watch(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => (self.line, self.at_start) = (self.line + 1, true),
                b'\r' => {}
                _ if self.at_start => {
                    self.begins.push_back((self.offset, self.line));
                    self.at_start = false;
                }
                _ => {}
            }
            self.offset += 1;
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.watch(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
