//! The CDEvents SDK from crates.io sends what is understood as deployments, incidents, builds and changes.

use std::path::Path;
use std::process::Command;

use rr_tests::app::TestApp;
use rr_tests::sql::rows;
use serde_json::{Value, json};

use crate::{folder, run};

/// Lets it send, and looks at what became of it.
pub(crate) fn talk() -> Result<(), String> {
    let requests = build()?;
    tokio::runtime::Runtime::new().unwrap().block_on(understand(&requests));
    Ok(())
}

/// The requests that the SDK writes, or why it cannot be built.
fn build() -> Result<Vec<Value>, String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/cdevents-sender");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--locked"]).current_dir(sources);
    let output = run(
        cargo.arg("--target-dir").arg(folder().join("cdevents")),
        "the SDK of CDEvents cannot be built",
    )?;
    let lines = String::from_utf8(output.stdout).unwrap();
    Ok(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

async fn understand(requests: &[Value]) {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks", "read_events", "read_metrics"]).await;
    let mut ids = Vec::new();
    for request in requests {
        let mut call = key.call("POST", "/api/devops/webhook").body(
            request["headers"]["content-type"].as_str().unwrap(),
            request["body"].as_str().unwrap(),
        );
        for (name, value) in request["headers"].as_object().unwrap() {
            if name != "content-type" {
                call = call.header(name, value.as_str().unwrap());
            }
        }
        let answer = call.await.expect(200).json();
        ids.push((request["name"].as_str().unwrap(), answer["webhook_id"].clone()));
    }
    let id = |name: &str| &ids.iter().find(|(known, _)| *known == name).unwrap().1;
    assert_eq!(id("deployed, again"), id("deployed"), "source and id tell a repeat");

    let list = key.get("/api/devops/events").await.json();
    let events = list["events"].as_array().unwrap();
    assert_eq!(events.len(), 10);
    assert!(events.iter().all(|event| event["source"] == "/ci/main"), "{list}");
    let detected = events.iter().find(|event| event["id"] == *id("detected")).unwrap();
    assert_eq!(detected["event_type"], "dev.cdevents.incident.detected.0.3.0");
    assert_eq!(detected["occurred_at"], "2026-01-10T14:00:00Z");

    let told = "SELECT count(*) AS value, 1 AS n, kind || ' ' || coalesce(state, '') AS figure \
        FROM meanings GROUP BY figure ORDER BY figure";
    let told: Vec<(String, i64)> = rows(app.database.url(), told)
        .await
        .into_iter()
        .map(|row| (row.figure, row.value))
        .collect();
    let expected = [
        ("build failed", 1),
        ("build succeeded", 1),
        ("change ", 1),
        ("deployment succeeded", 5),
        ("incident detected", 1),
        ("incident resolved", 1),
    ];
    assert_eq!(told, expected.map(|(kind, count)| (kind.to_owned(), count)));

    let window = "from=2026-01-05T00:00:00Z&to=2026-01-15T00:00:00Z";
    let dora = key.get(&format!("/api/devops/dora?{window}")).await.expect(200).json();
    let [shop, till] = dora["services"].as_array().unwrap().as_slice() else { panic!("{dora}") };
    assert_eq!((&shop["service"], &shop["environment"]), (&json!("shop"), &json!("production")));
    assert_eq!(shop["deployments"], 3);
    assert_eq!(shop["recovery_time_s"], 3_600);
    assert_eq!(till["deployments"], 2, "as older releases of the specification say it");
    let link = &shop["links"][0];
    assert_eq!((&link["link"], &link["confidence"]), (&json!("id"), &json!("high")));
    assert_eq!(link["deployment"], *id("deployed"), "the link names it, though another came after");
}
