//! (l) A pepper can be changed without killing a key.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};

use super::tools::{block_on, issue, noon, record};
use crate::memory::MemoryStore;
use crate::{HashScheme, KeyHash, KeyRecord, KeyStore, Request, Verifier, VerifierOptions};

#[test]
fn pepper_rotation_keeps_old_keys_valid() {
    let old = HashScheme::hmac_sha256(b"the pepper of last year").unwrap();
    let new = HashScheme::hmac_sha256(b"the pepper of this year").unwrap();
    let blake3 = HashScheme::blake3([7; 32]);
    let store = MemoryStore::new();
    let text = |n| issue(n).secret.expose().to_owned();
    store.insert(new.hash(&text(0)), record(0));
    store.insert(old.hash(&text(1)), record(1));
    store.insert(issue(2).hash, record(2));
    store.insert(HashScheme::sha512().hash(&text(3)), record(3));
    store.insert(blake3.hash(&text(4)), record(4));
    let options = VerifierOptions {
        scheme: new.clone(),
        older_schemes: vec![old, HashScheme::sha256(), HashScheme::sha512(), blake3],
        ..VerifierOptions::default()
    };
    let verifier = Verifier::new(store, options);
    let verify = |n| block_on(verifier.verify(&text(n), &Request::any(), noon()));
    for n in 0..5 {
        for _ in 0..10 {
            assert_eq!(verify(n).unwrap().key_id(), record(n).id);
        }
    }
    assert_eq!(verifier.store().finds(), 1 + 2 + 3 + 4 + 5, "one look-up for each scheme, once");
    assert!(verify(9).is_err());

    // Each key found under an older scheme says how to move it; then the old pepper can go.
    assert_eq!(verify(0).unwrap().outdated(), None);
    for n in 1..5 {
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

/// The store of another server's key, which that server moves right after the first question about it.
struct Moving {
    from: KeyHash,
    to: KeyHash,
    asked: AtomicU32,
}

impl KeyStore for Moving {
    type Error = Infallible;

    async fn find(&self, hash: KeyHash) -> Result<Option<KeyRecord>, Infallible> {
        let stands =
            if self.asked.fetch_add(1, Ordering::Relaxed) == 0 { self.from } else { self.to };
        Ok((hash == stands).then(|| record(0)))
    }
}

#[test]
fn a_key_that_moves_while_it_is_looked_for_is_found_where_the_newest_stands_last_too() {
    let new = HashScheme::hmac_sha256(b"the pepper of this year").unwrap();
    let text = issue(0).secret.expose().to_owned();
    for older_schemes in [vec![HashScheme::sha256()], vec![HashScheme::sha256(), new.clone()]] {
        let is_found = older_schemes.len() > 1;
        let options =
            VerifierOptions { scheme: new.clone(), older_schemes, ..VerifierOptions::default() };
        let asked = AtomicU32::new(0);
        let store = Moving { from: issue(0).hash, to: new.hash(&text), asked };
        let verifier = Verifier::new(store, options);
        let verified = block_on(verifier.verify(&text, &Request::any(), noon()));
        assert_eq!(verified.is_ok(), is_found);
        if let Ok(grant) = verified {
            let way = grant.outdated().unwrap();
            assert_eq!(way.from, way.to, "there is nothing left to move");
        }
    }
}

/// Nobody who stores what he is told to store gets a key that no verifier finds.
#[test]
fn a_new_key_is_found_under_whatever_scheme_the_verifier_has() {
    for scheme in [
        HashScheme::sha256(),
        HashScheme::sha512(),
        HashScheme::hmac_sha256(b"the pepper of this year").unwrap(),
        HashScheme::blake3(*b"the pepper of this year, 32 long"),
    ] {
        let options = VerifierOptions { scheme, ..VerifierOptions::default() };
        let verifier = Verifier::new(MemoryStore::new(), options);
        let issued = verifier.format().issue(|buffer| buffer.fill(7));
        verifier.store().insert(issued.hash(verifier.scheme()), record(0));
        let text = issued.secret.expose();
        let grant = block_on(verifier.verify(text, &Request::any(), noon()));
        assert_eq!(grant.unwrap().outdated(), None, "{:?}", verifier.scheme());
        let parsed = verifier.format().parse(text).unwrap();
        assert_eq!(parsed.hash(verifier.scheme()), issued.hash(verifier.scheme()));
    }
}
