//! When the database is in trouble: a clear message, 503 while it lasts, recovery without a
//! restart, and nothing acknowledged that was not stored.

mod on_postgres;
mod on_sqlite;

use std::time::Duration;

use rr_tests::client::Client;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(30);

async fn send(client: &Client, name: &str) -> rr_tests::client::Answer {
    client.post("/api/devops/webhook", &json!({"event_type": name})).await
}
