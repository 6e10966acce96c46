//! `keys report-leak`: a secret that somebody found where it should not be.

use rr_keys::KeyFormat;
use rr_store::{Actor, KeyRow, LeakReport, Store};

use super::{Listed, SERVERS_NOTICE, peppers};
use crate::cli::KeysReportLeak;
use crate::commands::{Context, database, stdin};
use crate::failure::Failure;
use crate::output;

pub(super) async fn run(context: &Context, args: &KeysReportLeak) -> Result<(), Failure> {
    let secret = stdin::first_line()?;
    let (format, schemes) = (KeyFormat::REVENUE_RIPPLE, &context.config.keys.schemes);
    let report = LeakReport::found(&format, schemes, secret.expose().trim(), args.url.as_deref());
    let Some(report) = report else {
        let reason = "standard input: its first line is no key of Revenue Ripple";
        return Err(Failure::Usage(reason.to_owned()));
    };
    let store = database::open_current(context).await?;
    let key = settle(context, &store, report).await;
    // What is not configured is not looked for.
    let refused = match &key {
        Ok(None) => peppers::refused(context, &store).await,
        _ => Ok(None),
    };
    store.close().await;
    let Some(key) = key? else {
        let unknown = "no key has, or had, this secret";
        return Err(Failure::trouble(match refused? {
            Some(refused) => format!("{unknown}; but {refused}"),
            None => unknown.to_owned(),
        }));
    };
    tokio::time::sleep(SERVERS_NOTICE).await;
    let now = context.clock.now();
    if args.json {
        output::json(&Listed::of(key, now));
        return Ok(());
    }
    let works = key.leak.as_ref().is_some_and(|leak| leak.still_works(now));
    let name = format!("key {} \"{}\"", key.record.id, key.record.name);
    output::line(match (works, key.record.enabled) {
        (true, _) => format!("{name} is marked; its secret still works, as RR_LEAK_POLICY says"),
        (false, true) => format!("{name} goes on; no server accepts this secret of it"),
        (false, false) => format!("{name} is disabled; no server accepts this secret any more"),
    });
    Ok(())
}

/// The key of the secret, marked and judged by the policy.
async fn settle(
    context: &Context,
    store: &Store,
    report: LeakReport,
) -> Result<Option<KeyRow>, Failure> {
    let policy = context.config.leaks.policy;
    let audit = context.audit(Actor::CommandLine);
    let known = store.known_secrets(vec![report.clone()], policy, audit.at).await?;
    let Some(Some(known)) = known.first().copied() else { return Ok(None) };
    if !known.settled {
        store.report_leaks(vec![report], policy, audit).await?;
    }
    Ok(store.key(known.key_id).await?)
}
