//! The secrets of sources: a new one comes, the old ones go after an overlap or at once.

use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::change::{done, subject};
use super::rows::{SecretRow, find};
use super::{NewSourceSecret, SourceOutcome};
use crate::conn::on_each;
use crate::schema::webhook_source_secrets as secrets;
use crate::sequence::Sequence;
use crate::types::{At, Id};
use crate::{Audit, Store, StoreError};

/// Each is tried on every request of the source.
const MOST_SECRETS: usize = 10;

impl Store {
    /// Adds a secret to a source; those that have no end yet get one.
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
            if before.secrets.len() >= MOST_SECRETS {
                return Ok(SourceOutcome::TooMany);
            }
            let others = secrets::table
                .filter(secrets::source.eq(&source))
                .filter(secrets::expires_at.is_null());
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
            let detail = json!({ "added": new.fingerprint, "others_end_at": new.others_end_at });
            audit.record(conn, "webhook_source.secret_added", subject(&source), &detail)?;
            done(conn, &source)
        })
        .await
    }

    /// Ends a secret at once, for good.
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
            if all.len() == 1 {
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
