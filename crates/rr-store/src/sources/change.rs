//! Making, changing and removing sources.

use diesel::QueryResult;
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::rows::{SourceRow, find, find_all};
use super::{SourceOutcome, SourcePatch, WebhookSource};
use crate::conn::{Conn, on_each};
use crate::schema::{api_keys, webhook_sources};
use crate::sequence::Sequence;
use crate::types::{At, Id};
use crate::{Audit, Store, StoreError};

/// Every request looks at them in memory.
const MOST_SOURCES: usize = 1_000;

impl Store {
    /// Makes a source, without secrets.
    pub async fn create_webhook_source(
        &self,
        new: WebhookSource,
        audit: Audit,
    ) -> Result<SourceOutcome, StoreError> {
        self.write(move |conn| {
            // Taken first: from here to the commit nobody else changes a source.
            Sequence::WebhookSources.take(conn, 1)?;
            let all = find_all(conn)?;
            if all.iter().any(|source| source.name == new.name) {
                return Ok(SourceOutcome::NameTaken);
            }
            if all.len() >= MOST_SOURCES {
                return Ok(SourceOutcome::TooMany);
            }
            if let Some(key) = new.key_id
                && let Some(refused) = unbindable(conn, &all, &new.name, key)?
            {
                return Ok(refused);
            }
            let row = SourceRow {
                name: new.name.clone(),
                id: Id(new.id.unwrap_or_default()),
                format: new.format.name().to_owned(),
                key_id: new.key_id.map(Id),
                enabled: new.enabled,
                unsigned: new.unsigned,
                retention_days: new.retention_days,
                retention_bytes: new.retention_bytes,
                created_at: At(audit.at),
                updated_at: At(audit.at),
            };
            on_each!(conn, |c| diesel::insert_into(webhook_sources::table)
                .values(&row)
                .execute(c))?;
            audit.record(conn, "webhook_source.created", subject(&new.name), &shown(&new))?;
            done(conn, &new.name)
        })
        .await
    }

    /// Changes a source.
    pub async fn change_webhook_source(
        &self,
        name: String,
        patch: SourcePatch,
        audit: Audit,
    ) -> Result<SourceOutcome, StoreError> {
        self.write(move |conn| {
            Sequence::WebhookSources.take(conn, 1)?;
            let all = find_all(conn)?;
            let Some(before) = all.iter().find(|source| source.name == name) else {
                return Ok(SourceOutcome::NoSuchSource);
            };
            if let Some(Some(key)) = patch.key_id
                && let Some(refused) = unbindable(conn, &all, &name, key)?
            {
                return Ok(refused);
            }
            let after = patch.apply(before);
            on_each!(conn, |c| diesel::update(webhook_sources::table.find(&name))
                .set((
                    webhook_sources::format.eq(after.format.name()),
                    webhook_sources::key_id.eq(after.key_id.map(Id)),
                    webhook_sources::enabled.eq(after.enabled),
                    webhook_sources::unsigned.eq(after.unsigned),
                    webhook_sources::retention_days.eq(after.retention_days),
                    webhook_sources::retention_bytes.eq(after.retention_bytes),
                    webhook_sources::updated_at.eq(At(audit.at)),
                ))
                .execute(c))?;
            let detail = json!({ "before": shown(before), "after": shown(&after) });
            audit.record(conn, "webhook_source.changed", subject(&name), &detail)?;
            done(conn, &name)
        })
        .await
    }

    /// Removes a source and its secrets; its events stay. Says whether there was one.
    pub async fn remove_webhook_source(
        &self,
        name: String,
        audit: Audit,
    ) -> Result<bool, StoreError> {
        self.write(move |conn| {
            Sequence::WebhookSources.take(conn, 1)?;
            let Some(before) = find(conn, &name)? else { return Ok(false) };
            on_each!(conn, |c| diesel::delete(webhook_sources::table.find(&name)).execute(c))?;
            audit.record(conn, "webhook_source.removed", subject(&name), &shown(&before))?;
            Ok(true)
        })
        .await
    }
}

impl SourcePatch {
    fn apply(&self, before: &WebhookSource) -> WebhookSource {
        let mut after = before.clone();
        after.format = self.format.unwrap_or(before.format);
        after.key_id = self.key_id.unwrap_or(before.key_id);
        after.enabled = self.enabled.unwrap_or(before.enabled);
        after.unsigned = self.unsigned.unwrap_or(before.unsigned);
        after.retention_days = self.retention_days.unwrap_or(before.retention_days);
        after.retention_bytes = self.retention_bytes.unwrap_or(before.retention_bytes);
        after
    }
}

/// Why a source cannot be bound to a key: what comes with a key must belong to one source.
fn unbindable(
    conn: &mut Conn,
    all: &[WebhookSource],
    name: &str,
    key: Uuid,
) -> QueryResult<Option<SourceOutcome>> {
    if all.iter().any(|source| source.name != name && source.key_id == Some(key)) {
        return Ok(Some(SourceOutcome::KeyTaken));
    }
    let known: i64 = on_each!(conn, |c| api_keys::table.find(Id(key)).count().get_result(c))?;
    Ok((known == 0).then_some(SourceOutcome::NoSuchKey))
}

/// The source as it is now.
pub(super) fn done(conn: &mut Conn, name: &str) -> QueryResult<SourceOutcome> {
    let found = find(conn, name)?.ok_or(diesel::result::Error::NotFound)?;
    Ok(SourceOutcome::Done(Box::new(found)))
}

pub(super) fn subject(name: &str) -> Option<String> {
    Some(format!("webhook_source:{name}"))
}

fn shown(source: &WebhookSource) -> Value {
    json!({
        "format": source.format.name(),
        "key_id": source.key_id,
        "enabled": source.enabled,
        "unsigned": source.unsigned,
        "retention_days": source.retention_days,
        "retention_bytes": source.retention_bytes,
    })
}
