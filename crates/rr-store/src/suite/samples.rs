//! Values for tests.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rr_domain::{Fact, FactKind, Label, Timestamp};
use rr_keys::{AllowList, KeyHash, KeyRecord, KeyUsage, RateLimit};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::conn::on_each;
use crate::{
    Actor, Audit, Chore, Idempotency, NewEvent, NewKey, NewSourceSecret, NewUser, PageRequest,
    SecretHash, Store, StoreError, UsageBatch, WebhookSource,
};

/// A moment, some seconds into 2026.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_225_600 + seconds).unwrap()
}

pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub(super) fn audit(seconds: i64) -> Audit {
    Audit {
        at: at(seconds),
        actor: Actor::CommandLine,
        request_id: Some("req-1".to_owned()),
        address: Some("127.0.0.1".parse().unwrap()),
    }
}

/// Writes uses that nobody has handed in before.
pub(super) async fn record_usage(store: &Store, usage: Vec<KeyUsage>) -> Result<(), StoreError> {
    static WRITERS: AtomicU64 = AtomicU64::new(1_000_000);
    let writer = id(WRITERS.fetch_add(1, Ordering::Relaxed).into());
    store.record_usage(UsageBatch { writer, number: 1, at: at(0), usage }).await
}

pub(super) fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

pub(super) fn event(number: u128) -> NewEvent {
    NewEvent {
        id: id(number),
        key_id: Some(id(7)),
        webhook_source: None,
        received_at: at(i64::try_from(number).unwrap()),
        occurred_at: None,
        event_type: "deployment".to_owned(),
        source: "ci".to_owned(),
        meaning: rr_webhooks::Meaning::Other,
        data: raw(r#"{"version":"1.2.3"}"#),
        content_type: "application/json".to_owned(),
        body: br#"{"version":"1.2.3"}"#.to_vec(),
    }
}

/// A source of webhooks without secrets.
pub(super) fn source(name: &str) -> WebhookSource {
    WebhookSource {
        name: name.to_owned(),
        id: Some(id(900 + u128::from(name.as_bytes()[0]))),
        format: rr_webhooks::Format::Auto,
        key_id: None,
        enabled: true,
        unsigned: false,
        retention_days: None,
        retention_bytes: None,
        created_at: at(0),
        updated_at: at(0),
        secrets: Vec::new(),
    }
}

pub(super) fn source_secret(number: u128) -> NewSourceSecret {
    NewSourceSecret {
        id: id(number),
        text: format!("a secret of some length {number}"),
        fingerprint: format!("{number:012}"),
        others_end_at: at(100),
    }
}

pub(super) fn once(key: &str, fingerprint: u8) -> Option<Idempotency> {
    Some(Idempotency {
        scope: "webhook-id/1".to_owned(),
        key: key.to_owned(),
        fingerprint: [fingerprint; 32],
    })
}

pub(super) fn key(number: u8) -> NewKey {
    let created_at = at(i64::from(number)).to_system_time();
    let minute = RateLimit { limit: NonZeroU32::new(60).unwrap(), window: Duration::from_secs(60) };
    let windows = ["default", "burst"].map(|name| (name.parse().unwrap(), minute));
    NewKey {
        record: KeyRecord {
            owner: Some("ann".to_owned()),
            permissions: ["read_metrics", "write_webhooks"].into_iter().collect(),
            expires_at: Some(at(1_000).to_system_time()),
            allowed_ips: AllowList::parse(["10.0.0.0/8", "::1"]).unwrap(),
            quotas: rr_keys::Quotas::new([(rr_keys::QuotaPeriod::Day, minute.limit)]),
            rate_limits: rr_keys::RateLimits::new(windows).unwrap(),
            metadata: [("team".to_owned(), "growth".to_owned())].into(),
            ..KeyRecord::new(id(u128::from(number)), format!("key {number}"), created_at)
        },
        hash: SecretHash::plain(KeyHash::from_bytes([number; 32])),
        hint: "rr_abcd".to_owned(),
        created_by: "command-line".to_owned(),
        last_used_at: None,
    }
}

pub(super) fn user(number: u128, email: &str) -> NewUser {
    NewUser {
        id: id(number),
        email: email.to_owned(),
        role: Label::MEMBER,
        plan: Some(Label::MEMBERSHIP),
        status: Label::ACTIVE,
        password_hash: None,
        created_at: at(i64::try_from(number).unwrap()),
        updated_at: at(i64::try_from(number).unwrap()),
    }
}

pub(super) fn signup(number: u128, seconds: i64) -> Fact {
    let kind =
        FactKind::UserCreated { user: id(number), role: Label::MEMBER, status: Label::ACTIVE };
    Fact { id: id(1_000_000 + number), occurred_at: at(seconds), kind }
}

pub(super) fn first(limit: u32) -> PageRequest {
    PageRequest { limit, cursor: None }
}

/// Runs a statement past the store's own methods.
pub(super) async fn execute(store: &Store, statement: impl Into<String>) {
    let statement = statement.into();
    store.write(move |conn| conn.batch(&statement)).await.unwrap();
}

/// Asks for a number past the store's own methods.
pub(super) async fn number(store: &Store, query: &'static str) -> i64 {
    store.read(move |conn| on_each!(conn, |c| sql::<BigInt>(query).get_result(c))).await.unwrap()
}

/// How many audit rows speak of `action`.
pub(super) async fn audited(store: &Store, action: &str) -> usize {
    let rows = store.activity(first(1_000)).await.unwrap().items;
    rows.iter().filter(|row| row.action == action).count()
}

/// How many events a sweep removes.
pub(super) async fn swept(store: &Store, seconds: i64) -> usize {
    let swept = store.sweep(Duration::from_secs(30 * 86_400), audit(seconds)).await;
    let is_events = |chore: &Chore| matches!(chore, Chore::EventsOf(_) | Chore::EventsOfRemoved(_));
    let events = swept.into_iter().filter(|(chore, _)| is_events(chore));
    events.map(|(_, outcome)| outcome.unwrap()).sum()
}
