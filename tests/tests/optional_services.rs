//! Payments and the assistant, which are not there yet: 503, and the truth about why.

use rr_tests::app::TestApp;
use rr_tests::client::Client;
use rr_tests::database::TestDatabase;
use rr_tests::process::Program;
use serde_json::json;

const PAYMENTS: &[&str] = &[
    "/create-membership-session",
    "/create-reseller-session",
    "/create-pro-reseller-session",
    "/create-tripwire-session",
    "/create-payment-intent",
    "/webhook",
    "/api/stripe/webhook",
];

/// What stands in `detail` of every answer.
async fn refusals(client: &Client) -> Vec<String> {
    let mut details = Vec::new();
    let told = |problem: serde_json::Value| problem["detail"].as_str().unwrap().to_owned();
    for path in PAYMENTS {
        let body = json!({"referrer_username": "affiliate1"});
        details.push(told(client.post(path, &body).await.problem(503, "payments_unavailable")));
        client.call("POST", path).await.problem(503, "payments_unavailable");
    }
    let question = json!({"message": "hello"});
    let answer = client.post("/api/ai-assistant", &question).await;
    details.push(told(answer.problem(503, "assistant_unavailable")));
    details
}

#[tokio::test]
async fn what_is_not_there_yet_says_so() {
    let app = TestApp::init().await;
    for detail in refusals(&app.as_admin().await).await {
        assert!(detail.contains("yet"), "{detail}");
    }
}

/// Nobody is sent to look for a setting that is there.
#[tokio::test]
async fn nor_does_it_blame_the_configuration() {
    let database = TestDatabase::migrated().await;
    let server = Program::new(database.url(), ["serve"])
        .env("STRIPE_SECRET_KEY", "sk_test_of_somebody")
        .env("STRIPE_WEBHOOK_SECRET", "whsec_of_somebody")
        .env("OPENAI_API_KEY", "sk-of-somebody")
        .serve()
        .await;
    for detail in refusals(&server.client()).await {
        assert!(detail.contains("yet") && !detail.contains("not configured"), "{detail}");
    }
}
