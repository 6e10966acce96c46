//! The secrets of sources: a new one comes, the old ones go after an overlap or at once.

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::change::{done, subject};
use super::rows::{SecretRow, find};
use super::{NewSourceSecret, SourceOutcome};
use crate::conn::{Conn, on_each};
use crate::schema::webhook_source_secrets as secrets;
use crate::sequence::Sequence;
use crate::types::{At, Id};
use crate::{Audit, Store, StoreError};

/// How many are good at once: each is tried on every request of the source.
const MOST_SECRETS: usize = 10;
/// How many of those that have ended are known on: who still signs with one is told so.
const ENDED_KEPT: usize = 2;

impl Store {
    /// Adds a secret to a source; those before it end when it says unless they end sooner, and those that
    /// ended long ago are forgotten.
    pub async fn add_source_secret(
        &self,
        source: String,
        new: NewSourceSecret,
        audit: Audit,
    ) -> Result<SourceOutcome, StoreError> {
        self.write(move |conn| {
            Sequence::WebhookSources.take(conn, 1)?;
            let Some(before) = find(conn, &source)? else {
                return Ok(SourceOutcome::NoSuchSource);
            };
            let good = before.secrets.iter().filter(|secret| !secret.has_ended(audit.at));
            if good.count() >= MOST_SECRETS {
                return Ok(SourceOutcome::TooMany);
            }
            let others = secrets::table.filter(secrets::source.eq(&source)).filter(
                secrets::expires_at.is_null().or(secrets::expires_at.gt(At(new.others_end_at))),
            );
            on_each!(conn, |c| diesel::update(others)
                .set(secrets::expires_at.eq(At(new.others_end_at)))
                .execute(c))?;
            let row = SecretRow {
                id: Id(new.id),
                source: source.clone(),
                secret: new.text.clone(),
                fingerprint: new.fingerprint.clone(),
                created_at: At(audit.at),
                expires_at: None,
            };
            on_each!(conn, |c| diesel::insert_into(secrets::table).values(&row).execute(c))?;
            forget_ended(conn, &source, audit.at)?;
            let detail = json!({ "added": new.fingerprint, "others_end_at": new.others_end_at });
            audit.record(conn, "webhook_source.secret_added", subject(&source), &detail)?;
            done(conn, &source)
        })
        .await
    }

    /// Ends a secret at once, for good, as long as another one is good: that of a source that has only ended
    /// ones proves nothing.
    pub async fn retire_source_secret(
        &self,
        source: String,
        id: Uuid,
        audit: Audit,
    ) -> Result<SourceOutcome, StoreError> {
        self.write(move |conn| {
            Sequence::WebhookSources.take(conn, 1)?;
            let all = find(conn, &source)?.map(|source| source.secrets).unwrap_or_default();
            let Some(secret) = all.iter().find(|secret| secret.id == id) else {
                return Ok(SourceOutcome::NoSuchSource);
            };
            if !all.iter().any(|other| other.id != id && !other.has_ended(audit.at)) {
                return Ok(SourceOutcome::LastSecret);
            }
            on_each!(conn, |c| diesel::delete(secrets::table.find(Id(id))).execute(c))?;
            let detail = json!({ "retired": secret.fingerprint });
            audit.record(conn, "webhook_source.secret_retired", subject(&source), &detail)?;
            done(conn, &source)
        })
        .await
    }
}

/// Forgets the secrets of a source that have ended, but for those that did so last.
fn forget_ended(conn: &mut Conn, source: &str, now: Timestamp) -> QueryResult<()> {
    let ended = secrets::table
        .filter(secrets::source.eq(source))
        .filter(secrets::expires_at.le(At(now)))
        .order((secrets::expires_at.desc(), secrets::created_at.desc(), secrets::id.desc()))
        .select(secrets::id);
    let ended: Vec<Id> = on_each!(conn, |c| ended.load(c))?;
    let old = ended.get(ENDED_KEPT..).unwrap_or_default();
    on_each!(conn, |c| diesel::delete(secrets::table.filter(secrets::id.eq_any(old))).execute(c))?;
    Ok(())
}
