//! What must be in place before requests make sense: the schema, somebody who can sign in, and in
//! the demo some data and a key.

use std::time::Duration;

use rr_http::Permission;
use rr_keys::Secret;
use rr_store::{Actor, Store, StoreError};

use super::Mode;
use super::first_admin::{self, FirstAdmin};
use crate::commands::{Context, Wish, all_keys, make_key};
use crate::email::Email;
use crate::failure::Failure;
use crate::seed;

/// The name of the key that the demo makes.
pub(super) const DEMO_KEY: &str = "Demo key";

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What was found or made.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// The administrator who was given a password just now.
    pub(super) first_admin: Option<FirstAdmin>,
    /// An administrator of the data (looked for in the demo only).
    pub(super) administrator: Option<Email>,
    /// The demo key, where it was made just now.
    pub(super) demo_key: Option<Secret>,
}

/// Puts everything in place; what is there already stays as it is.
pub(super) async fn prepare(
    context: &Context,
    mode: Mode,
    store: &Store,
) -> Result<Prepared, Failure> {
    for name in store.migrate().await? {
        tracing::info!(migration = name, "applied a migration");
    }
    let mut told = 0;
    store
        .catch_up(|progress| {
            let tenth = progress.done * 10 / progress.of.max(1);
            if tenth > told {
                told = tenth;
                tracing::info!("the ledger takes in older facts: {} %", tenth * 10);
            }
        })
        .await?;
    if mode == Mode::Demo && store.is_empty().await? {
        let written =
            seed::demo(store, &context.config.admin, context.audit(Actor::System)).await?;
        tracing::info!(users = written.users, facts = written.facts, "wrote the demo data");
    }
    let first_admin = first_admin::ensure(context, mode, store).await?;
    if mode == Mode::Plain {
        return Ok(Prepared { first_admin, ..Prepared::default() });
    }
    Ok(Prepared {
        first_admin,
        administrator: first_admin::administrator(store).await?,
        demo_key: ensure_demo_key(context, store).await?,
    })
}

/// Prepares again and again until the database takes part. Only what cannot mend itself ends it.
pub(super) async fn keep_trying(
    context: &Context,
    mode: Mode,
    store: &Store,
) -> Result<Prepared, Failure> {
    let mut pause = FIRST_PAUSE;
    loop {
        match prepare(context, mode, store).await {
            Err(failure) if is_temporary(&failure) => {
                let reason = failure.lines().join(": ");
                tracing::warn!(
                    reason,
                    "the database is not ready; answering 503 and trying again in {} ms",
                    pause.as_millis()
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Ok(prepared) => {
                tracing::info!("the database is ready");
                return Ok(prepared);
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Whether the same may succeed later without anybody changing anything here.
pub(super) fn is_temporary(failure: &Failure) -> bool {
    match failure {
        Failure::Trouble(error) => {
            error.downcast_ref::<StoreError>().is_some_and(StoreError::is_temporary)
        }
        _ => false,
    }
}

/// A key to try things with, unless there has been one.
async fn ensure_demo_key(context: &Context, store: &Store) -> Result<Option<Secret>, Failure> {
    if all_keys(store).await?.iter().any(|key| key.record.name == DEMO_KEY) {
        return Ok(None);
    }
    let wish = Wish {
        name: DEMO_KEY.to_owned(),
        permissions: vec![
            Permission::ReadMetrics,
            Permission::WriteWebhooks,
            Permission::ReadUsers,
            Permission::ReadEvents,
        ],
        ..Wish::default()
    };
    let year = Duration::from_secs(365 * 86_400);
    let (secret, _) = make_key(context, store, wish, Some(year), Actor::System).await?;
    Ok(Some(secret))
}
