//! The sources of webhooks, in memory: which one a request belongs to, and what it must show.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rr_store::{DEFAULT_SOURCE, WebhookSource};
use rr_webhooks::{Format, WebhookSecret};
use uuid::Uuid;

use crate::auth::Caller;
use crate::codes::Code;
use crate::problem::{Chain, Outcome, Problem};
use crate::state::AppState;

/// All sources as they were last read.
pub(crate) struct SourceBook {
    version: i64,
    by_name: HashMap<String, Arc<Intake>>,
    by_key: HashMap<Uuid, Arc<Intake>>,
}

/// How the events of a source are taken in.
pub(crate) struct Intake {
    name: String,
    /// None for the default source.
    id: Option<Uuid>,
    format: Format,
    secrets: Vec<WebhookSecret>,
    /// Whether the secrets are its own and not the default source's.
    has_own_secrets: bool,
    key_id: Option<Uuid>,
    enabled: bool,
}

/// What a request of a source must show.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) source: Option<Uuid>,
    pub(crate) secrets: &'a [WebhookSecret],
    pub(crate) format: Format,
}

impl Intake {
    pub(crate) fn terms(&self) -> Terms<'_> {
        Terms { source: self.id, secrets: &self.secrets, format: self.format }
    }
}

/// The book, once it was read.
pub(crate) type Shelf = ArcSwapOption<SourceBook>;

impl AppState {
    /// The source that a request belongs to: the one that it names, else the one that its key is bound
    /// to, else the default source. A key that is bound sends as its own source and as no other.
    pub(crate) async fn intake(
        &self,
        caller: &Caller,
        named: Option<&str>,
    ) -> Outcome<Arc<Intake>> {
        let book = self.book().await?;
        let bound = caller.key_id().and_then(|key| book.by_key.get(&key));
        let intake = match (named, bound) {
            (Some(name), _) => book.by_name.get(name).ok_or_else(no_such_source)?,
            (None, Some(bound)) => bound,
            (None, None) => book.by_name.get(DEFAULT_SOURCE).ok_or_else(no_such_source)?,
        };
        if bound.is_some_and(|bound| bound.name != intake.name) {
            return Err(not_allowed("The key is bound to another webhook source."));
        }
        if intake.key_id.is_some() && bound.is_none() {
            return Err(not_allowed("The webhook source takes what its own key sends."));
        }
        if !intake.enabled {
            return Err(not_allowed("The webhook source is disabled."));
        }
        Ok(Arc::clone(intake))
    }

    /// The source of this name and its key, where a signature with one of its secrets is enough to send for it:
    /// the secrets are its own, it has a key to act as, and it is enabled.
    pub(crate) async fn signing_intake(&self, name: &str) -> Outcome<Option<(Arc<Intake>, Uuid)>> {
        let book = self.book().await?;
        let intake = book.by_name.get(name).filter(|it| it.enabled && it.has_own_secrets);
        Ok(intake.and_then(|intake| Some((Arc::clone(intake), intake.key_id?))))
    }

    async fn book(&self) -> Outcome<Arc<SourceBook>> {
        match self.sources.load_full() {
            Some(book) => Ok(book),
            None => self.read_sources().await,
        }
    }

    /// Reads the sources anew, after a change.
    pub(crate) async fn read_sources(&self) -> Outcome<Arc<SourceBook>> {
        let (version, sources) = self.store.webhook_sources().await?;
        let book = Arc::new(SourceBook::of(version, sources, &self.settings.webhook_secrets));
        // Of two that read at once, the one that knows more stays.
        self.sources.rcu(|held| match held {
            Some(held) if held.version > book.version => Some(Arc::clone(held)),
            _ => Some(Arc::clone(&book)),
        });
        Ok(book)
    }

    /// Reads the sources anew when some process has changed one. To be called several times a second;
    /// while the database is away, what was last read holds, because nothing can be stored either.
    pub async fn follow_sources(&self) {
        let held = self.sources.load().as_ref().map(|book| book.version);
        let outcome = match self.store.webhook_sources_version().await {
            Ok(version) if Some(version) == held => return,
            Ok(_) => self.read_sources().await.map(drop),
            Err(error) => {
                tracing::debug!(error = %Chain(&error), "webhook sources could not be looked at");
                return;
            }
        };
        if outcome.is_err() {
            tracing::debug!("webhook sources could not be read; in a moment, then");
        }
    }
}

impl SourceBook {
    fn of(version: i64, sources: Vec<WebhookSource>, own: &[WebhookSecret]) -> SourceBook {
        // The secrets of the configuration are the default source's. A source without secrets asks for
        // what that one asks for: naming a source never makes a signature needless, unless it is bound to a key
        // and marked as one whose sender cannot sign.
        let of_default = sources.iter().filter(|source| source.id.is_none());
        let of_default = of_default.flat_map(|source| &source.secrets).map(|one| &one.secret);
        let usual: Vec<WebhookSecret> = of_default.chain(own).cloned().collect();
        let intakes = sources.into_iter().map(|source| {
            let mut secrets: Vec<_> = source.secrets.into_iter().map(|one| one.secret).collect();
            let has_own_secrets = source.id.is_some() && !secrets.is_empty();
            // Only its key can send as it, and whoever configured it said that this is enough.
            let key_is_enough = source.unsigned && source.key_id.is_some();
            if !has_own_secrets && !key_is_enough {
                secrets.clone_from(&usual);
            }
            Arc::new(Intake {
                name: source.name,
                id: source.id,
                format: source.format,
                secrets,
                has_own_secrets,
                key_id: source.key_id,
                enabled: source.enabled,
            })
        });
        let mut book = SourceBook { version, by_name: HashMap::new(), by_key: HashMap::new() };
        for intake in intakes {
            if let Some(key) = intake.key_id {
                book.by_key.insert(key, Arc::clone(&intake));
            }
            book.by_name.insert(intake.name.clone(), intake);
        }
        book
    }
}

/// The answer where no source has that name.
pub(crate) fn no_such_source() -> Problem {
    Problem::new(Code::NotFound).detail("There is no such webhook source.")
}

fn not_allowed(why: &'static str) -> Problem {
    Problem::new(Code::SourceNotAllowed).detail(why)
}
