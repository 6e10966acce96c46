//! Where webhooks come from: who may send, how they are signed, how long they are kept.

mod change;
mod rows;
mod secrets;

use std::fmt;

use rr_domain::Timestamp;
use rr_webhooks::{Format, WebhookSecret};
use uuid::Uuid;

pub(crate) use rows::find_all;

use crate::sequence::Sequence;
use crate::{Store, StoreError};

/// The source of what comes with a key of no source, to no source by name.
pub const DEFAULT_SOURCE: &str = "default";

/// A source of webhooks.
#[derive(Debug, Clone)]
pub struct WebhookSource {
    /// Its name, which is in the address that it sends to.
    pub name: String,
    /// Its id, which its events are marked with; none for the default source.
    pub id: Option<Uuid>,
    /// What it sends.
    pub format: Format,
    /// The key that alone may send as this source, and sends as no other.
    pub key_id: Option<Uuid>,
    /// Whether anything of it is taken.
    pub enabled: bool,
    /// Whether its key is proof enough, because its sender cannot sign: it is then not asked for what the default
    /// source asks for. Without a key of its own, or with secrets of its own, this changes nothing.
    pub unsigned: bool,
    /// How many days its events are kept; none: for ever.
    pub retention_days: Option<i64>,
    /// How many bytes of bodies are kept; none: all.
    pub retention_bytes: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What it signs with; any of those that have not ended will do.
    pub secrets: Vec<SourceSecret>,
}

/// A secret of a source, known to people by its fingerprint.
#[derive(Debug, Clone)]
pub struct SourceSecret {
    /// Its id.
    pub id: Uuid,
    /// The first 12 hexadecimal digits of its SHA-256.
    pub fingerprint: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// The first instant at which it is good no more.
    pub expires_at: Option<Timestamp>,
    /// The secret.
    pub secret: WebhookSecret,
}

impl SourceSecret {
    /// Whether nothing that is signed with it is taken any more.
    fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// A secret to add.
#[derive(Clone)]
pub struct NewSourceSecret {
    /// Its id.
    pub id: Uuid,
    /// The secret.
    pub text: String,
    /// The first 12 hexadecimal digits of its SHA-256.
    pub fingerprint: String,
    /// When those that have no end yet shall end.
    pub others_end_at: Timestamp,
}

impl fmt::Debug for NewSourceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSourceSecret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What of a source shall change; none stays.
#[derive(Debug, Clone, Default)]
pub struct SourcePatch {
    /// What it sends.
    pub format: Option<Format>,
    /// The key it is bound to.
    pub key_id: Option<Option<Uuid>>,
    /// Whether anything of it is taken.
    pub enabled: Option<bool>,
    /// Whether its key is proof enough.
    pub unsigned: Option<bool>,
    /// How many days its events are kept.
    pub retention_days: Option<Option<i64>>,
    /// How many bytes of bodies are kept.
    pub retention_bytes: Option<Option<i64>>,
}

/// What became of a change to a source.
#[derive(Debug, Clone)]
pub enum SourceOutcome {
    /// It is so now.
    Done(Box<WebhookSource>),
    /// There is no such source, or no such secret of it.
    NoSuchSource,
    /// Another source has that name.
    NameTaken,
    /// Another source is bound to that key.
    KeyTaken,
    /// There is no such key.
    NoSuchKey,
    /// It is as much as there may be.
    TooMany,
    /// Without this secret, anybody with a key could send unsigned.
    LastSecret,
}

impl Store {
    /// All sources, by name, and the number that changes with them.
    pub async fn webhook_sources(&self) -> Result<(i64, Vec<WebhookSource>), StoreError> {
        self.read(|conn| {
            // The number first: what changes meanwhile is then looked for again, not missed.
            let version = Sequence::WebhookSources.last(conn)?;
            Ok((version, find_all(conn)?))
        })
        .await
    }

    /// The number that changes whenever a source does.
    pub async fn webhook_sources_version(&self) -> Result<i64, StoreError> {
        self.read(|conn| Sequence::WebhookSources.last(conn)).await
    }
}
