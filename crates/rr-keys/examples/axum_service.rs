//! An axum service whose routes need an API key.
//!
//! `cargo run -p rr-keys --example axum_service --features memory,tower`, then `curl` what it prints.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
#![expect(clippy::expect_used, reason = "without a random source there is nothing to go on with")]
#![expect(
    clippy::disallowed_methods,
    reason = "a program makes the clock and the random source; libraries take them"
)]

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Extension, Router};
use rr_keys::adapters::TowerGate;
use rr_keys::{
    Grant, HashScheme, KeyFormat, KeyRecord, KeyStore, MemoryStore, Verifier, VerifierOptions,
};
use uuid::Uuid;

/// The routes. `/health` is open; each of the others says what a key must carry.
pub(crate) fn app<S: KeyStore>(verifier: Arc<Verifier<S>>) -> Router {
    let gate = TowerGate::new(verifier, SystemTime::now, |request| {
        Some(request.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())
    })
    .realm("orders");

    Router::new()
        .route("/orders", get(orders).route_layer(gate.requires("read_orders")))
        .route("/orders/{id}", get(orders).route_layer(gate.requires_for(of_path)))
        .route("/refunds", get(refunds).route_layer(gate.requires("read_refunds")))
        .route("/whoami", get(whoami).route_layer(gate.any_key()))
        .route("/health", get(|| async { "fine" }))
}

/// `/orders/17` needs `read:orders/17`, which `read:orders/*` covers.
fn of_path(request: &Parts) -> String {
    format!("read:{}", request.uri.path().trim_start_matches('/'))
}

async fn orders(Extension(key): Extension<Grant>) -> String {
    format!("orders for {}\n", key.record().name)
}

async fn refunds() -> &'static str {
    "no refunds\n"
}

async fn whoami(Extension(key): Extension<Grant>) -> String {
    format!("{} {}\n", key.key_id(), key.record().name)
}

#[tokio::main(flavor = "current_thread")]
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
            ..KeyRecord::new(Uuid::from_u128(1), "first key", now)
        },
    );

    let verifier = Arc::new(Verifier::new(store, VerifierOptions::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("curl -H 'x-api-key: {}' http://{address}/orders", issued.secret.expose());

    let service = app(verifier).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}
