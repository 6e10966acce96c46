//! (j) The cost of a verification does not grow with the number of keys. How long one takes is a bench; what
//! it does is counted here.

use allocation_counter::measure;

use super::tools::{block_on, issue, noon, store};
use crate::{Request, Verifier, VerifierOptions};

#[test]
fn a_warm_key_costs_the_same_among_many() {
    const MANY: u64 = 20_000;
    let options = VerifierOptions { capacity: 40_000, ..VerifierOptions::default() };
    for keys in [1, MANY] {
        let verifier = Verifier::new(store(keys), options.clone());
        for n in 0..keys {
            let key = issue(n);
            block_on(verifier.verify(key.secret.expose(), &Request::any(), noon())).unwrap();
        }
        assert_eq!(verifier.store().finds(), keys);
        let asked = [0, keys / 2, keys - 1].map(issue);
        let counted = measure(|| {
            for key in &asked {
                assert!(verifier.check(key.secret.expose(), &Request::any(), noon()).is_some());
            }
        });
        assert_eq!(counted.count_total, 0, "of {keys} keys");
        assert_eq!(verifier.store().finds(), keys, "the store is not asked again");
    }
}
