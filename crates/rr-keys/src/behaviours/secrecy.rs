//! (m) The plain secret appears in no `Debug` output and no error.

use std::time::Duration;

use super::tools::{BrokenStore, block_on, issue, noon, record, store};
use crate::{KeyRecord, Request, Verifier, VerifierOptions};

#[test]
fn nothing_that_can_be_printed_holds_the_secret() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let broken = Verifier::new(BrokenStore::default(), VerifierOptions::default());
    let (good, unknown) = (issue(0), issue(1));
    let mut printed = vec![format!("{good:?} {:#?} {:?}", good.secret, good.hash)];
    for key in [&good, &unknown] {
        let text = key.secret.expose();
        for presented in [text, &text[..38], &text[..20]] {
            let result = block_on(verifier.verify(presented, &Request::requires("no"), noon()));
            printed.push(format!("{result:?}"));
            printed.extend(result.err().map(|error| format!("{error} {error:#?}")));
            let parsed = verifier.format().parse(presented);
            printed.push(format!("{parsed:?}"));
            printed.extend(parsed.err().map(|error| error.to_string()));
        }
        let error = block_on(broken.verify(text, &Request::any(), noon())).unwrap_err();
        printed.push(format!("{error} {error:?}"));
    }
    let grant = block_on(verifier.verify(good.secret.expose(), &Request::any(), noon())).unwrap();
    printed.push(format!(
        "{grant:?} {:?} {verifier:?} {:?}",
        grant.record(),
        verifier.take_usage()
    ));
    let all = printed.join("\n");
    for key in [&good, &unknown] {
        // Any five characters after the public hint would be a leak.
        let private = &key.secret.expose()[key.hint.len()..];
        for at in 0..private.len() - 5 {
            assert!(!all.contains(&private[at..at + 5]), "{}", &private[at..at + 5]);
        }
    }
}

#[test]
fn malformed_and_unknown_cannot_be_told_apart() {
    let verifier = Verifier::new(store(0), VerifierOptions::default());
    let unknown = issue(1);
    let said = |text: &str| match block_on(verifier.verify(text, &Request::any(), noon())) {
        Err(crate::VerifyError::Denied(d)) => (d.code(), d.http_status(), d.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(said(unknown.secret.expose()), said("nonsense"));
}

#[test]
fn what_matched_may_say_why_it_does_not_work() {
    let store = store(0);
    for (n, change) in [
        (0, (|r| r.enabled = false) as fn(&mut KeyRecord)),
        (1, |r| r.revoked_at = Some(noon())),
        (2, |r| r.expires_at = Some(noon())),
        (3, |r| r.not_before = Some(noon() + Duration::from_secs(1))),
        (4, |r| r.secret_ends_at = Some(noon())),
    ] {
        let mut record = record(n);
        change(&mut record);
        store.insert(issue(n).hash, record);
    }
    let verifier = Verifier::new(store, VerifierOptions::default());
    let codes: Vec<_> = (0..5)
        .map(|n| {
            match block_on(verifier.verify(issue(n).secret.expose(), &Request::any(), noon())) {
                Err(crate::VerifyError::Denied(denial)) => {
                    assert_eq!(denial.http_status(), 401);
                    denial.code()
                }
                other => panic!("{other:?}"),
            }
        })
        .collect();
    assert_eq!(
        codes,
        ["key_disabled", "key_revoked", "key_expired", "key_not_yet_valid", "key_superseded"]
    );
}
