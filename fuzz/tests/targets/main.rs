//! Drives every target with its seeds and with seeded damages of them: the same on every run.
//!
//! A seed whose name begins with `no-` has to be refused, every other has to be taken.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod damage;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use damage::{Numbers, damage};
use rr_fuzz::{TARGETS, Target};

/// Damages of each target, spread over its seeds.
const ROUNDS: usize = 1_500;

struct Seed {
    name: String,
    bytes: Vec<u8>,
}

fn seeds(target: &Target) -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut seeds: Vec<Seed> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| Seed {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            bytes: fs::read(&path).unwrap(),
        })
        .collect();
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    seeds
}

fn run(target: &Target, bytes: &[u8]) -> bool {
    let (run, owned) = (target.run, bytes.to_vec());
    catch_unwind(move || run(&owned)).unwrap_or_else(|_| {
        panic!("{} breaks a law with {:?}", target.name, String::from_utf8_lossy(bytes))
    })
}

#[test]
fn every_seed_is_taken_or_refused_as_its_name_says() {
    for target in TARGETS {
        for seed in seeds(target) {
            let taken = run(target, &seed.bytes);
            assert_eq!(taken, !seed.name.starts_with("no-"), "{}/{}", target.name, seed.name);
        }
    }
}

#[test]
fn no_damage_breaks_a_law() {
    let mut numbers = Numbers::new(0x005e_ed0f_ca5e_0001);
    for target in TARGETS {
        let seeds = seeds(target);
        let (mut taken, mut refused) = (0, 0);
        for round in 0..ROUNDS {
            let mut bytes = seeds[round % seeds.len()].bytes.clone();
            for _ in 0..=numbers.below(4) {
                damage(&mut bytes, &mut numbers);
            }
            match run(target, &bytes) {
                true => taken += 1,
                false => refused += 1,
            }
        }
        assert!(refused > 100, "{}: {taken} taken, {refused} refused: no damage", target.name);
        // What is signed with a key that is not ours, or guarded by check digits, survives no damage.
        let fragile = ["alerts", "alert_keys", "key_text"].contains(&target.name);
        assert!(fragile || taken > 20, "{}: {taken} taken, all broken", target.name);
    }
}

#[test]
fn every_folder_of_seeds_has_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(TARGETS.iter().any(|target| target.name == name), "{name} is no target");
    }
}
