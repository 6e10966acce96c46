//! The tail against a plain list of events.

use rr_domain::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::*;

fn row(seq: i64, data: &str) -> EventRow {
    EventRow {
        id: Uuid::from_u128(1),
        seq,
        key_id: None,
        event_type: format!("type-{seq}"),
        source: "a test".to_owned(),
        occurred_at: None,
        received_at: Timestamp::EPOCH,
        data: RawValue::from_string(data.to_owned()).unwrap(),
        webhook_source: None,
    }
}

fn ids(frames: &[u8]) -> Vec<i64> {
    let text = std::str::from_utf8(frames).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .map(|id| id.parse().unwrap())
        .collect()
}

#[test]
fn a_frame_is_three_lines_and_an_empty_one_whatever_the_event_looks_like() {
    let batches = Batch::of(6, vec![row(7, "{\r\n \"a\":\t\"b\\nc\",\r\"d\": 1.50\n}")]);
    let text = String::from_utf8(batches[0].frames_after(6).to_vec()).unwrap();
    let [id, kind, data, "", ""] = text.split('\n').collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    assert_eq!((id, kind), ("id: 7", "event: event"));
    assert!(!text.contains('\r'));
    let data: serde_json::Value =
        serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(data["data"]["a"], "b\nc");
    assert_eq!(data["event_type"], "type-7");
    assert!(text.contains("\"d\": 1.50"), "numbers stay as they were sent");
}

#[test]
fn large_events_come_one_at_a_time_and_small_ones_together() {
    let large = format!("\"{}\"", "x".repeat(BATCH_BYTES));
    let rows = vec![row(1, "1"), row(2, "2"), row(3, &large), row(4, &large), row(9, "9")];
    let batches = Batch::of(0, rows);
    let bounds: Vec<_> = batches.iter().map(|batch| (batch.after, batch.upto)).collect();
    assert_eq!(bounds, [(0, 3), (3, 4), (4, 9)]);
    assert!(Batch::of(5, Vec::new()).is_empty());
}

/// From every position a reader gets exactly what follows, or is told that it is gone.
#[test]
fn every_position_is_served_exactly_or_not_at_all() {
    for room in [1, 400, 2_000, 1_000_000] {
        let mut tail = Tail::default();
        assert!(matches!(tail.after(0), Next::Gone), "nobody has read anything yet");
        tail.begin(10);
        // Numbers may be missing: events are deleted when they are old enough.
        let all: Vec<i64> = (11..60).filter(|seq| seq % 7 != 0).collect();
        for part in all.chunks(5) {
            let rows = part.iter().map(|seq| row(*seq, "{}")).collect();
            for batch in Batch::of(tail.to(), rows) {
                tail.push(Arc::new(batch), room);
            }
        }
        let (mut served, mut refused) = (0, 0);
        for position in 0..70 {
            let (mut at, mut seen) = (position, Vec::new());
            let gone = loop {
                match tail.after(at) {
                    Next::Batch(batch) => {
                        seen.extend(ids(&batch.frames_after(at)));
                        at = batch.upto();
                    }
                    Next::Nothing => break false,
                    Next::Gone => break true,
                }
            };
            let expected: Vec<i64> = all.iter().copied().filter(|seq| *seq > position).collect();
            match gone {
                true => assert!(seen.is_empty() && (position < 10 || room < 1_000_000)),
                false => assert_eq!(seen, expected, "from {position} with room for {room}"),
            }
            served += usize::from(!gone);
            refused += usize::from(gone);
        }
        assert!(served >= 10 && refused >= 10, "{served} {refused}");
        assert!(room == 1 || tail.bytes <= room.max(1_000));
    }
}

/// A reader is handed a part of what was written once, and nothing of its own.
#[test]
fn all_readers_are_handed_the_same_bytes() {
    let mut tail = Tail::default();
    tail.begin(0);
    let batch = Batch::of(0, (1..50).map(|seq| row(seq, "{}")).collect()).remove(0);
    let written = batch.frames.as_ptr_range();
    tail.push(Arc::new(batch), 1 << 20);
    for position in (0..49).cycle().take(1_000) {
        let Next::Batch(batch) = tail.after(position) else { panic!("it is there") };
        let frames = batch.frames_after(position);
        assert!(written.contains(&frames.as_ptr()), "from {position}");
        assert_eq!(frames.as_ptr_range().end, written.end);
    }
}

#[test]
fn what_was_read_for_an_earlier_run_is_not_taken() {
    let mut tail = Tail::default();
    tail.begin(10);
    let late = Batch::of(10, vec![row(11, "{}")]).remove(0);
    tail.begin(40);
    tail.push(Arc::new(late), 1_000);
    assert_eq!((tail.from, tail.to, tail.run()), (40, 40, 2));
    assert!(matches!(tail.after(10), Next::Gone));
    assert!(matches!(tail.after(40), Next::Nothing));
}
