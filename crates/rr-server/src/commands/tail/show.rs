//! How an event looks in a terminal.

use std::io;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::frames::Frame;
use crate::output;

/// What is shown, and how.
pub(super) struct Show {
    json: bool,
    is_colourful: bool,
}

#[derive(Deserialize)]
struct Event<'a> {
    event_type: String,
    source: String,
    received_at: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Terminal codes.
const PLAIN: &str = "\u{1b}[0m";
const DIM: &str = "\u{1b}[2m";
const BLUE: &str = "\u{1b}[36m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";

impl Show {
    pub(super) fn new(json: bool) -> Show {
        Show { json, is_colourful: output::is_colourful() }
    }

    /// Prints what a frame carries. Figures are for programs that ask for them.
    pub(super) fn frame(&self, frame: &Frame) -> io::Result<()> {
        match (frame.kind.as_str(), self.json) {
            ("event", true) => output::try_line(numbered(frame)),
            ("event", false) => output::try_line(self.event(&frame.data)),
            _ => Ok(()),
        }
    }

    fn event(&self, json: &str) -> String {
        let Ok(event) = serde_json::from_str::<Event<'_>>(json) else { return harmless(json) };
        let (time, kind) = (harmless(&event.received_at), harmless(&event.event_type));
        let (source, data) = (harmless(&event.source), harmless(event.data.get()));
        if !self.is_colourful {
            return format!("{time}  {kind}  {source}  {data}");
        }
        let colour = colour(event.data);
        format!("{DIM}{time}{PLAIN}  {colour}{kind}{PLAIN}  {BLUE}{source}{PLAIN}  {data}")
    }
}

/// An event for a program, with the number after which to go on: who reads the last line knows where it is,
/// however this ended.
fn numbered(frame: &Frame) -> String {
    match (frame.id, frame.data.strip_prefix('{')) {
        (Some(seq), Some(rest)) => format!("{{\"seq\":{seq},{rest}"),
        _ => frame.data.clone(),
    }
}

/// Red for what went wrong, green for what went well, by the words that senders use.
fn colour(data: &RawValue) -> &'static str {
    let data: Value = serde_json::from_str(data.get()).unwrap_or_default();
    let words = ["status", "severity", "conclusion"].map(|name| data[name].as_str().unwrap_or(""));
    let is = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if is(&["failure", "failed", "error", "critical", "firing", "page"]) {
        RED
    } else if is(&["success", "succeeded", "ok", "resolved"]) {
        GREEN
    } else {
        ""
    }
}

/// Strangers wrote it: what a terminal would obey is shown as a sign instead.
fn harmless(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_plain_unless_somebody_looks() {
        let json = r#"{"id":"1","event_type":"deployment","source":"ci","occurred_at":null,"received_at":"2026-01-15T12:00:00Z","data":{"status":"success"}}"#;
        let plain = Show { json: false, is_colourful: false }.event(json);
        assert_eq!(plain, r#"2026-01-15T12:00:00Z  deployment  ci  {"status":"success"}"#);
        let coloured = Show { json: false, is_colourful: true }.event(json);
        assert!(coloured.contains(&format!("{GREEN}deployment{PLAIN}")), "{coloured:?}");
    }

    #[test]
    fn a_program_is_told_the_number() {
        let frame = Frame { id: Some(7), kind: "event".into(), data: r#"{"id":"1"}"#.into() };
        assert_eq!(numbered(&frame), r#"{"seq":7,"id":"1"}"#);
    }

    #[test]
    fn no_event_commands_the_terminal() {
        let json = "{\"event_type\":\"a\\u001b[2Jb\",\"source\":\"\u{9b}31m\",\"received_at\":\"x\",\"data\":\"\u{9b}1m\\u001b\"}";
        let line = Show { json: false, is_colourful: false }.event(json);
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}
