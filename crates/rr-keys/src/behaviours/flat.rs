//! (j) The cost of a verification does not grow with the number of keys. How long one takes is a bench; what
//! it does is counted here.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};

use allocation_counter::measure;
use uuid::Uuid;

use super::tools::noon;
use crate::verifier::looks;
use crate::{KeyFormat, KeyHash, KeyRecord, KeyStore, Request, Secret, Verifier, VerifierOptions};

/// The tags of two sets and the digest of one entry.
const MOST_LOOKS: u64 = 3;

/// A store in which every key exists, so that a million of them are in memory once and not twice.
#[derive(Default)]
struct Everyone {
    finds: AtomicU64,
}

impl KeyStore for Everyone {
    type Error = Infallible;

    fn find(
        &self,
        hash: KeyHash,
    ) -> impl Future<Output = Result<Option<KeyRecord>, Infallible>> + Send {
        self.finds.fetch_add(1, Ordering::Relaxed);
        let [id, _] = hash.as_bytes().as_chunks().0 else { unreachable!("twice 16 bytes") };
        ready(Ok(Some(KeyRecord::new(Uuid::from_bytes(*id), "", noon()))))
    }
}

/// The `n`-th of a million keys, made with as little work as will do.
fn key(n: u64) -> Secret {
    let fill = |buffer: &mut [u8]| {
        for (chunk, place) in buffer.chunks_mut(8).zip(4 * n..) {
            let word = place.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    };
    KeyFormat::REVENUE_RIPPLE.issue(fill).secret
}

#[test]
fn a_warm_key_costs_the_same_among_a_million() {
    for keys in [1, 1_000, 1_000_000] {
        let capacity = usize::try_from(2 * keys).unwrap();
        let options = VerifierOptions { capacity, ..VerifierOptions::default() };
        let verifier = Verifier::new(Everyone::default(), options);
        let request = Request::any();
        for key in (0..keys).map(key) {
            let mut verified = pin!(verifier.verify(key.expose(), &request, noon()));
            let at_once = verified.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(at_once.is_ready(), "this store keeps nobody waiting");
        }
        let finds = || verifier.store().finds.load(Ordering::Relaxed);
        assert_eq!(finds(), keys);
        for key in [0, keys / 3, keys / 2, keys - 1].map(key) {
            let before = looks();
            let counted = measure(|| {
                let text = key.expose();
                assert!(verifier.check(text, &request, noon()).is_some());
            });
            assert_eq!(counted.count_total, 0, "of {keys} keys");
            let looked = looks() - before;
            assert!((2..=MOST_LOOKS).contains(&looked), "{looked} looks among {keys} keys");
        }
        assert_eq!(finds(), keys, "the store is not asked again");
    }
}
