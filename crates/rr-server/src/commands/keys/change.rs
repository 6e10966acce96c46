//! `keys change`: a key's name, reach and life, and whether it is on.

use rr_http::key_words;
use rr_keys::{Quotas, RateLimits};
use rr_store::{Actor, KeyPatch, UpdateKey};

use super::{
    DAY, Listed, SERVERS_NOTICE, first_instant, limits, networks, notes, permissions, remark, usage,
};
use crate::cli::{KeyWishes, KeysChange};
use crate::commands::{Context, database};
use crate::failure::Failure;
use crate::output;

pub(super) async fn run(context: &Context, args: &KeysChange) -> Result<(), Failure> {
    let patch = patch(&args.wishes, context)?; // said before a database is touched
    let store = database::open_existing(context).await?;
    let changed = store.update_key(args.id, patch, context.audit(Actor::CommandLine)).await;
    store.close().await;
    let id = args.id;
    let why = match changed? {
        UpdateKey::Updated(key) => {
            tokio::time::sleep(SERVERS_NOTICE).await;
            let now = context.clock.now();
            if args.json {
                output::json(&Listed::of(key, now));
            } else {
                let (status, _) = remark(&key, now);
                output::line(format!("key {id} \"{}\" is changed: {status}", key.record.name));
            }
            return Ok(());
        }
        UpdateKey::NoSuchKey => return Err(Failure::trouble(format!("there is no key {id}"))),
        UpdateKey::Revoked => "was revoked, which is for good: only name and notes can change",
        UpdateKey::EndsBeforeItBegins => "would end before it begins",
        // The command line is bound by no permissions.
        UpdateKey::BeyondReach(..) | UpdateKey::WidensItself(_) => "cannot be changed from here",
    };
    Err(Failure::trouble(format!("key {id} {why}")))
}

fn patch(wishes: &KeyWishes, context: &Context) -> Result<KeyPatch, Failure> {
    let name = wishes.name.as_deref().map(key_words::name).transpose();
    let some = |texts: &[String]| (!texts.is_empty()).then(|| texts.to_vec());
    let rate_limits = some(&wishes.rate_limits).map(|texts| limits::rate_limits(&texts));
    let quotas = some(&wishes.quotas).map(|texts| limits::quotas(&texts));
    let ends_in = wishes.expires_in_days.map(|days| Some(context.clock.now().plus(DAY * days)));
    Ok(KeyPatch {
        name: name.map_err(|detail| usage("--name", detail))?,
        permissions: some(&wishes.permissions)
            .map(|names| permissions(&names))
            .transpose()?
            .map(|all| all.iter().map(|permission| permission.name()).collect()),
        expires_at: ends_in.or(wishes.never_expires.then_some(None)),
        rate_limits: rate_limits
            .transpose()
            .map_err(|detail| usage("--rate-limit", &detail))?
            .or(wishes.no_rate_limits.then(RateLimits::default)),
        quotas: quotas
            .transpose()
            .map_err(|detail| usage("--quota", detail))?
            .or(wishes.no_quotas.then(Quotas::default)),
        allowed_ips: some(&wishes.allowed_ips)
            .map(|texts| networks(&texts))
            .transpose()?
            .or(wishes.allow_anywhere.then(Default::default)),
        not_before: wishes
            .not_before
            .as_deref()
            .map(|text| first_instant(text).map(Some))
            .transpose()?
            .or(wishes.at_once.then_some(None)),
        metadata: some(&wishes.metadata)
            .map(|texts| notes(&texts))
            .transpose()?
            .or(wishes.no_metadata.then(Default::default)),
        enabled: wishes.enable.then_some(true).or(wishes.disable.then_some(false)),
        ..KeyPatch::default()
    })
}
