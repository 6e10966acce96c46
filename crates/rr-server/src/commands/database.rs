//! Opening the store for a command.

use rr_store::{Store, StoreError, StoreOptions};

use super::Context;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

/// The store, whatever the state of its schema.
pub(crate) fn open(context: &Context) -> Result<Store, Failure> {
    Ok(Store::open(options(context))?)
}

fn options(context: &Context) -> StoreOptions {
    let config = &context.config.database;
    let mut options = StoreOptions::new(config.url.clone());
    options.readers = config.readers;
    options.batch = config.batch;
    options.queue = config.queue;
    options.key_schemes = context.config.keys.schemes.clone();
    options
}

/// The store of a database that is there and current, for commands that find nothing in a new one:
/// they make no file and change no schema.
pub(crate) async fn open_existing(context: &Context) -> Result<Store, Failure> {
    require_file(context)?;
    let store = open(context)?;
    match store.ready().await {
        Ok(()) => Ok(store),
        Err(error @ StoreError::Outdated) => {
            Err(Failure::trouble(format!("{error}: {}", error.advice())))
        }
        Err(error) => Err(error.into()),
    }
}

fn require_file(context: &Context) -> Result<(), Failure> {
    if is_there(context) {
        return Ok(());
    }
    let url = &context.config.database.url;
    Err(Failure::trouble(format!(
        "there is no database at {url} yet; name another with --database-url or RR_DATABASE_URL, or \
         make this one with `revenue-ripple migrate up` (the server does it at its start)"
    )))
}

/// Whether the database's file is there; of a PostgreSQL only connecting can tell.
pub(crate) fn is_there(context: &Context) -> bool {
    context.config.database.url.sqlite_path().is_none_or(std::path::Path::exists)
}

/// The store, with its schema and its ledger brought up to date first: a command must work on a
/// fresh machine, and on a database of an older release.
pub(crate) async fn open_current(context: &Context) -> Result<Store, Failure> {
    bring_up_to_date(open(context)?).await
}

/// The same, for commands that write millions of rows.
pub(crate) async fn open_for_bulk(context: &Context) -> Result<Store, Failure> {
    let options = StoreOptions { bulk: true, ..options(context) };
    bring_up_to_date(Store::open(options)?).await
}

async fn bring_up_to_date(store: Store) -> Result<Store, Failure> {
    for name in store.migrate().await? {
        output::note(format!("applied migration {name}"));
    }
    catch_up(&store, "taking in older facts").await?;
    Ok(store)
}

/// Brings the ledger up to its facts; shows how far it is, when there is anything to do.
pub(crate) async fn catch_up(store: &Store, label: &'static str) -> Result<(), StoreError> {
    let mut shown = None;
    store
        .catch_up(|progress| {
            shown.get_or_insert_with(|| Progress::new(label, progress.of)).at(progress.done);
        })
        .await
}
