//! Which writes leave a row in the audit log, and which are themselves the record.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use rr_keys::{KeyUsage, Outdated};
use serde_json::{Value, json};

use super::*;
use crate::{
    ImportBatch, KeyPatch, LeakPolicy, LeakReport, NewPayout, NewSession, Rotation, SourcePatch,
    Store,
};

/// Who changes what is answered for: these write who, what and when, in their own transaction.
const AUDITED: &[&str] = &[
    "add_source_secret",
    "append_facts",
    "change_agents",
    "change_webhook_source",
    "create_key",
    "create_session",
    "create_user",
    "create_webhook_source",
    "drop_months",
    "end_expired",
    "end_session",
    "expire_events",
    "forget_idempotency",
    "import_batch",
    "load_batch",
    "pay_out",
    "rebuild",
    "rehash_password",
    "remove_webhook_source",
    "report_leaks",
    "retire_source_secret",
    "revoke_key",
    "rotate_key",
    "set_password",
    "update_key",
];

/// An accepted event is a row that says who sent it and when; so is an applied migration, and a table for
/// a month to come is empty. The ledger
/// is worked out from facts, whose coming has its row. Counting a key's uses, noting that a
/// session is in use and noting how far a check is change nothing but that note. Under which pepper a secret stands is
/// said beside its hash, and nothing that its key may changes with it.
const OWN_RECORD: &[&str] = &[
    "accept_events",
    "catch_up",
    "check_facts",
    "migrate",
    "migrate_down",
    "move_secret",
    "prepare_months",
    "rebuild",
    "record_usage",
    "touch_session",
];

/// The methods that hand something to the writer, as the sources have them.
fn writing_methods(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "suite" {
            writing_methods(&path, found);
        } else if path.is_file() && name != "store.rs" {
            let mut method = String::new();
            for line in fs::read_to_string(&path).unwrap().lines() {
                if let Some((_, rest)) = line.split_once("pub async fn ") {
                    method = rest.split(['(', '<']).next().unwrap().to_owned();
                }
                let writes = ["self.write(", "self.write_facts(", "self.push_event("];
                if writes.iter().any(|call| line.contains(call)) {
                    found.insert(method.clone());
                }
            }
        }
    }
}

#[test]
fn every_writing_method_is_one_or_the_other() {
    let mut found = BTreeSet::new();
    writing_methods(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let known: BTreeSet<String> =
        AUDITED.iter().chain(OWN_RECORD).map(|name| (*name).to_owned()).collect();
    assert_eq!(found, known, "a new writing method belongs into one of the lists above");
}

/// Counts the rows that each method added.
struct Log<'a> {
    store: &'a Store,
    rows: i64,
    done: BTreeSet<&'static str>,
}

impl Log<'_> {
    async fn after(&mut self, method: &'static str) {
        let rows = number(self.store, "SELECT count(*) FROM activity_log").await;
        let expected = i64::from(AUDITED.contains(&method));
        assert_eq!(rows - self.rows, expected, "{method}");
        self.rows = rows;
        self.done.insert(method);
    }
}

#[tokio::test]
async fn each_audited_write_leaves_one_row_and_the_others_none() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let mut log = Log { store: &store, rows: 0, done: BTreeSet::new() };

    store.create_user(user(1, "ann@example.com"), audit(1)).await.unwrap();
    log.after("create_user").await;
    store.set_password(id(1), "hash".to_owned(), audit(2)).await.unwrap();
    log.after("set_password").await;
    let (from, to) = ("hash".to_owned(), "better".to_owned());
    assert!(store.rehash_password(id(1), from, to, audit(3)).await.unwrap());
    log.after("rehash_password").await;

    let session = |hash: u8| NewSession {
        token_hash: [hash; 32],
        user_id: id(1),
        idle: Duration::from_secs(600),
        absolute: Duration::from_secs(3_600),
        user_agent: None,
    };
    store.create_session(session(1), audit(4)).await.unwrap();
    log.after("create_session").await;
    store.touch_session([1; 32], at(200)).await.unwrap();
    log.after("touch_session").await;
    assert!(store.end_session([1; 32], audit(201)).await.unwrap());
    log.after("end_session").await;
    store.create_session(session(2), audit(202)).await.unwrap();
    log.after("create_session").await;
    assert_eq!(store.end_expired(audit(100_000)).await.unwrap(), 1);
    log.after("end_expired").await;

    store.create_key(key(1), once("k", 1), audit(5)).await.unwrap();
    log.after("create_key").await;
    let patch = KeyPatch { name: Some("renamed".to_owned()), ..KeyPatch::default() };
    store.update_key(id(1), patch, audit(6)).await.unwrap();
    log.after("update_key").await;
    let rotation = Rotation {
        key_id: id(1),
        hash: key(9).hash,
        hint: "rr_wxyz".to_owned(),
        grace: Duration::ZERO,
        start: crate::RotationStart::Now,
        at_most: None,
    };
    store.rotate_key(rotation, None, audit(7)).await.unwrap();
    log.after("rotate_key").await;
    let last_used = UNIX_EPOCH + Duration::from_secs(1);
    let usage = KeyUsage {
        key_id: id(1),
        count: 1,
        last_used,
        last_address: None,
        permissions: std::collections::BTreeMap::new(),
        superseded: None,
        refused: None,
        quota: None,
    };
    record_usage(&store, vec![usage]).await.unwrap();
    log.after("record_usage").await;
    let way = Outdated { from: key(9).hash.hash, to: key(9).hash.hash };
    assert!(!store.move_secret(way).await.unwrap(), "nothing is newer here");
    log.after("move_secret").await;
    let leak = LeakReport { hashes: vec![key(9).hash.hash], url: None };
    store.report_leaks(vec![leak], LeakPolicy::Notify, audit(8)).await.unwrap();
    log.after("report_leaks").await;
    store.revoke_key(id(1), audit(8)).await.unwrap();
    log.after("revoke_key").await;
    assert_eq!(store.forget_idempotency(at(100), audit(101)).await.unwrap(), 1);
    log.after("forget_idempotency").await;

    store.accept_event(event(1), once("e", 1)).await.unwrap();
    log.after("accept_events").await;
    let days = SourcePatch { retention_days: Some(Some(1)), ..SourcePatch::default() };
    store.change_webhook_source("default".to_owned(), days, audit(9)).await.unwrap();
    log.after("change_webhook_source").await;
    let gone = store.expire_events(None, audit(30 * 86_400)).await.unwrap();
    assert!(gone > 0);
    log.after("expire_events").await;
    store.prepare_months(at(0)).await.unwrap();
    log.after("prepare_months").await;
    // SQLite has no months, so none of them ever goes.
    let dropped = store.drop_months(audit(40 * 86_400)).await.unwrap();
    assert_eq!(dropped, usize::from(on_postgres()));
    if on_postgres() {
        log.after("drop_months").await;
    } else {
        log.done.insert("drop_months");
    }
    store.append_facts(vec![signup(1, 1)], audit(9)).await.unwrap();
    log.after("append_facts").await;
    let batch = ImportBatch { facts: vec![signup(2, 2)], ..ImportBatch::default() };
    store.import_batch(batch, audit(10)).await.unwrap();
    log.after("import_batch").await;
    let batch = ImportBatch { facts: vec![signup(3, 3)], ..ImportBatch::default() };
    store.load_batch(batch, audit(10)).await.unwrap();
    log.after("load_batch").await;
    let payout = NewPayout { id: id(70), as_of: at(10), seq: 0, lines: Vec::new() };
    store.pay_out(payout, once("p", 1), audit(10)).await.unwrap();
    log.after("pay_out").await;
    store.change_agents(|switches| switches.analytics = false, audit(11)).await.unwrap();
    log.after("change_agents").await;
    store.create_webhook_source(source("ci"), audit(12)).await.unwrap();
    log.after("create_webhook_source").await;
    let patch = SourcePatch { enabled: Some(false), ..SourcePatch::default() };
    store.change_webhook_source("ci".to_owned(), patch, audit(13)).await.unwrap();
    log.after("change_webhook_source").await;
    for number in [1, 2] {
        let secret = source_secret(number);
        store.add_source_secret("ci".to_owned(), secret, audit(14)).await.unwrap();
        log.after("add_source_secret").await;
    }
    store.retire_source_secret("ci".to_owned(), id(1), audit(15)).await.unwrap();
    log.after("retire_source_secret").await;
    assert!(store.remove_webhook_source("ci".to_owned(), audit(16)).await.unwrap());
    log.after("remove_webhook_source").await;
    store.migrate().await.unwrap();
    log.after("migrate").await;
    store.catch_up(|_| ()).await.unwrap();
    log.after("catch_up").await;
    store.check_facts(10, at(11)).await.unwrap();
    log.after("check_facts").await;
    store.rebuild(audit(12), |_| ()).await.unwrap();
    log.after("rebuild").await;

    let mut left: BTreeSet<&str> = AUDITED.iter().chain(OWN_RECORD).copied().collect();
    left.retain(|method| !log.done.contains(method));
    // Taking a migration back takes the audit log itself back.
    assert_eq!(left, BTreeSet::from(["migrate_down"]));
}

/// Whoever asks later what a key could do when it was made finds it here, whatever was changed since.
#[tokio::test]
async fn the_row_of_a_new_key_says_all_that_was_decided() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(5)).await.unwrap();
    let patch = KeyPatch { name: Some("renamed".to_owned()), ..KeyPatch::default() };
    store.update_key(id(1), patch, audit(6)).await.unwrap();
    let rows = store.activity(first(2)).await.unwrap().items;
    let detail = |row: usize| -> Value { serde_json::from_str(rows[row].detail.get()).unwrap() };
    assert_eq!(
        detail(1),
        json!({
            "before": null,
            "after": {
                "name": "key 1",
                "owner": "ann",
                "permissions": ["read_metrics", "write_webhooks"],
                "not_before": null,
                "expires_at": at(1_000),
                "rate_limits": [
                    {"name": "default", "limit": 60, "window_s": 60},
                    {"name": "burst", "limit": 60, "window_s": 60},
                ],
                "quotas": {"day": 60},
                "allowed_ips": key(1).record.allowed_ips.to_strings(),
                "metadata": {"team": "growth"},
                "enabled": true,
                "hint": "rr_abcd",
            },
        })
    );
    let renamed = json!({"before": {"name": "key 1"}, "after": {"name": "renamed"}});
    assert_eq!(detail(0), renamed, "a change tells what it names and nothing else");
}

/// What changed nothing leaves no row either.
#[tokio::test]
async fn a_write_that_finds_nothing_to_do_leaves_no_row() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    assert!(!store.set_password(id(1), "hash".to_owned(), audit(1)).await.unwrap());
    let (from, to) = ("hash".to_owned(), "better".to_owned());
    assert!(!store.rehash_password(id(1), from, to, audit(1)).await.unwrap());
    assert!(!store.end_session([1; 32], audit(1)).await.unwrap());
    assert_eq!(store.end_expired(audit(1)).await.unwrap(), 0);
    assert_eq!(store.forget_idempotency(at(1), audit(1)).await.unwrap(), 0);
    assert!(!store.revoke_key(id(1), audit(1)).await.unwrap());
    let unknown = LeakReport { hashes: vec![key(9).hash.hash], url: None };
    store.report_leaks(vec![unknown], LeakPolicy::Disable, audit(1)).await.unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM activity_log").await, 0);
}
