//! Payments and the assistant, which answer 503 until they are configured.

use rr_tests::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn what_is_not_configured_says_so() {
    let app = TestApp::init().await;
    for path in [
        "/create-membership-session",
        "/create-reseller-session",
        "/create-pro-reseller-session",
        "/create-tripwire-session",
        "/create-payment-intent",
        "/webhook",
        "/api/stripe/webhook",
    ] {
        let body = json!({"referrer_username": "affiliate1"});
        app.post(path, &body).await.problem(503, "payments_unavailable");
        app.call("POST", path).await.problem(503, "payments_unavailable");
    }
    let admin = app.as_admin().await;
    admin
        .post("/api/ai-assistant", &json!({"message": "hello"}))
        .await
        .problem(503, "assistant_unavailable");
}
