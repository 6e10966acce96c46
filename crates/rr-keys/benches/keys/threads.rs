//! Whether two threads get twice as much done as one.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::keys::{Keys, Random};
use crate::measure::{CALLS, Row, median, per_call};

const TURNS: usize = 9;
const ROUNDS: usize = 400;

/// One thread, then two, in turn. Of the rounds of two only those count during which the other thread got
/// on too, so that a machine with other work does not pass off one thread at a time as two.
pub(crate) fn two_against_one(keys: &Keys, goal: f64) -> Row {
    let (mut one, mut two, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let alone = median(&run(keys, 1, turn));
        let together = median(&run(keys, 2, turn));
        one.push(alone);
        two.push(together);
        ratios.push(2.0 * alone / together);
    }
    let (one, two, ratio) = (median(&one), median(&two), median(&ratios));
    Row::speed_up("two threads: ns per check of each, against one", two, one, ratio, goal)
}

/// Nanoseconds per check, round by round, of all threads together.
fn run(keys: &Keys, threads: usize, turn: usize) -> Vec<f64> {
    let progress: Vec<AtomicU64> = (0..threads).map(|_| AtomicU64::new(0)).collect();
    let barrier = Barrier::new(threads);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|own| {
                let (progress, barrier, over) = (&progress, &barrier, &over);
                scope.spawn(move || {
                    let mut random = Random(u64::try_from(own * TURNS + turn).unwrap() + 1);
                    let order: Vec<usize> = (0..CALLS).map(|_| random.below(keys.len())).collect();
                    let mut rounds = Vec::with_capacity(ROUNDS);
                    barrier.wait();
                    while rounds.len() < ROUNDS && !over.load(Ordering::Relaxed) {
                        let other = &progress[threads - 1 - own];
                        let before = other.load(Ordering::Relaxed);
                        let time = per_call(keys, &order, |text| {
                            assert!(keys.check(black_box(text)), "every key is good");
                        });
                        if threads == 1 || other.load(Ordering::Relaxed) != before {
                            rounds.push(time);
                        }
                        progress[own].fetch_add(1, Ordering::Relaxed);
                    }
                    over.store(true, Ordering::Relaxed);
                    rounds
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}
