//! What every handler can reach.

use std::sync::Arc;

use actix_web::HttpRequest;
use rr_domain::{Clock, Random, Timestamp, new_id};
use rr_keys::{Verifier, VerifierOptions};
use rr_store::{Actor, Audit, ChangedKeys, Store, UsageBatch};
use tokio::sync::{Mutex, Semaphore};
use uuid::Uuid;

use crate::auth::{Caller, Passwords, Throttle, address_of};
use crate::connection::Drain;
use crate::exchange::Exchange;
use crate::figures::FiguresCache;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::moves;
use crate::problem::Chain;
use crate::request_id::RequestIds;
use crate::room::Room;
use crate::settings::HttpSettings;
use crate::sources::Shelf;
use crate::verifications::Verifications;

/// The running server's parts. One per process, shared by all workers.
pub struct AppState {
    /// The database.
    pub store: Store,
    /// Answers whether an API key is good.
    pub verifier: Verifier<Store>,
    /// The time. Nothing here reads any other clock.
    pub clock: Clock,
    /// Randomness. Nothing here draws from any other source.
    pub random: Random,
    /// The configuration.
    pub settings: HttpSettings,
    /// What is counted.
    pub metrics: Metrics,
    pub(crate) room: Room,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    /// Apart from the sign-in's, so that a flood of reports makes nobody's failures forgotten.
    pub(crate) report_throttle: Throttle,
    pub(crate) figures: FiguresCache,
    pub(crate) verifications: Verifications,
    pub(crate) live: Live,
    pub(crate) sources: Shelf,
    pub(crate) drain: Drain,
    pub(crate) moves: Arc<Semaphore>,
    pub(crate) request_ids: RequestIds,
    /// Held from taking key usage to having written it.
    usage_flush: Mutex<UsageFlush>,
}

/// What is on its way into the database.
struct UsageFlush {
    /// This process, since its start.
    writer: Uuid,
    /// The number of the batch that was taken last.
    number: i64,
    /// That batch, until it is sure that it was written.
    unwritten: Option<UsageBatch>,
}

impl AppState {
    /// Puts the parts together.
    pub fn new(
        store: Store,
        clock: Clock,
        random: Random,
        settings: HttpSettings,
    ) -> Arc<AppState> {
        let schemes = store.key_schemes();
        let options = VerifierOptions {
            scheme: schemes.newest(),
            older_schemes: schemes.older(),
            ..VerifierOptions::default()
        };
        Arc::new(AppState {
            verifier: Verifier::new(store.clone(), options),
            metrics: Metrics::new(),
            room: Room::new(settings.limits.unfinished_bytes),
            passwords: Passwords::new(&random),
            throttle: Throttle::new(),
            report_throttle: Throttle::new(),
            figures: FiguresCache::new(),
            verifications: Verifications::default(),
            live: Live::new(),
            sources: Shelf::empty(),
            drain: Drain::new(),
            moves: moves::room(),
            request_ids: RequestIds::new(clock.clone(), random.clone()),
            usage_flush: Mutex::new(UsageFlush {
                writer: new_id(clock.now(), &random),
                number: 0,
                unwritten: None,
            }),
            store,
            clock,
            random,
            settings,
        })
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the server is stopping.
    pub fn is_draining(&self) -> bool {
        self.drain.is_stopping()
    }

    /// Writes the key usage counted so far; counts that could not be written are kept for the
    /// next time. To be called every few seconds and once at the end.
    ///
    /// When this returns, whatever was counted before the call is written, also what somebody else had
    /// taken and not yet written.
    pub async fn flush_usage(&self) {
        let mut flush = self.usage_flush.lock().await;
        // What is not known to be written goes first and as it was, for the store knows it again. Only then more is
        // taken, which is the word to the verifier that the rest is written.
        if self.write_usage(&mut flush).await {
            let usage = self.verifier.take_usage();
            if !usage.is_empty() {
                flush.number += 1;
                let (writer, number) = (flush.writer, flush.number);
                flush.unwritten = Some(UsageBatch { writer, number, at: self.now(), usage });
                self.write_usage(&mut flush).await;
            }
        }
    }

    /// Writes what was taken; says whether nothing is left of it.
    async fn write_usage(&self, flush: &mut UsageFlush) -> bool {
        let Some(batch) = flush.unwritten.clone() else { return true };
        match self.store.record_usage(batch).await {
            Ok(()) => flush.unwritten = None,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "key usage could not be written; it is kept");
            }
        }
        flush.unwritten.is_none()
    }

    /// Forgets a key that was changed, here and wherever an answer to its holder is still going on. To
    /// be called once the change is committed; when this returns, it is final on this server.
    pub(crate) fn forget_key(&self, id: Uuid) {
        self.verifier.forget(id);
        self.live.credential_changed(id);
    }

    /// Forgets all keys, with the same promise: for changes of which only the fact is known.
    pub fn forget_all_keys(&self) {
        self.verifier.forget_all();
        self.live.credentials_changed();
    }

    /// Forgets the keys that some process has changed since `seen`, and says what to pass next time. To be
    /// called several times a second.
    pub async fn follow_key_changes(&self, seen: Option<i64>) -> Option<i64> {
        match self.store.key_changes(seen).await {
            Ok(changes) => {
                match changes.keys {
                    ChangedKeys::These(ids) => ids.into_iter().for_each(|id| self.forget_key(id)),
                    ChangedKeys::Unknown => self.forget_all_keys(),
                }
                Some(changes.version)
            }
            // Not knowing what changed, it is safer to ask the store for every key.
            Err(_) => {
                self.forget_all_keys();
                None
            }
        }
    }

    /// The part of an audit row that the request knows.
    pub(crate) fn audit(&self, caller: &Caller, request: &HttpRequest) -> Audit {
        self.audit_of(caller.actor(), request)
    }

    /// The same for somebody who is known by something else than a credential, or not at all.
    pub(crate) fn audit_of(&self, actor: Actor, request: &HttpRequest) -> Audit {
        let address = address_of(self, request);
        Audit { at: self.now(), actor, request_id: Exchange::id_of(request), address }
    }
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppState").field("settings", &self.settings).finish_non_exhaustive()
    }
}
