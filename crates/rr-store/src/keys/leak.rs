//! Secrets that became public: marked, and ended where the policy says so.

use std::collections::HashMap;

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use rr_keys::{KeyFormat, KeyHash};
use serde_json::json;
use uuid::Uuid;

use super::find::find_row;
use super::{KeyRow, KeySchemes};
use crate::conn::{Conn, on_each};
use crate::schema::{api_key_secrets, api_keys};
use crate::sequence::Sequence;
use crate::types::{At, Id};
use crate::{Audit, Store, StoreError};

/// What becomes of a key whose secret became public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LeakPolicy {
    /// The secret ends for good. If it is the key's newest, the key is switched off as well; a key
    /// that was rotated since goes on with its new secret.
    #[default]
    Disable,
    /// It goes on working; people are told.
    Notify,
}

/// A secret that became public.
#[derive(Debug, Clone)]
pub struct LeakReport {
    /// Each hash under which the secret may stand; it stands under one of them at most.
    pub hashes: Vec<KeyHash>,
    /// Where it was found.
    pub url: Option<String>,
}

impl LeakReport {
    /// A text that was found; `None` when it has no form of a key. The place may hold the secret, as
    /// a link with a key in its query does; what is kept of it does not.
    pub fn found(
        format: &KeyFormat,
        schemes: &KeySchemes,
        secret: &str,
        url: Option<&str>,
    ) -> Option<LeakReport> {
        let hashes = schemes.hashes(&format.parse(secret).ok()?);
        let url = url.filter(|url| !url.is_empty()).map(|url| url.replace(secret, "…"));
        Some(LeakReport { hashes, url })
    }

    fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.hashes.iter().map(|hash| &hash.as_bytes()[..])
    }
}

/// A secret that was issued here, whether or not it still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSecret {
    /// Its key.
    pub key_id: Uuid,
    /// Whether reporting it once more, under the same policy, would change nothing.
    pub settled: bool,
}

/// The leak of a key that matters most: of a secret that still works, else the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// When it was reported first.
    pub reported_at: Timestamp,
    /// Where it was found.
    pub url: Option<String>,
    /// When the secret ends, or ended.
    pub ends_at: Option<Timestamp>,
    /// Whether the key has a secret that took its place.
    pub replaced: bool,
    /// How often the key was used until then.
    pub uses_before: i64,
    /// How often a dead secret of it was tried until then.
    pub refused_before: i64,
}

impl Leak {
    /// Whether the secret has not ended; the key may have.
    pub fn still_works(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

impl Store {
    /// Says for each report, in their order, whether its secret was issued here.
    pub async fn known_secrets(
        &self,
        reports: Vec<LeakReport>,
        policy: LeakPolicy,
        now: Timestamp,
    ) -> Result<Vec<Option<KnownSecret>>, StoreError> {
        if reports.is_empty() {
            return Ok(Vec::new());
        }
        self.read(move |conn| {
            let hashes: Vec<&[u8]> = reports.iter().flat_map(LeakReport::bytes).collect();
            let mut found = HashMap::new();
            for part in hashes.chunks(1_000) {
                let rows: Vec<Secret> = on_each!(conn, |c| api_key_secrets::table
                    .filter(api_key_secrets::hash.eq_any(part))
                    .select(Secret::as_select())
                    .load(c))?;
                found.extend(rows.into_iter().map(|secret| (secret.hash.clone(), secret)));
            }
            let known = |report: &LeakReport| {
                let secret = report.bytes().find_map(|hash| found.get(hash))?;
                let settled = secret.is_settled(report, policy, now);
                Some(KnownSecret { key_id: secret.key_id.0, settled })
            };
            Ok(reports.iter().map(known).collect())
        })
        .await
    }

    /// Marks secrets as public and does what the policy says, all in one transaction. A report of
    /// what is known already changes nothing; one of a secret that is not ours neither.
    pub async fn report_leaks(
        &self,
        reports: Vec<LeakReport>,
        policy: LeakPolicy,
        audit: Audit,
    ) -> Result<(), StoreError> {
        self.write(move |conn| {
            // From here to the commit nobody else changes a key. What is settled takes no number.
            Sequence::Keys.hold(conn)?;
            reports.iter().try_for_each(|report| {
                let secret: Option<Secret> = on_each!(conn, |c| api_key_secrets::table
                    .filter(api_key_secrets::hash.eq_any(report.bytes().collect::<Vec<_>>()))
                    .select(Secret::as_select())
                    .first(c)
                    .optional())?;
                match secret {
                    Some(secret) if !secret.is_settled(report, policy, audit.at) => {
                        mark(conn, &secret, report, policy, &audit)
                    }
                    _ => Ok(()),
                }
            })
        })
        .await
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_key_secrets)]
struct Secret {
    hash: Vec<u8>,
    key_id: Id,
    expires_at: Option<At>,
    leaked_at: Option<At>,
    leak_url: Option<String>,
    uses_before_leak: Option<i64>,
    refused_before_leak: Option<i64>,
    pending_grace_s: Option<i64>,
}

impl Secret {
    fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end.0 <= now)
    }

    fn is_settled(&self, report: &LeakReport, policy: LeakPolicy, now: Timestamp) -> bool {
        let says_no_more = self.leak_url.is_some() || report.url.is_none();
        let does_no_more = policy == LeakPolicy::Notify || self.has_ended(now);
        self.leaked_at.is_some() && says_no_more && does_no_more
    }
}

/// Marks one secret, and ends it unless the policy leaves it alone.
fn mark(
    conn: &mut Conn,
    secret: &Secret,
    report: &LeakReport,
    policy: LeakPolicy,
    audit: &Audit,
) -> QueryResult<()> {
    let Some(key) = find_row(conn, secret.key_id.0)? else { return Ok(()) };
    let ends = policy == LeakPolicy::Disable && !secret.has_ended(audit.at);
    let ends_at = if ends { Some(At(audit.at)) } else { secret.expires_at };
    // A key with another secret that has no end goes on with that one, in use already or waiting.
    let switches_off = ends && secret.expires_at.is_none() && !has_another(conn, secret)?;
    let url = secret.leak_url.as_ref().or(report.url.as_ref());
    on_each!(conn, |c| diesel::update(api_key_secrets::table.find(&secret.hash))
        .set((
            api_key_secrets::leaked_at.eq(Some(secret.leaked_at.unwrap_or(At(audit.at)))),
            api_key_secrets::leak_url.eq(url),
            api_key_secrets::uses_before_leak
                .eq(Some(secret.uses_before_leak.unwrap_or(key.use_count))),
            api_key_secrets::refused_before_leak
                .eq(Some(secret.refused_before_leak.unwrap_or(key.refused_uses()))),
            api_key_secrets::expires_at.eq(ends_at),
            // What has ended waits for no first use.
            api_key_secrets::pending_grace_s.eq(secret.pending_grace_s.filter(|_| !ends)),
        ))
        .execute(c))?;
    let enabled = key.record.enabled && !switches_off;
    let version = Sequence::Keys.take(conn, 1)?;
    on_each!(conn, |c| diesel::update(api_keys::table.find(secret.key_id))
        .set((api_keys::enabled.eq(enabled), api_keys::version.eq(version)))
        .execute(c))?;
    let time = |at: Option<At>| at.map(|at| at.0);
    let detail = json!({
        "url": url,
        "before": { "enabled": key.record.enabled, "secret_ends_at": time(secret.expires_at) },
        "after": { "enabled": enabled, "secret_ends_at": time(ends_at) },
    });
    audit.record(conn, "key.leaked", Some(format!("key:{}", secret.key_id.0)), &detail)
}

/// Whether its key has another secret without an end.
fn has_another(conn: &mut Conn, secret: &Secret) -> QueryResult<bool> {
    let others: i64 = on_each!(conn, |c| api_key_secrets::table
        .filter(api_key_secrets::key_id.eq(secret.key_id))
        .filter(api_key_secrets::hash.ne(&secret.hash))
        .filter(api_key_secrets::expires_at.is_null())
        .count()
        .get_result(c))?;
    Ok(others > 0)
}

/// Adds to each key the leak that matters most.
pub(super) fn add_leaks(conn: &mut Conn, rows: &mut [KeyRow]) -> QueryResult<()> {
    let ids: Vec<Id> = rows.iter().map(|row| Id(row.record.id)).collect();
    let leaked: Vec<Secret> = on_each!(conn, |c| api_key_secrets::table
        .filter(api_key_secrets::key_id.eq_any(&ids))
        .filter(api_key_secrets::leaked_at.is_not_null())
        .select(Secret::as_select())
        .load(c))?;
    if leaked.is_empty() {
        return Ok(());
    }
    let endless: Vec<(Id, Vec<u8>)> = on_each!(conn, |c| api_key_secrets::table
        .filter(api_key_secrets::key_id.eq_any(&ids))
        .filter(api_key_secrets::expires_at.is_null())
        .select((api_key_secrets::key_id, api_key_secrets::hash))
        .load(c))?;
    for row in rows {
        let key_id = Id(row.record.id);
        let own = leaked.iter().filter(|secret| secret.key_id == key_id);
        let matters =
            |secret: &&Secret| (secret.expires_at.is_none(), secret.expires_at, secret.leaked_at);
        row.leak = own.max_by_key(matters).and_then(|secret| {
            Some(Leak {
                reported_at: secret.leaked_at?.0,
                url: secret.leak_url.clone(),
                ends_at: secret.expires_at.map(|end| end.0),
                replaced: endless.iter().any(|(key, hash)| *key == key_id && *hash != secret.hash),
                uses_before: secret.uses_before_leak.unwrap_or_default(),
                refused_before: secret.refused_before_leak.unwrap_or_default(),
            })
        });
    }
    Ok(())
}
