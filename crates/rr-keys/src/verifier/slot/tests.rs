//! What a slot counts, and for whom.

use super::*;
use crate::KeyRecord;
use crate::verifier::spot::Spot;

/// A key that is open to everybody, with two permissions.
fn entry(n: u128) -> Arc<Entry> {
    let permissions = ["read", "write"].into_iter().collect();
    let key = KeyRecord::new(Uuid::from_u128(n), "k", SystemTime::UNIX_EPOCH);
    Arc::new(Entry::new(Spot::NONE, KeyRecord { permissions, ..key }.into(), None, 0))
}

fn digest(n: u128) -> Digest {
    Digest::of(&n.to_string())
}

fn slot_with(n: u128) -> Slot {
    let slot = Slot::new(&Arc::new(Entry::vacant()));
    slot.replace(entry(n), &digest(n), None);
    slot
}

fn used_at(us: u64) -> Use {
    let now = Instant { nanoseconds: us * 1_000, seconds: us / 1_000_000 };
    let address = Some(IpAddr::from([10, 0, 0, 1]));
    Use { permission: Some(1), now, address, print: 7 }
}

#[test]
fn a_use_is_counted_with_its_permission_time_and_address() {
    let slot = slot_with(1);
    let seen = slot.look(&digest(1)).unwrap();
    assert_eq!(seen.key_id, Uuid::from_u128(1));
    assert_eq!(slot.count(&seen, used_at(5)), Counted::Here);
    assert_eq!(slot.count(&seen, Use { permission: None, ..used_at(3) }), Counted::Here);
    let usage = slot.take_usage().unwrap();
    assert_eq!((usage.key_id, usage.count), (Uuid::from_u128(1), 2));
    assert_eq!(usage.permissions, [("write".to_owned(), 1)].into());
    assert_eq!(usage.last_used, SystemTime::UNIX_EPOCH + Duration::from_micros(5));
    assert_eq!(usage.last_address, Some(IpAddr::from([10, 0, 0, 1])));
    assert_eq!(slot.take_usage(), None, "handed out once");
}

/// What a reader does that was paused after it had looked.
#[test]
fn a_use_that_was_overtaken_leaves_no_trace_at_the_key_that_came() {
    let slot = slot_with(1);
    let seen = slot.look(&digest(1)).unwrap();
    slot.count(&seen, used_at(1));
    let (gone, usage) = slot.replace(entry(2), &digest(2), None);
    assert_eq!((gone.record().id, usage.unwrap().count), (Uuid::from_u128(1), 1));
    assert!(!slot.is_still(&seen));
    assert!(slot.lend(&seen).is_none());
    assert!(slot.look(&digest(1)).is_none());
    assert_eq!(slot.count(&seen, used_at(9)), Counted::Overtaken);
    // Paused before or after the count.
    assert!(!slot.note_time(&seen, used_at(9).now));
    slot.note_address(&seen, used_at(9).address, word(seen.version, 7));
    assert_eq!(slot.take_usage(), None);
    let newer = slot.look(&digest(2)).unwrap();
    let elsewhere = Some(IpAddr::from([10, 0, 0, 2]));
    slot.count(&newer, Use { address: elsewhere, print: 8, ..used_at(4) });
    let usage = slot.take_usage().unwrap();
    assert_eq!(usage.last_used, SystemTime::UNIX_EPOCH + Duration::from_micros(4));
    assert_eq!(usage.last_address, elsewhere);
}

/// Only a part of the version stands beside the time.
#[test]
fn a_time_of_before_is_not_taken_for_a_later_one_when_the_version_turns() {
    let slot = slot_with(1);
    while slot.look(&digest(1)).unwrap().version % 4_096 != 4_094 {
        slot.replace(entry(1), &digest(1), None);
    }
    let seen = slot.look(&digest(1)).unwrap();
    slot.replace(entry(2), &digest(2), None);
    assert!(!slot.note_time(&seen, used_at(9).now));
    slot.count(&slot.look(&digest(2)).unwrap(), used_at(4));
    let usage = slot.take_usage().unwrap();
    assert_eq!(usage.last_used, SystemTime::UNIX_EPOCH + Duration::from_micros(4));
}

/// The time is there before the count is: who takes a use never finds it without one.
#[test]
fn a_use_is_never_taken_without_its_time() {
    let slot = slot_with(1);
    std::thread::scope(|scope| {
        let user = scope.spawn(|| {
            for n in 1..=20_000 {
                let seen = slot.look(&digest(1)).unwrap();
                slot.count(&seen, used_at(n));
            }
        });
        let mut last = SystemTime::UNIX_EPOCH;
        while !user.is_finished() {
            if let Some(usage) = slot.take_usage() {
                assert!(usage.last_used > last, "{usage:?}");
                last = usage.last_used;
            }
        }
    });
}

#[test]
fn a_newer_record_of_the_same_key_overtakes_too() {
    let slot = slot_with(1);
    let seen = slot.look(&digest(1)).unwrap();
    slot.replace(entry(1), &digest(1), None);
    assert_eq!(slot.count(&seen, used_at(1)), Counted::Overtaken);
    let newer = slot.look(&digest(1)).unwrap();
    assert_eq!(slot.count(&newer, used_at(1)), Counted::Here);
}

#[test]
fn a_counter_that_is_missing_or_full_counts_nothing() {
    let slot = slot_with(1);
    let seen = slot.look(&digest(1)).unwrap();
    let fifth = Use { permission: Some(COUNTERS - 1), ..used_at(1) };
    assert_eq!(slot.count(&seen, fifth), Counted::NotHere);
    let full = word(seen.version, u32::MAX);
    slot.counts[2].store(full, Ordering::Relaxed);
    assert_eq!(slot.count(&seen, used_at(1)), Counted::NotHere);
    assert_eq!(slot.counts[2].load(Ordering::Relaxed), full, "and the version is as it was");
}

#[test]
fn the_last_address_follows_every_change_and_not_an_earlier_use() {
    let slot = slot_with(1);
    let seen = slot.look(&digest(1)).unwrap();
    for (time_us, from, last) in [(1, 1, 1), (2, 2, 2), (3, 1, 1), (2, 3, 1), (3, 2, 2)] {
        let address = |n| Some(IpAddr::from([10, 0, 0, n]));
        slot.count(&seen, Use { address: address(from), print: from.into(), ..used_at(time_us) });
        assert_eq!(slot.take_usage().unwrap().last_address, address(last), "at {time_us}");
    }
}
