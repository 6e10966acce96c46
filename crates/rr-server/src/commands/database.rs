//! Opening the store for a command.

use rr_store::{Store, StoreOptions};

use super::Context;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

/// The store, whatever the state of its schema.
pub(crate) fn open(context: &Context) -> Result<Store, Failure> {
    let config = &context.config.database;
    let mut options = StoreOptions::new(config.url.clone());
    options.readers = config.readers;
    Ok(Store::open(options)?)
}

/// The store, with its schema and its ledger brought up to date first: a command must work on a
/// fresh machine, and on a database of an older release.
pub(crate) async fn open_current(context: &Context) -> Result<Store, Failure> {
    let store = open(context)?;
    for name in store.migrate().await? {
        output::note(format!("applied migration {name}"));
    }
    let mut shown = None;
    store
        .catch_up(|progress| {
            shown
                .get_or_insert_with(|| Progress::new("taking in older facts", progress.of))
                .at(progress.done);
        })
        .await?;
    Ok(store)
}
