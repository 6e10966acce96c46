//! `keys`: make, list, change, rotate, revoke, report.

mod change;
mod limits;
pub(crate) mod peppers;
mod report_leak;

use std::collections::BTreeMap;
use std::time::Duration;

use rr_domain::{Timestamp, new_id};
use rr_http::{Key, KeyStatus, Permission, key_words};
use rr_keys::{AllowList, KeyFormat, KeyRecord, Quotas, RateLimits, Secret};
use rr_store::{
    Actor, CreateKey, KeyRow, NewKey, Page, PageRequest, RotateKey, Rotation, RotationStart, Store,
    StoreError,
};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Context, database};
use crate::cli::{Keys, KeysCreate, KeysList, KeysRevoke, KeysRotate, UnderPepper};
use crate::failure::Failure;
use crate::output::{self, Grid, Standing};
use crate::permission;

const DAY: Duration = Duration::from_secs(86_400);

/// Servers look for changed keys every 250 milliseconds; by then each has forgotten what it knew.
const SERVERS_NOTICE: Duration = Duration::from_millis(1_000);

/// A key that ends within so many days is pointed out.
const SOON: u32 = 14;

/// How many keys are fetched at a time.
const PAGE: u32 = 500;

pub(super) async fn run(context: &Context, args: Keys) -> Result<(), Failure> {
    match args {
        Keys::Create(args) => create(context, &args).await,
        Keys::List(args) => list(context, &args).await,
        Keys::Change(args) => change::run(context, &args).await,
        Keys::Rotate(args) => rotate(context, &args).await,
        Keys::Revoke(args) => revoke(context, &args).await,
        Keys::Peppers(args) => peppers::run(context, &args).await,
        Keys::ReportLeak(args) => report_leak::run(context, &args).await,
    }
}

async fn create(context: &Context, args: &KeysCreate) -> Result<(), Failure> {
    let wish = Wish::parse(args)?; // said before a database is touched
    let expires = (!args.never_expires).then(|| DAY * args.expires_in_days);
    let end = expires.map(|span| context.clock.now().plus(span));
    if wish.not_before.zip(end).is_some_and(|(start, end)| start >= end) {
        return Err(Failure::Usage("--not-before: the key must begin before it ends".to_owned()));
    }
    let store = database::open_current(context).await?;
    let made = make(context, &store, wish, expires, Actor::CommandLine).await;
    peppers::note_unknown(&store).await;
    store.close().await;
    let (secret, key) = made?;
    let permissions: Vec<&str> = key.record.permissions.iter().collect();
    if args.json {
        output::json(&json!({
            "api_key": secret.expose(),
            "key_id": key.record.id,
            "name": key.record.name,
            "permissions": permissions,
            "created_at": Timestamp::from_system_time(key.record.created_at),
            "expires_at": key.record.expires_at.map(Timestamp::from_system_time),
        }));
        return Ok(());
    }
    // The key alone is the result, so that a shell can catch it.
    output::note(format!("key {} \"{}\"", key.record.id, key.record.name));
    output::note(format!("may {}", permissions.join(", ")));
    if !key.record.rate_limits.is_empty() {
        output::note(format!("at most {}", limits::text(&key.record.rate_limits)));
    }
    output::note("it is shown this once:");
    output::line(secret.expose());
    Ok(())
}

/// What a key should be.
#[derive(Default)]
pub(crate) struct Wish {
    pub(crate) name: String,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) allowed_ips: AllowList,
    pub(crate) owner: Option<String>,
    pub(crate) rate_limits: RateLimits,
    pub(crate) quotas: Quotas,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Wish {
    fn parse(args: &KeysCreate) -> Result<Wish, Failure> {
        let name = key_words::name(&args.name).map_err(|detail| usage("--name", detail))?;
        let owner = args.owner.as_deref().map(key_words::owner).transpose();
        let rate_limits = limits::rate_limits(&args.rate_limits);
        let quotas = limits::quotas(&args.quotas);
        let permissions = if args.permissions.is_empty() {
            Permission::DEFAULT.to_vec()
        } else {
            permissions(&args.permissions)?
        };
        Ok(Wish {
            name,
            permissions,
            not_before: args.not_before.as_deref().map(first_instant).transpose()?,
            allowed_ips: networks(&args.allowed_ips)?,
            owner: owner.map_err(|detail| usage("--owner", detail))?,
            rate_limits: rate_limits.map_err(|detail| usage("--rate-limit", &detail))?,
            quotas: quotas.map_err(|detail| usage("--quota", detail))?,
            metadata: notes(&args.metadata)?,
        })
    }
}

fn usage(flag: &str, detail: &str) -> Failure {
    Failure::Usage(format!("{flag}: {detail}"))
}

fn first_instant(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse(text.trim()).map_err(|_| usage("--not-before", "must be an RFC 3339 time"))
}

fn notes(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let notes = texts.iter().map(|text| {
        let pair = text.split_once('=').ok_or_else(|| usage("--metadata", "must be NAME=TEXT"));
        pair.map(|(name, note)| (name.to_owned(), note.to_owned()))
    });
    key_words::notes(notes.collect::<Result<_, Failure>>()?)
        .map_err(|(_, detail)| usage("--metadata", detail))
}

fn permissions(names: &[String]) -> Result<Vec<Permission>, Failure> {
    let parsed: Result<Vec<_>, String> =
        names.iter().map(|name| permission::parse(name.trim())).collect();
    parsed.map_err(|reason| usage("--permission", &reason))
}

fn networks(texts: &[String]) -> Result<AllowList, Failure> {
    AllowList::parse(texts.iter().map(|network| network.trim()))
        .map_err(|error| usage("--allow-ip", &error.to_string()))
}

/// Makes and stores a key; the secret exists only in what is returned.
pub(crate) async fn make(
    context: &Context,
    store: &Store,
    wish: Wish,
    expires_in: Option<Duration>,
    actor: Actor,
) -> Result<(Secret, KeyRow), Failure> {
    let audit = context.audit(actor);
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| context.random.fill(buffer));
    let record = KeyRecord {
        permissions: wish.permissions.iter().map(|permission| permission.name()).collect(),
        not_before: wish.not_before.map(Timestamp::to_system_time),
        expires_at: expires_in.map(|span| audit.at.plus(span).to_system_time()),
        allowed_ips: wish.allowed_ips,
        owner: wish.owner,
        rate_limits: wish.rate_limits,
        quotas: wish.quotas,
        metadata: wish.metadata,
        ..KeyRecord::new(new_id(audit.at, &context.random), wish.name, audit.at.to_system_time())
    };
    let key = NewKey {
        record,
        hash: store.key_schemes().hash(&issued),
        hint: issued.hint,
        created_by: match actor {
            Actor::System => "system".to_owned(),
            _ => "command-line".to_owned(),
        },
        last_used_at: None,
    };
    match store.create_key(key, None, audit).await? {
        CreateKey::Created(row) => Ok((issued.secret, row)),
        CreateKey::AlreadyCreated(id) => {
            Err(Failure::trouble(format!("the new key is already there under the id {id}")))
        }
    }
}

async fn list(context: &Context, args: &KeysList) -> Result<(), Failure> {
    let store = database::open_existing(context).await?;
    let now = context.clock.now();
    let keys = match (args.expiring, args.pepper) {
        (Some(days), _) => {
            every(async |page| store.expiring_keys(now, now.plus(DAY * days), page).await).await
        }
        (None, Some(UnderPepper(pepper))) => {
            every(async |page| store.keys_under_pepper(pepper, now, page).await).await
        }
        (None, None) => all(&store).await,
    };
    store.close().await;
    let keys = keys?;
    if args.json {
        let keys: Vec<Listed> = keys.into_iter().map(|key| Listed::of(key, now)).collect();
        output::json(&json!({ "keys": keys }));
        return Ok(());
    }
    let mut grid = Grid::new(&[
        "ID",
        "NAME",
        "KEY",
        "STATUS",
        "PERMISSIONS",
        "LIMITS",
        "EXPIRES",
        "LAST USED",
        "USES",
    ]);
    for key in &keys {
        let (status, standing) = remark(key, now);
        // What was never needed stands in brackets.
        let unused = key.unused_permissions();
        let permissions: Vec<String> = key
            .record
            .permissions
            .iter()
            .map(|own| if unused.contains(&own) { format!("({own})") } else { own.to_owned() })
            .collect();
        let expires = key.record.expires_at.map(Timestamp::from_system_time);
        grid.row([
            output::text(key.record.id),
            output::text(&key.record.name),
            output::text(format!("{}…", key.hint)),
            grid.standing(status, standing),
            output::text(permissions.join(" ")),
            output::text(limits::text(&key.record.rate_limits)),
            output::text(expires.map_or("never".to_owned(), day)),
            output::text(key.last_used_at.map_or("never".to_owned(), |at| at.to_string())),
            output::number(key.use_count),
        ]);
    }
    grid.print();
    Ok(())
}

/// Every key, newest first.
pub(crate) async fn all(store: &Store) -> Result<Vec<KeyRow>, Failure> {
    every(async |page| store.keys(page).await).await
}

/// The keys of all pages.
async fn every(
    fetch: impl AsyncFn(PageRequest) -> Result<Page<KeyRow>, StoreError>,
) -> Result<Vec<KeyRow>, Failure> {
    let mut keys = Vec::new();
    let mut cursor = None;
    loop {
        let page = fetch(PageRequest { limit: PAGE, cursor }).await?;
        keys.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(keys);
        }
    }
}

async fn rotate(context: &Context, args: &KeysRotate) -> Result<(), Failure> {
    let store = database::open_existing(context).await?;
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| context.random.fill(buffer));
    let rotation = Rotation {
        key_id: args.id,
        hash: store.key_schemes().hash(&issued),
        hint: issued.hint,
        grace: Duration::from_secs(u64::from(args.grace_seconds)),
        start: if args.on_first_use { RotationStart::FirstUse } else { RotationStart::Now },
        at_most: None,
    };
    let rotated = store.rotate_key(rotation, None, context.audit(Actor::CommandLine)).await;
    peppers::note_unknown(&store).await;
    store.close().await;
    let grace_until = granted(rotated?, args.id)?;
    // Before the wait: whoever interrupts it has the new secret all the same.
    if args.json {
        output::json(&json!({
            "api_key": issued.secret.expose(),
            "key_id": args.id,
            "grace_until": grace_until,
        }));
    } else {
        output::note(format!("key {} has a new secret, shown this once:", args.id));
        output::line(issued.secret.expose());
    }
    tokio::time::sleep(SERVERS_NOTICE).await;
    if !args.json {
        output::note(match grace_until {
            None => format!(
                "the old secret works until {} seconds after the first use of this one",
                args.grace_seconds
            ),
            Some(_) if args.grace_seconds == 0 => {
                "no server accepts the old secret any more".to_owned()
            }
            Some(grace_until) => format!("the old secret works until {grace_until}"),
        });
    }
    Ok(())
}

/// When the old secret ends, if it does yet, or why there is no new one.
fn granted(outcome: RotateKey, id: Uuid) -> Result<Option<Timestamp>, Failure> {
    let why = match outcome {
        RotateKey::Rotated(grace_until) => return Ok(Some(grace_until)),
        RotateKey::Pending => return Ok(None),
        RotateKey::NoSuchKey => return Err(Failure::trouble(format!("there is no key {id}"))),
        RotateKey::Revoked => "was revoked, which is for good; make a new one",
        RotateKey::Expired => "has expired, and a new secret is no new life",
        RotateKey::Disabled => "is disabled; enable it first, with `keys change KEY_ID --enable`",
        // The command line names no request and is bound by no permissions.
        RotateKey::AlreadyRotated | RotateKey::BeyondReach(..) => "cannot be rotated from here",
    };
    Err(Failure::trouble(format!("key {id} {why}")))
}

async fn revoke(context: &Context, args: &KeysRevoke) -> Result<(), Failure> {
    let store = database::open_existing(context).await?;
    let is_there = store.revoke_key(args.id, context.audit(Actor::CommandLine)).await;
    store.close().await;
    if !is_there? {
        return Err(Failure::trouble(format!("there is no key {}", args.id)));
    }
    tokio::time::sleep(SERVERS_NOTICE).await;
    if args.json {
        output::json(&json!({ "key_id": args.id, "revoked": true }));
    } else {
        output::line(format!("key {} is revoked; no server accepts it any more", args.id));
    }
    Ok(())
}

/// A key as over HTTP, and who made it.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    key: Key,
    created_by: String,
}

impl Listed {
    fn of(row: KeyRow, now: Timestamp) -> Listed {
        Listed { created_by: row.created_by.clone(), key: Key::of(row, now) }
    }
}

/// The status in words for people, with what somebody should look at.
fn remark(key: &KeyRow, now: Timestamp) -> (String, Standing) {
    let soon = now.plus(DAY * SOON).to_system_time();
    let ends_soon = key.record.expires_at.is_some_and(|end| end <= soon);
    let is_open = key.leak.as_ref().is_some_and(|leak| !leak.replaced || leak.still_works(now));
    let (word, standing) = match Key::of(key.clone(), now).status() {
        KeyStatus::Active if is_open => ("active, leaked", Standing::Broken),
        KeyStatus::Active if key.pending.is_some() => {
            ("active, new secret pending", Standing::Warning)
        }
        KeyStatus::Active if ends_soon => ("active, ends soon", Standing::Warning),
        KeyStatus::Active => ("active", Standing::Ok),
        KeyStatus::NotYetValid => ("not yet valid", Standing::Warning),
        KeyStatus::Expired => ("expired", Standing::Off),
        KeyStatus::Disabled if is_open => ("disabled, leaked", Standing::Broken),
        KeyStatus::Disabled => ("disabled", Standing::Off),
        KeyStatus::Revoked => ("revoked", Standing::Broken),
        KeyStatus::Leaked => ("leaked", Standing::Broken),
    };
    (word.to_owned(), standing)
}

/// The day of an instant, which is what matters about an expiry.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
