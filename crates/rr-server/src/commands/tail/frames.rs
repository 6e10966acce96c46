//! Server-sent events, read from bytes.

use std::io::{self, BufRead, BufReader, Read};

/// One frame; a sign of life has nothing in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// The place in the stream after it.
    pub(super) id: Option<i64>,
    /// What it is.
    pub(super) kind: String,
    /// What it carries.
    pub(super) data: String,
}

/// The frames of a stream.
pub(super) struct Frames<R>(BufReader<R>);

impl<R: Read> Frames<R> {
    pub(super) fn of(stream: R) -> Frames<R> {
        Frames(BufReader::new(stream))
    }

    /// A frame that the end cuts off is none.
    fn read(&mut self) -> io::Result<Option<Frame>> {
        let mut frame = Frame::default();
        let mut line = String::new();
        loop {
            line.clear();
            if self.0.read_line(&mut line)? == 0 || !line.ends_with('\n') {
                return Ok(None);
            }
            let text = line.trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                return Ok(Some(frame));
            }
            let (name, value) = text.split_once(':').unwrap_or((text, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => frame.id = value.parse().ok(),
                "event" => frame.kind = value.to_owned(),
                "data" if frame.data.is_empty() => frame.data = value.to_owned(),
                "data" => {
                    frame.data.push('\n');
                    frame.data.push_str(value);
                }
                _ => {}
            }
        }
    }
}

impl<R: Read> Iterator for Frames<R> {
    type Item = io::Result<Frame>;

    fn next(&mut self) -> Option<io::Result<Frame>> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_the_standard_has_it() {
        let text = "retry: 2000\nid: 4\n\n:\n\nid: 5\r\nevent: event\r\ndata: {\"a\":1}\r\n\r\n\
                    data:x\ndata: y\nnonsense\n\nid: 9\nevent: cut";
        let frames: Vec<Frame> = Frames::of(text.as_bytes()).map(Result::unwrap).collect();
        let frame = |id, kind: &str, data: &str| Frame { id, kind: kind.into(), data: data.into() };
        assert_eq!(
            frames,
            [
                frame(Some(4), "", ""),
                frame(None, "", ""),
                frame(Some(5), "event", "{\"a\":1}"),
                frame(None, "", "x\ny"),
            ]
        );
    }
}
