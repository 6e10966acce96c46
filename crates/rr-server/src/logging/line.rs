//! How an event becomes a line.
//!
//! The shape is that of `tracing_subscriber`'s own formats. Every request writes a line, so this
//! puts together the pieces of text by hand, where the library goes through several layers of
//! formatting. Whatever a value holds, a line stays one line.

use std::fmt::{self, Write};

use rr_domain::Clock;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes events as lines.
pub(super) struct Line {
    clock: Clock,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `2026-01-15T12:00:00.000001Z  INFO rr_http::request: request method="GET" status=200`
    Text,
    /// `{"timestamp":"…","level":"INFO","message":"request","method":"GET",…,"target":"…"}`
    Json,
}

impl Line {
    pub(super) fn text(clock: Clock) -> Line {
        Line { clock, shape: Shape::Text }
    }

    pub(super) fn json(clock: Clock) -> Line {
        Line { clock, shape: Shape::Json }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // One piece: what lies behind `out` is called through a table.
        let mut line = String::with_capacity(USUAL_LENGTH);
        self.write(&mut line, event)?;
        out.write_str(&line)
    }
}

/// Bytes of a request's line, generously.
const USUAL_LENGTH: usize = 384;

impl Line {
    fn write(&self, out: &mut String, event: &Event<'_>) -> fmt::Result {
        let now = self.clock.now();
        let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
        match self.shape {
            Shape::Text => {
                now.write_micros(out)?;
                out.write_str(if level.len() < 5 { "  " } else { " " })?;
                out.write_str(level)?;
                out.write_char(' ')?;
                out.write_str(target)?;
                out.write_char(':')?;
            }
            Shape::Json => {
                out.write_str(r#"{"timestamp":""#)?;
                now.write_micros(out)?;
                out.write_str(r#"","level":""#)?;
                out.write_str(level)?;
                out.write_char('"')?;
            }
        }
        let mut fields = Fields { out, shape: self.shape, outcome: Ok(()) };
        event.record(&mut fields);
        fields.outcome?;
        match self.shape {
            Shape::Text => out.write_char('\n'),
            Shape::Json => {
                out.write_str(r#","target":"#)?;
                json_string(out, target)?;
                out.write_str("}\n")
            }
        }
    }
}

/// Writes one field after the other.
struct Fields<'a> {
    out: &'a mut String,
    shape: Shape,
    outcome: fmt::Result,
}

impl Fields<'_> {
    fn field(&mut self, field: &Field, value: impl FnOnce(&mut String, Shape) -> fmt::Result) {
        if self.outcome.is_ok() {
            self.outcome = self.name(field.name()).and_then(|()| value(self.out, self.shape));
        }
    }

    fn name(&mut self, name: &str) -> fmt::Result {
        match (self.shape, name) {
            (Shape::Text, "message") => self.out.write_char(' '),
            (Shape::Text, name) => {
                self.out.write_char(' ')?;
                self.out.write_str(name)?;
                self.out.write_char('=')
            }
            (Shape::Json, name) => {
                self.out.write_str(",\"")?;
                self.out.write_str(name)?;
                self.out.write_str("\":")
            }
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |out, shape| match shape {
            Shape::Text if field.name() == "message" => OneLine(out).write_str(value),
            Shape::Text if !needs_escapes(value) => quoted(out, value),
            Shape::Text => write!(out, "{value:?}"),
            Shape::Json => json_string(out, value),
        });
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |out, _| out.write_str(itoa::Buffer::new().format(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |out, _| out.write_str(itoa::Buffer::new().format(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |out, _| out.write_str(if value { "true" } else { "false" }));
    }

    /// Everything else, what is given to be displayed among it.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, |out, shape| match shape {
            Shape::Text => write!(OneLine(out), "{value:?}"),
            Shape::Json => json_string(out, &format!("{value:?}")),
        });
    }
}

/// Writes control characters, a new line among them, as escapes.
struct OneLine<'a>(&'a mut String);

impl Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if is_plain(text) {
            return self.0.write_str(text);
        }
        text.chars().try_for_each(|char| {
            if char.is_control() {
                write!(self.0, "{}", char.escape_default())
            } else {
                self.0.write_char(char)
            }
        })
    }
}

fn json_string(out: &mut String, text: &str) -> fmt::Result {
    if needs_escapes(text) {
        out.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
    } else {
        quoted(out, text)
    }
}

fn quoted(out: &mut String, text: &str) -> fmt::Result {
    out.write_char('"')?;
    out.write_str(text)?;
    out.write_char('"')
}

/// Whether the text between quotes would be anything but itself. Only plain ASCII is taken to be.
fn needs_escapes(text: &str) -> bool {
    text.bytes().any(|byte| KINDS[usize::from(byte)] != Kind::Plain)
}

/// Whether the text is printable ASCII.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| KINDS[usize::from(byte)] != Kind::Other)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Stands for itself everywhere.
    Plain,
    /// Has a meaning of its own between quotes.
    Quoted,
    /// Control characters, and all that is no ASCII.
    Other,
}

/// One look for each byte: a line has some two hundred.
static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Other; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        kinds[byte] = Kind::Plain;
        byte += 1;
    }
    kinds[b'"' as usize] = Kind::Quoted;
    kinds[b'\\' as usize] = Kind::Quoted;
    kinds
};

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use rr_domain::Timestamp;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Kept;

        fn make_writer(&'a self) -> Kept {
            self.clone()
        }
    }

    fn clock() -> Clock {
        Clock::new(|| Timestamp::from_micros(1_768_478_400_000_010).unwrap())
    }

    fn written(line: Line, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let subscriber =
            tracing_subscriber::fmt().event_format(line).with_writer(kept.clone()).finish();
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    fn every_kind() {
        let error = io::Error::other("a\nb\u{1b}[31m");
        tracing::info!(
            target: "part",
            method = "GET",
            odd = "a \"b\"\n",
            status = 200_u16,
            signed = -1,
            is_good = true,
            key = None::<u64>,
            shown = %error,
            error = &error as &dyn std::error::Error,
            "request {}",
            7
        );
    }

    #[test]
    fn text_is_one_line_for_people() {
        let text = written(Line::text(clock()), every_kind);
        let expected = "2026-01-15T12:00:00.000010Z  INFO part: request 7 method=\"GET\" \
             odd=\"a \\\"b\\\"\\n\" status=200 signed=-1 is_good=true shown=a\\nb\\u{1b}[31m \
             error=a\\nb\\u{1b}[31m\n";
        assert_eq!(text, expected);
        let warning = written(Line::text(clock()), || tracing::error!(target: "part", "no"));
        assert_eq!(warning, "2026-01-15T12:00:00.000010Z ERROR part: no\n");
    }

    #[test]
    fn json_is_one_object() {
        let text = written(Line::json(clock()), every_kind);
        assert_eq!(text.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "timestamp": "2026-01-15T12:00:00.000010Z", "level": "INFO", "target": "part",
            "message": "request 7", "method": "GET", "odd": "a \"b\"\n", "status": 200,
            "signed": -1, "is_good": true, "shown": "a\nb\u{1b}[31m", "error": "a\nb\u{1b}[31m",
        });
        assert_eq!(value, expected);
    }
}
