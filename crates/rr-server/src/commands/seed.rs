//! `seed`: the demo data, or an invented history.

use std::time::Duration;

use rr_domain::Timestamp;
use rr_store::{Actor, Store};
use serde_json::json;

use super::{Context, database};
use crate::bulk::{self, Written};
use crate::cli::Seed;
use crate::failure::Failure;
use crate::interrupt;
use crate::output;
use crate::progress::Progress;
use crate::seed::{self, History, Plan};

pub(super) async fn run(context: &Context, args: Seed) -> Result<(), Failure> {
    let plan = args.users.map(|users| plan(context, &args, users)).transpose()?;
    let store = database::open_for_bulk(context).await?;
    let outcome = fill(context, &args, plan, &store).await;
    store.close().await;
    let written = outcome?;
    if args.json {
        output::json(&json!({ "new": written, "until": plan.map(|plan| plan.until) }));
    } else {
        output::line(format!("new: {} users, {} facts", written.users, written.facts));
    }
    Ok(())
}

async fn fill(
    context: &Context,
    args: &Seed,
    plan: Option<Plan>,
    store: &Store,
) -> Result<Written, Failure> {
    if !args.force && !store.is_empty().await? {
        return Err(Failure::trouble(
            "the database already holds users or facts, and invented ones would mix with them; \
             take an empty database, or --force",
        ));
    }
    match plan {
        None => seed::demo(store, &context.config.admin, context.audit(Actor::CommandLine)).await,
        Some(plan) => invent(context, plan, store).await,
    }
}

async fn invent(context: &Context, plan: Plan, store: &Store) -> Result<Written, Failure> {
    let stop = interrupt::listen();
    let history = History::new(plan).map_err(|error| Failure::Trouble(error.into()))?;
    let audit = context.audit(Actor::CommandLine);
    let (written, end) = bulk::write(store, &audit, &stop, move |sink| {
        let mut progress = Progress::new("inventing", plan.users);
        let mut users = 0_u64;
        for item in history {
            if matches!(item, bulk::Item::User(_)) {
                users += 1;
                if users.is_multiple_of(1_024) {
                    progress.at(users);
                }
            }
            sink.push([item])?;
        }
        Ok(())
    })
    .await?;
    match end {
        Some(()) => Ok(written),
        None => Err(Failure::trouble(format!(
            "stopped after {} users; the history is not whole, so take a fresh database",
            written.users
        ))),
    }
}

fn plan(context: &Context, args: &Seed, users: u64) -> Result<Plan, Failure> {
    let until = match &args.until {
        Some(text) => Timestamp::parse(text)
            .map_err(|error| Failure::Usage(format!("--until: {text:?} is {error}")))?,
        None => last_midnight(context.clock.now()),
    };
    Ok(Plan { users, seed: args.seed, days: args.days, until })
}

fn last_midnight(now: Timestamp) -> Timestamp {
    let since = now.micros().rem_euclid(86_400_000_000);
    now.minus(Duration::from_micros(u64::try_from(since).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_ends_at_the_last_midnight() {
        for (now, midnight) in [
            ("2025-03-04T05:06:07.8Z", "2025-03-04T00:00:00Z"),
            ("2025-03-04T00:00:00Z", "2025-03-04T00:00:00Z"),
        ] {
            assert_eq!(last_midnight(Timestamp::parse(now).unwrap()).to_string(), midnight);
        }
    }
}
