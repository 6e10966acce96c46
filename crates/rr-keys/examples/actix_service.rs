//! An actix-web service whose handlers name the permission that they need.
//!
//! `cargo run -p rr-keys --example actix_service --features actix,memory`, then `curl` what it prints.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
#![expect(clippy::expect_used, reason = "without a random source there is nothing to go on with")]
#![expect(
    clippy::disallowed_methods,
    reason = "a program makes the clock and the random source; libraries take them"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use rr_keys::adapters::{ActixGate, Allowed, AnyKey, Permission, send_rate_limits};
use rr_keys::{
    HashScheme, KeyFormat, KeyRecord, KeyStore, MemoryStore, RateLimit, RateLimits, Verifier,
    VerifierOptions,
};
use uuid::Uuid;

struct ReadOrders;

impl Permission for ReadOrders {
    const NAME: &'static str = "read_orders";
}

struct ReadRefunds;

impl Permission for ReadRefunds {
    const NAME: &'static str = "read_refunds";
}

async fn orders(key: Allowed<ReadOrders>) -> String {
    format!("orders for {}\n", key.grant().record().name)
}

async fn refunds(_: Allowed<ReadRefunds>) -> &'static str {
    "no refunds\n"
}

async fn whoami(key: AnyKey) -> String {
    format!("{} {}\n", key.grant().key_id(), key.grant().record().name)
}

pub(crate) fn gate<S: KeyStore>(verifier: Arc<Verifier<S>>) -> ActixGate {
    ActixGate::new(verifier, SystemTime::now, |request| Some(request.peer_addr()?.ip()))
        .realm("orders")
}

/// Ten requests in a second, and no more than a thousand in an hour.
pub(crate) fn limits() -> Result<RateLimits, Box<dyn Error>> {
    let limit = |limit, seconds| RateLimit { limit, window: Duration::from_secs(seconds) };
    Ok(RateLimits::new([
        ("burst".parse()?, limit(10.try_into()?, 1)),
        ("sustained".parse()?, limit(1_000.try_into()?, 3_600)),
    ])?)
}

/// The routes. `/health` is open; the others are closed by their handlers' signatures.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/orders", web::get().to(orders))
        .route("/refunds", web::get().to(refunds))
        .route("/whoami", web::get().to(whoami))
        .route("/health", web::get().to(async || "fine"));
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = MemoryStore::new();

    // Only the hash is stored; the secret is shown once and then gone.
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| {
        getrandom::fill(buffer).expect("without the system's random source no key can be made");
    });
    let now = SystemTime::now();
    store.insert(
        issued.hash(&HashScheme::sha256()),
        KeyRecord {
            permissions: ["read_orders"].into_iter().collect(),
            expires_at: Some(now + Duration::from_secs(90 * 24 * 3_600)),
            rate_limits: limits()?,
            ..KeyRecord::new(Uuid::from_u128(1), "first key", now)
        },
    );

    let gate = gate(Arc::new(Verifier::new(store, VerifierOptions::default())));
    let server = HttpServer::new(move || {
        App::new().app_data(gate.clone()).wrap(from_fn(send_rate_limits)).configure(routes)
    })
    .workers(1)
    .bind("127.0.0.1:0")?;
    for address in server.addrs() {
        println!("curl -H 'x-api-key: {}' http://{address}/orders", issued.secret.expose());
    }
    server.run().await?;
    Ok(())
}
