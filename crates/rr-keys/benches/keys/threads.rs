//! Whether two threads get twice as much done as one.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::keys::{Keys, Random};
use crate::measure::{Row, low_tenth, per_call};

/// About a millisecond, within which a thread that has a processor mostly keeps it.
const CALLS: usize = 5_000;
const TURNS: usize = 1_000;

/// One thread, then two that start together, in turn; a turn of two lasts as long as the slower one.
///
/// Taken from the best tenth of the turns on both sides: two threads can only be compared with one while
/// nobody else wants the second processor.
pub(crate) fn two_against_one(keys: &Keys, goal: f64) -> Row {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        one.push(slowest(keys, 1, turn));
        two.push(slowest(keys, 2, turn));
    }
    let (one, two) = (low_tenth(&one), low_tenth(&two));
    Row::speed_up("two threads on 64 keys: ns of each / of one", two, one, 2.0 * one / two, goal)
}

/// Nanoseconds per check of the slowest of `threads`.
fn slowest(keys: &Keys, threads: usize, turn: usize) -> f64 {
    let waiting = AtomicUsize::new(threads);
    let work = |own: usize| {
        let mut random = Random(u64::try_from(own * TURNS + turn).unwrap() + 1);
        let order: Vec<usize> = (0..CALLS).map(|_| random.below(keys.len())).collect();
        // Awake when the other comes: a thread that sleeps begins late.
        waiting.fetch_sub(1, Ordering::AcqRel);
        while waiting.load(Ordering::Acquire) > 0 {
            spin_loop();
        }
        per_call(keys, &order, |text| {
            assert!(keys.check(black_box(text)), "every key is good");
        })
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|own| {
                scope.spawn({
                    let work = &work;
                    move || work(own)
                })
            })
            .collect();
        let own = work(0);
        others.into_iter().map(|other| other.join().unwrap()).fold(own, f64::max)
    })
}
