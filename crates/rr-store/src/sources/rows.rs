//! The rows of sources and their secrets.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use rr_webhooks::{Format, WebhookSecret};

use super::{SourceSecret, WebhookSource};
use crate::conn::{Conn, on_each};
use crate::schema::{webhook_source_secrets, webhook_sources};
use crate::types::{At, Id};

/// All sources, by name.
pub(crate) fn find_all(conn: &mut Conn) -> QueryResult<Vec<WebhookSource>> {
    let sources: Vec<SourceRow> = on_each!(conn, |c| webhook_sources::table
        .select(SourceRow::as_select())
        .order(webhook_sources::name)
        .load(c))?;
    let secrets: Vec<SecretRow> = on_each!(conn, |c| webhook_source_secrets::table
        .select(SecretRow::as_select())
        .order((webhook_source_secrets::created_at, webhook_source_secrets::id))
        .load(c))?;
    let mut all = sources.into_iter().map(SourceRow::read).collect::<QueryResult<Vec<_>>>()?;
    for row in secrets {
        if let Some(source) = all.iter_mut().find(|source| source.name == row.source) {
            source.secrets.push(row.read()?);
        }
    }
    Ok(all)
}

/// A source by name.
pub(super) fn find(conn: &mut Conn, name: &str) -> QueryResult<Option<WebhookSource>> {
    Ok(find_all(conn)?.into_iter().find(|source| source.name == name))
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_sources, treat_none_as_default_value = false)]
pub(super) struct SourceRow {
    pub(super) name: String,
    pub(super) id: Id,
    pub(super) format: String,
    pub(super) key_id: Option<Id>,
    pub(super) enabled: bool,
    pub(super) unsigned: bool,
    pub(super) retention_days: Option<i64>,
    pub(super) retention_bytes: Option<i64>,
    pub(super) created_at: At,
    pub(super) updated_at: At,
}

impl SourceRow {
    fn read(self) -> QueryResult<WebhookSource> {
        let format = Format::named(&self.format)
            .ok_or_else(|| Error::DeserializationError("a format that nobody knows".into()))?;
        Ok(WebhookSource {
            name: self.name,
            id: Some(self.id.0).filter(|id| !id.is_nil()),
            format,
            key_id: self.key_id.map(|id| id.0),
            enabled: self.enabled,
            unsigned: self.unsigned,
            retention_days: self.retention_days,
            retention_bytes: self.retention_bytes,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            secrets: Vec::new(),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_source_secrets, treat_none_as_default_value = false)]
pub(super) struct SecretRow {
    pub(super) id: Id,
    pub(super) source: String,
    pub(super) secret: String,
    pub(super) fingerprint: String,
    pub(super) created_at: At,
    pub(super) expires_at: Option<At>,
}

impl SecretRow {
    fn read(self) -> QueryResult<SourceSecret> {
        // The cause is left out: it could quote the secret.
        let secret = WebhookSecret::parse(&self.secret)
            .map_err(|_| Error::DeserializationError("a secret that cannot sign".into()))?;
        let expires_at = self.expires_at.map(|at| at.0);
        Ok(SourceSecret {
            id: self.id.0,
            fingerprint: self.fingerprint,
            created_at: self.created_at.0,
            expires_at,
            secret: match expires_at {
                Some(end) => secret.until(end),
                None => secret,
            },
        })
    }
}
