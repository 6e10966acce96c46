//! `doctor`: for each part, whether it is configured, reachable, missing, and what to do.
//!
//! It changes nothing: a database file that is not there is not made.

use rr_admin::Panel;
use rr_store::{LeakPolicy, PepperPlace, Store, StoreError};
use serde::Serialize;
use serde_json::json;

use super::peppers::left;
use super::{Context, database};
use crate::cli::Doctor;
use crate::config::{exposure, secret::Secret};
use crate::failure::Failure;
use crate::output::{self, Grid, Standing};

/// What was found out about one part.
#[derive(Debug, Serialize)]
struct Finding {
    part: &'static str,
    standing: Standing,
    state: String,
    /// What to do, where something is to be done.
    advice: Option<String>,
}

impl Finding {
    fn new(part: &'static str, standing: Standing, state: impl Into<String>) -> Finding {
        Finding { part, standing, state: state.into(), advice: None }
    }

    fn advise(self, advice: impl Into<String>) -> Finding {
        Finding { advice: Some(advice.into()), ..self }
    }
}

pub(super) async fn run(context: &Context, args: &Doctor) -> Result<(), Failure> {
    let mut findings = vec![configuration(context)];
    findings.extend(data(context).await);
    findings.push(panel(context));
    findings.push(webhook_secret(context));
    findings.push(leaks(context));
    findings.extend(services(context));
    let is_broken = findings.iter().any(|finding| finding.standing == Standing::Broken);
    if args.json {
        output::json(&json!({ "ok": !is_broken, "parts": findings }));
    } else {
        print(&findings);
    }
    if is_broken { Err(Failure::Reported) } else { Ok(()) }
}

fn print(findings: &[Finding]) {
    let mut grid = Grid::new(&["PART", "", "STATE"]);
    for finding in findings {
        let word = match finding.standing {
            Standing::Ok => "ok",
            Standing::Off => "off",
            Standing::Warning => "look",
            Standing::Broken => "BROKEN",
        };
        let word = grid.standing(word, finding.standing);
        grid.row([output::text(finding.part), word, output::text(&finding.state)]);
        if let Some(advice) = &finding.advice {
            grid.row([output::text(""), output::text(""), output::text(format!("→ {advice}"))]);
        }
    }
    grid.print();
}

fn configuration(context: &Context) -> Finding {
    const PART: &str = "configuration";
    let config = &context.config;
    let file = match &config.file {
        Some(path) => format!("{} and the environment", path.display()),
        None => "the environment; no file".to_owned(),
    };
    if let Err(error) = exposure::check(config) {
        return Finding::new(PART, Standing::Broken, error.to_string())
            .advise("set what is named, or listen on a loopback address");
    }
    let state = format!("from {file}; serving on {}", config.http.bind);
    match exposure::warning(config) {
        Some(warning) => Finding::new(PART, Standing::Warning, state).advise(warning),
        None => Finding::new(PART, Standing::Ok, state),
    }
}

/// Database, migrations, durability, administrator: each needs the one before.
async fn data(context: &Context) -> Vec<Finding> {
    let url = &context.config.database.url;
    if !database::is_there(context) {
        let finding =
            Finding::new("database", Standing::Warning, format!("{url}: no such file yet"))
                .advise("`revenue-ripple serve` or `revenue-ripple migrate up` makes it");
        return vec![finding];
    }
    let store = match database::open(context) {
        Ok(store) => store,
        Err(failure) => return vec![broken("database", url, &failure)],
    };
    let mut findings = Vec::new();
    match store.migration_status().await {
        Err(error) => findings.push(broken("database", url, &error.into())),
        Ok(migrations) => {
            findings.push(Finding::new("database", Standing::Ok, format!("{url} answers")));
            let pending = migrations.iter().filter(|migration| !migration.applied).count();
            findings.push(match pending {
                0 => Finding::new(
                    "migrations",
                    Standing::Ok,
                    format!("all {} applied", migrations.len()),
                ),
                _ => Finding::new("migrations", Standing::Broken, format!("{pending} pending"))
                    .advise("`revenue-ripple migrate up`, or start the server, which does it"),
            });
            if pending == 0 {
                findings.push(durability(&store).await);
                findings.push(administrator(&store).await);
                findings.push(key_peppers(context, &store).await);
            }
        }
    }
    store.close().await;
    findings
}

fn broken(part: &'static str, url: &rr_store::DatabaseUrl, failure: &Failure) -> Finding {
    let reason = failure.lines().join(": ");
    Finding::new(part, Standing::Broken, format!("{url}: {reason}")).advise(failure.advice())
}

async fn durability(store: &Store) -> Finding {
    const PART: &str = "durability";
    match store.ready().await {
        Ok(()) => Finding::new(PART, Standing::Ok, "an answered write survives a power cut"),
        Err(error) => {
            let advice = error.advice();
            let reason = Failure::from(error).lines().join(": ");
            Finding::new(PART, Standing::Broken, reason).advise(advice)
        }
    }
}

async fn administrator(store: &Store) -> Finding {
    const PART: &str = "administrator";
    let answer: Result<bool, StoreError> = store.can_anyone_sign_in().await;
    match answer {
        Ok(true) => Finding::new(PART, Standing::Ok, "somebody can sign in"),
        Ok(false) => Finding::new(PART, Standing::Warning, "nobody can sign in to the panel")
            .advise("`revenue-ripple admin create --email …`"),
        Err(error) => {
            Finding::new(PART, Standing::Broken, error.to_string()).advise(error.advice())
        }
    }
}

async fn key_peppers(context: &Context, store: &Store) -> Finding {
    const PART: &str = "key peppers";
    let uses = match store.pepper_uses(context.clock.now()).await {
        Ok(uses) => uses,
        Err(error) => {
            return Finding::new(PART, Standing::Broken, error.to_string()).advise(error.advice());
        }
    };
    if let Some(left) = left(&uses, PepperPlace::Unknown) {
        let state = format!("keys are refused, for their pepper is not configured: {left}");
        return Finding::new(PART, Standing::Broken, state).advise(
            "name it in RR_KEY_PEPPERS again, or rotate or revoke what `keys list --pepper …` shows",
        );
    }
    let newest = uses.first().and_then(|newest| newest.pepper);
    match (newest, left(&uses, PepperPlace::Older)) {
        (None, _) => Finding::new(PART, Standing::Off, "none: keys stand under their SHA-256"),
        (Some(number), None) => {
            Finding::new(PART, Standing::Ok, format!("every key stands under pepper {number}"))
        }
        (Some(number), Some(left)) => {
            let state = format!("new keys stand under pepper {number}; moved when used: {left}");
            Finding::new(PART, Standing::Ok, state)
        }
    }
}

fn panel(context: &Context) -> Finding {
    let random = context.random.clone();
    if Panel::new(move |buffer| random.fill(buffer)).is_built() {
        Finding::new("panel", Standing::Ok, "built into this program")
    } else {
        Finding::new("panel", Standing::Warning, "not built into this program")
            .advise("`cargo xtask ui`, then build again")
    }
}

fn webhook_secret(context: &Context) -> Finding {
    const PART: &str = "webhook secret";
    match &context.config.webhook.secret {
        None => Finding::new(PART, Standing::Off, "not set: a key is enough to send events")
            .advise("set DEVOPS_WEBHOOK_SECRET to demand signatures as well"),
        Some(secret) => match secret.weakness(16) {
            None => Finding::new(PART, Standing::Ok, "set: events must be signed"),
            Some(reason) => Finding::new(PART, Standing::Warning, format!("set, but it {reason}"))
                .advise("make one with `openssl rand -hex 32`"),
        },
    }
}

fn leaks(context: &Context) -> Finding {
    const PART: &str = "leaked keys";
    let leaks = &context.config.leaks;
    let policy = match leaks.policy {
        LeakPolicy::Disable => "a reported secret ends",
        LeakPolicy::Notify => "a reported secret is marked and works on (RR_LEAK_POLICY)",
    };
    match &leaks.github {
        Some(github) => {
            let state = format!("{policy}; GitHub's keys from {}", github.path.display());
            Finding::new(PART, Standing::Ok, state)
        }
        None => Finding::new(PART, Standing::Ok, format!("{policy}; no alerts from GitHub")).advise(
            "to take them, set RR_GITHUB_SECRET_SCANNING_KEYS to a file with GitHub's public keys",
        ),
    }
}

/// These are read and checked for form; calling them is not part of this version.
fn services(context: &Context) -> [Finding; 3] {
    let config = &context.config;
    let stripe = [
        ("STRIPE_SECRET_KEY", config.stripe.secret_key.is_some()),
        ("STRIPE_WEBHOOK_SECRET", config.stripe.webhook_secret.is_some()),
        ("STRIPE_PRICE_…", !config.stripe.prices.is_empty()),
    ];
    let openai = [("OPENAI_API_KEY", config.openai.api_key.is_some())];
    let supabase = [
        ("SUPABASE_URL", config.supabase.url.is_some()),
        ("SUPABASE_JWT_SECRET", config.supabase.jwt_secret.is_some()),
        ("SUPABASE_SERVICE_ROLE_KEY", is_set(&config.supabase.service_role_key)),
    ];
    [
        service("Stripe", &config.stripe.api_base, &stripe),
        service("OpenAI", &config.openai.base_url, &openai),
        service("Supabase", config.supabase.url.as_deref().unwrap_or_default(), &supabase),
    ]
}

fn is_set(secret: &Option<Secret>) -> bool {
    secret.is_some()
}

fn service(part: &'static str, base: &str, settings: &[(&str, bool)]) -> Finding {
    let names = |wanted: bool| -> Vec<&str> {
        settings.iter().filter(|(_, is_set)| *is_set == wanted).map(|(name, _)| *name).collect()
    };
    let (set, missing) = (names(true), names(false));
    if set.is_empty() {
        let state = format!("not configured ({} not set)", missing.join(", "));
        return Finding::new(part, Standing::Off, state);
    }
    let state = format!("configured for {base}; this version does not call it yet");
    let finding = Finding::new(part, Standing::Warning, state);
    if missing.is_empty() {
        finding
    } else {
        finding.advise(format!("missing: {}", missing.join(", ")))
    }
}
