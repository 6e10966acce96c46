//! Users, sessions, settings, import.

use std::time::Duration;

use rr_domain::Label;

use super::*;
use crate::{AgentSwitches, CreateUser, ImportBatch, NewActivity, NewSession, NewUser};

fn administrator(number: u128, email: &str) -> NewUser {
    NewUser { role: Label::ADMIN, ..user(number, email) }
}

#[tokio::test]
async fn a_user_is_made_once_with_its_fact_and_signs_in_by_password() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    assert!(store.is_empty().await.unwrap());
    let made = store.create_user(administrator(1, "Ann@Example.com"), audit(1)).await.unwrap();
    assert_eq!(made, CreateUser::Created);
    for (number, email) in [(2, "ANN@example.COM"), (1, "other@example.com")] {
        let again = store.create_user(user(number, email), audit(2)).await.unwrap();
        assert_eq!(again, CreateUser::EmailTaken(id(1)), "{email}");
    }
    assert!(!store.is_empty().await.unwrap());
    assert_eq!(store.facts_version().await.unwrap(), 1);
    assert_eq!(audited(&store, "user.created").await, 1);
    assert!(!store.can_anyone_sign_in().await.unwrap());
    assert!(store.find_login("ann@example.com".to_owned()).await.unwrap().is_none());
    assert!(store.set_password(id(1), "$argon2id$x".to_owned(), audit(3)).await.unwrap());
    assert!(!store.set_password(id(9), "$argon2id$x".to_owned(), audit(3)).await.unwrap());
    assert!(store.can_anyone_sign_in().await.unwrap());
    let login = store.find_login("aNN@example.com".to_owned()).await.unwrap().unwrap();
    assert_eq!((login.id, login.role, login.status), (id(1), Label::ADMIN, Label::ACTIVE));
    assert_eq!(login.password_hash, "$argon2id$x");
    let row = store.user_by_email("ANN@EXAMPLE.COM".to_owned()).await.unwrap().unwrap();
    assert!(row.has_password);
    assert_eq!(store.user(id(1)).await.unwrap(), Some(row));
    assert_eq!(audited(&store, "user.password_set").await, 1);
}

#[tokio::test]
async fn a_session_lives_until_idle_or_absolute_end() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_user(administrator(1, "ann@example.com"), audit(0)).await.unwrap();
    let token = [5; 32];
    let session = NewSession {
        token_hash: token,
        user_id: id(1),
        idle: Duration::from_secs(1_800),
        absolute: Duration::from_secs(4_000),
        user_agent: Some("browser".to_owned()),
    };
    store.create_session(session.clone(), audit(0)).await.unwrap();
    let alive = async |seconds| store.session(token, at(seconds)).await.unwrap();
    let row = alive(0).await.unwrap();
    assert_eq!(
        (row.user_id, row.email.as_str(), row.role),
        (id(1), "ann@example.com", Label::ADMIN)
    );
    assert_eq!((row.expires_at, row.last_seen_at), (at(4_000), at(0)));
    assert_eq!(row.address, Some("127.0.0.1".parse().unwrap()));
    assert!(alive(1_799).await.is_some());
    assert!(alive(1_800).await.is_none(), "idle");
    store.touch_session(token, at(30)).await.unwrap();
    assert_eq!(alive(30).await.unwrap().last_seen_at, at(0), "not every request writes");
    store.touch_session(token, at(1_700)).await.unwrap();
    assert_eq!(alive(3_499).await.unwrap().last_seen_at, at(1_700));
    store.touch_session(token, at(3_400)).await.unwrap();
    assert!(alive(3_999).await.is_some());
    assert!(alive(4_000).await.is_none(), "absolute");
    store.touch_session(token, at(4_001)).await.unwrap();
    assert!(alive(4_001).await.is_none(), "nothing revives a session");
    assert_eq!(store.end_expired(audit(3_999)).await.unwrap(), 0);
    assert_eq!(store.end_expired(audit(4_000)).await.unwrap(), 1);
    assert!(alive(1).await.is_none());

    store.create_session(session.clone(), audit(0)).await.unwrap();
    assert!(store.end_session(token, audit(1)).await.unwrap());
    assert!(!store.end_session(token, audit(1)).await.unwrap());
    assert_eq!(audited(&store, "session.ended").await, 1);

    store.create_session(session, audit(0)).await.unwrap();
    store.set_password(id(1), "$argon2id$y".to_owned(), audit(1)).await.unwrap();
    assert!(alive(1).await.is_none(), "a new password ends the sessions");
}

#[tokio::test]
async fn switches_are_on_until_set() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    assert_eq!(store.agents().await.unwrap(), AgentSwitches::default());
    for ab_testing in [false, true, false] {
        let set = move |switches: &mut AgentSwitches| switches.ab_testing = ab_testing;
        let switches = AgentSwitches { ab_testing, ..AgentSwitches::default() };
        assert_eq!(store.change_agents(set, audit(1)).await.unwrap(), switches);
        assert_eq!(store.agents().await.unwrap(), switches);
    }
    assert_eq!(audited(&store, "settings.agents_set").await, 3);
}

#[tokio::test]
async fn switches_set_at_once_are_all_set() {
    let database = TestDatabase::new();
    let one = database.migrated().await;
    let two = database.open();
    let (first, second, third) = tokio::join!(
        one.change_agents(|switches| switches.ab_testing = false, audit(1)),
        two.change_agents(|switches| switches.analytics = false, audit(2)),
        one.change_agents(|switches| switches.deployment = false, audit(3)),
    );
    for changed in [first, second, third] {
        changed.unwrap();
    }
    let expected = AgentSwitches {
        ab_testing: false,
        analytics: false,
        deployment: false,
        ..AgentSwitches::default()
    };
    assert_eq!(one.agents().await.unwrap(), expected);
}

#[tokio::test]
async fn importing_twice_changes_nothing() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let old = NewActivity {
        id: id(500),
        at: at(-900),
        actor: "imported".to_owned(),
        action: "login".to_owned(),
        subject: None,
        detail: raw("{}"),
    };
    let people = 7_000_u128;
    let batch = ImportBatch {
        users: (0..people).map(|n| user(n, &format!("u{n}@example.com"))).collect(),
        facts: (0..people).map(|n| signup(n, 5)).chain([signup(1, 5)]).collect(),
        recorded: vec![(at(6), signup(people, 5)), (at(7), signup(people, 5))],
        keys: vec![key(1), key(2), key(2)],
        events: vec![event(1), event(2), event(2)],
        activity: vec![old],
    };
    let counts = store.import_batch(batch.clone(), audit(1)).await.unwrap();
    assert_eq!((counts.users, counts.facts), (7_000, 7_001));
    assert_eq!((counts.keys, counts.events, counts.activity), (2, 2, 1));
    let again = store.import_batch(batch, audit(2)).await.unwrap();
    assert_eq!(again, crate::ImportCounts::default());
    // The second one of the same was number two.
    assert_eq!(store.facts_version().await.unwrap(), 7_002);
    assert_eq!(audited(&store, "data.imported").await, 1);
    assert_eq!(store.activity(first(10)).await.unwrap().items[1].actor, "imported");
}

#[tokio::test]
async fn an_imported_user_whose_email_is_taken_stays_out_with_its_fact() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_user(user(1, "ann@example.com"), audit(1)).await.unwrap();
    let batch = ImportBatch {
        users: vec![user(2, "ANN@example.com"), user(3, "bob@example.com")],
        facts: vec![signup(2, 1), signup(3, 1)],
        ..ImportBatch::default()
    };
    let counts = store.import_batch(batch, audit(2)).await.unwrap();
    assert_eq!((counts.users, counts.facts, counts.emails_taken), (1, 1, vec![id(2)]));
    let figures = store.fold_facts(at(100)).await.unwrap();
    assert_eq!(figures.users.total_users, 2);
}
