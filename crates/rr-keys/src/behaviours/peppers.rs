//! (l) A pepper can be changed without killing a key.

use super::tools::{block_on, issue, noon, record};
use crate::memory::MemoryStore;
use crate::{HashScheme, Request, Verifier, VerifierOptions};

#[test]
fn pepper_rotation_keeps_old_keys_valid() {
    let old = HashScheme::hmac_sha256(b"the pepper of last year");
    let new = HashScheme::hmac_sha256(b"the pepper of this year");
    let store = MemoryStore::new();
    let text = |n| issue(n).secret.expose().to_owned();
    store.insert(new.hash(&text(0)), record(0));
    store.insert(old.hash(&text(1)), record(1));
    store.insert(issue(2).hash, record(2));
    store.insert(HashScheme::sha512().hash(&text(3)), record(3));
    let options = VerifierOptions {
        schemes: vec![new.clone(), old.clone(), HashScheme::sha256(), HashScheme::sha512()],
        ..VerifierOptions::default()
    };
    let verifier = Verifier::new(store, options);
    let verify = |n| block_on(verifier.verify(&text(n), &Request::any(), noon()));
    for n in 0..4 {
        for _ in 0..10 {
            assert_eq!(verify(n).unwrap().key_id(), record(n).id);
        }
    }
    assert_eq!(verifier.store().finds(), 1 + 2 + 3 + 4, "one look-up for each scheme, once");
    assert!(verify(9).is_err());

    // Each key found under an older scheme says how to move it; then the old pepper can go.
    assert_eq!(verify(0).unwrap().outdated(), None);
    for n in 1..4 {
        let outdated = verify(n).unwrap().outdated().unwrap();
        assert_eq!(outdated.to, new.hash(&text(n)));
        verifier.store().insert(outdated.to, record(n));
        verifier.forget(record(n).id);
        assert_eq!(verify(n).unwrap().outdated(), None);
    }
}

#[test]
fn a_key_under_a_scheme_that_is_not_named_is_unknown() {
    let store = MemoryStore::new();
    store.insert(HashScheme::sha512().hash(issue(0).secret.expose()), record(0));
    let verifier = Verifier::new(store, VerifierOptions::default());
    assert!(block_on(verifier.verify(issue(0).secret.expose(), &Request::any(), noon())).is_err());
}
