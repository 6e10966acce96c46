//! (j) The cost of a verification does not grow with the number of keys. How long one takes is a bench; what
//! it does is counted here.

use allocation_counter::measure;

use super::tools::{block_on, issue, noon, store};
use crate::verifier::looks;
use crate::{Request, Verifier, VerifierOptions};

/// The tags of two sets and the digest of one entry.
const MOST_LOOKS: u64 = 3;

#[test]
fn a_warm_key_costs_the_same_among_many() {
    const MANY: u64 = 100_000;
    let options = VerifierOptions { capacity: 200_000, ..VerifierOptions::default() };
    for keys in [1, MANY] {
        let verifier = Verifier::new(store(keys), options.clone());
        for n in 0..keys {
            let key = issue(n);
            block_on(verifier.verify(key.secret.expose(), &Request::any(), noon())).unwrap();
        }
        assert_eq!(verifier.store().finds(), keys);
        for key in [0, keys / 3, keys / 2, keys - 1].map(issue) {
            let before = looks();
            let counted = measure(|| {
                let text = key.secret.expose();
                assert!(verifier.check(text, &Request::any(), noon()).is_some());
            });
            assert_eq!(counted.count_total, 0, "of {keys} keys");
            let looked = looks() - before;
            assert!((2..=MOST_LOOKS).contains(&looked), "{looked} looks among {keys} keys");
        }
        assert_eq!(verifier.store().finds(), keys, "the store is not asked again");
    }
}
