//! `rebuild`: the ledger made anew from the facts.

use rr_store::Actor;
use serde_json::json;

use super::{Context, database};
use crate::cli::Rebuild;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

pub(super) async fn run(context: &Context, args: &Rebuild) -> Result<(), Failure> {
    let store = database::open_for_bulk(context).await?;
    let mut shown = None;
    let outcome = store
        .rebuild(context.audit(Actor::CommandLine), |progress| {
            shown.get_or_insert_with(|| Progress::new("rebuilding", progress.of)).at(progress.done);
        })
        .await;
    drop(shown);
    let seq = match outcome {
        Ok(()) => store.facts_version().await,
        Err(error) => Err(error),
    };
    store.close().await;
    let seq = seq?;
    if args.json {
        output::json(&json!({ "seq": seq }));
    } else {
        output::line(format!("the ledger was made anew from the facts up to number {seq}"));
    }
    Ok(())
}
