//! The newest events, written out.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use rr_store::EventRow;
use serde::Serialize;

use super::message::message;
use crate::endpoints::events::list::Event;

/// About how many bytes are written to a reader at once: what a connection holds for a client that does
/// not take it is no more.
const BATCH_BYTES: usize = 64 << 10;

/// Events that follow each other, written out once for all readers.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The number of the event before the first of them.
    after: i64,
    /// The number of the last of them.
    upto: i64,
    events: Vec<LiveEvent>,
    frames: Bytes,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct LiveEvent {
    seq: i64,
    /// Its type.
    pub(crate) event_type: String,
    /// Where it comes from.
    pub(crate) source: String,
    /// Where in the batch its frame stands.
    frame: Range<usize>,
    /// What it is to the DevOps module's script, if anything.
    message: Option<String>,
}

/// The events after some number, as far as they are in memory.
#[derive(Debug, Default)]
pub(super) struct Tail {
    batches: VecDeque<Arc<Batch>>,
    /// The events after this one…
    from: i64,
    /// …up to this one are here.
    to: i64,
    bytes: usize,
    /// How often it began anew.
    run: u64,
}

/// What the tail says to a reader at a position.
#[derive(Debug)]
pub(super) enum Next {
    /// These come next.
    Batch(Arc<Batch>),
    /// Nothing does, yet.
    Nothing,
    /// What comes next is not in memory any more, or never was.
    Gone,
}

impl Batch {
    /// Writes out events, in batches of a size that suits the network.
    pub(super) fn of(after: i64, rows: Vec<EventRow>) -> Vec<Batch> {
        let mut batches = Vec::new();
        let (mut after, mut events, mut frames) = (after, Vec::new(), BytesMut::new());
        let mut rows = rows.into_iter().peekable();
        while let Some(row) = rows.next() {
            let seq = row.seq;
            events.push(LiveEvent::write(row, &mut frames));
            if frames.len() >= BATCH_BYTES || rows.peek().is_none() {
                let (events, frames) = (std::mem::take(&mut events), frames.split().freeze());
                batches.push(Batch { after, upto: seq, events, frames });
                after = seq;
            }
        }
        batches
    }

    /// The number of the last event.
    pub(crate) fn upto(&self) -> i64 {
        self.upto
    }

    /// The frames of all events after a number.
    pub(crate) fn frames_after(&self, after: i64) -> Bytes {
        let first = self.events_after(after).first();
        first.map_or_else(Bytes::new, |event| self.frames.slice(event.frame.start..))
    }

    /// The events after a number.
    pub(crate) fn events_after(&self, after: i64) -> &[LiveEvent] {
        let first = self.events.partition_point(|event| event.seq <= after);
        self.events.get(first..).unwrap_or_default()
    }

    /// What the events after a number are to the DevOps module's script.
    pub(crate) fn messages_after(&self, after: i64) -> impl Iterator<Item = &str> {
        self.events_after(after).iter().filter_map(|event| event.message.as_deref())
    }

    /// The frame of one of its events.
    pub(crate) fn frame(&self, event: &LiveEvent) -> &[u8] {
        self.frames.get(event.frame.clone()).unwrap_or_default()
    }
}

impl LiveEvent {
    /// Its number.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// Writes the event's frame: its number, its kind, and itself as lists show it. A line break in it
    /// can only stand between two tokens of its JSON, and would end the line here.
    fn write(row: EventRow, frames: &mut BytesMut) -> LiveEvent {
        let start = frames.len();
        let (seq, event_type, source) = (row.seq, row.event_type.clone(), row.source.clone());
        let message = message(&row);
        frames.extend_from_slice(format!("id: {seq}\nevent: event\ndata: ").as_bytes());
        let data = frames.len();
        write_json(&Event::from(row), frames);
        for byte in &mut frames[data..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        frames.extend_from_slice(b"\n\n");
        LiveEvent { seq, event_type, source, frame: start..frames.len(), message }
    }
}

/// Strings, instants and JSON that was read before have a JSON form, so this cannot fail.
fn write_json(value: &impl Serialize, buffer: &mut BytesMut) {
    let _ = serde_json::to_writer(buffer.writer(), value);
}

impl Tail {
    /// Forgets everything and goes on after `at`.
    pub(super) fn begin(&mut self, at: i64) {
        *self = Tail { from: at, to: at, run: self.run + 1, ..Tail::default() };
    }

    /// The number of the last event.
    pub(super) fn to(&self) -> i64 {
        self.to
    }

    /// How often it began anew.
    pub(super) fn run(&self) -> u64 {
        self.run
    }

    /// Takes what comes next, and forgets the oldest beyond so many bytes.
    pub(super) fn push(&mut self, batch: Arc<Batch>, bytes: usize) {
        if batch.after != self.to {
            // It was read for an earlier run.
            return;
        }
        self.to = batch.upto;
        self.bytes += batch.frames.len();
        self.batches.push_back(batch);
        while self.bytes > bytes && self.batches.len() > 1 {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.bytes -= oldest.frames.len();
            self.from = oldest.upto;
        }
    }

    /// What follows a position.
    pub(super) fn after(&self, position: i64) -> Next {
        if self.run == 0 || position < self.from {
            return Next::Gone;
        }
        let next = self.batches.partition_point(|batch| batch.upto <= position);
        self.batches.get(next).map_or(Next::Nothing, |batch| Next::Batch(Arc::clone(batch)))
    }
}

#[cfg(test)]
mod tests;
