//! `GET /api/devops/dora`: what the tools tell becomes figures of delivery.

use rr_tests::app::{Key, TestApp};
use serde_json::{Value, json};

const DORA: &str = "/api/devops/dora";
const WEBHOOK: &str = "/api/devops/webhook";

async fn keys(app: &TestApp) -> Key {
    app.with_key(&["write_webhooks", "read_metrics"]).await
}

async fn github(key: &Key, event: &str, body: &Value) {
    key.post(WEBHOOK, body).header("x-github-event", event).await.expect(200);
}

fn status(id: u32, state: &str, sha: &str, at: &str) -> Value {
    json!({
        "deployment_status": {"state": state, "created_at": at, "environment": "prod"},
        "deployment": {"id": id, "sha": sha, "created_at": "2026-01-10T09:00:00Z"},
        "repository": {"name": "shop", "full_name": "octo/shop"},
    })
}

/// Pushes and deployments by GitHub, an incident by PagerDuty, a hotfix in the free form.
#[tokio::test]
async fn what_several_tools_tell_becomes_one_set_of_figures() {
    let app = TestApp::init().await;
    let key = keys(&app).await;
    let commit = |sha: &str, at: &str| json!({"id": sha, "timestamp": at});
    github(
        &key,
        "push",
        &json!({
            "ref": "refs/heads/main", "before": "a0", "after": "a2",
            "commits": [commit("a1", "2026-01-09T10:00:00Z"), commit("a2", "2026-01-10T08:00:00Z")],
            "head_commit": {"timestamp": "2026-01-10T08:00:00Z"},
            "repository": {"name": "shop", "full_name": "octo/shop"},
        }),
    )
    .await;
    for (id, state, sha, at) in [
        (1, "success", "a0", "2026-01-08T10:00:00Z"),
        (2, "in_progress", "a2", "2026-01-10T09:30:00Z"),
        (2, "success", "a2", "2026-01-10T10:00:00Z"),
        (3, "failure", "a2", "2026-01-10T10:30:00Z"),
    ] {
        github(&key, "deployment_status", &status(id, state, sha, at)).await;
    }
    let pagerduty = |kind: &str, at: &str| {
        json!({"event": {
            "id": format!("E-{kind}"), "event_type": kind, "resource_type": "incident", "occurred_at": at,
            "data": {"id": "PGR0VU2", "created_at": "2026-01-10T11:00:00Z", "service": {"summary": "shop"}},
        }})
    };
    let begun = pagerduty("incident.triggered", "2026-01-10T11:00:00Z");
    key.post(WEBHOOK, &begun).await.expect(200);
    let path = format!("{DORA}?from=2026-01-01T00:00:00Z&to=2026-01-15T00:00:00Z");
    let before = key.get(&path).await.expect(200).json();
    assert_eq!(before["services"][0]["incidents"]["open"], 1);
    assert_eq!(before["services"][0]["recovery_time_s"], json!(null));

    let hotfix = json!({"event_type": "deployment", "service": "shop", "trigger": "hotfix",
        "status": "success", "timestamp": "2026-01-10T11:45:00Z"});
    let fixed = key.post(WEBHOOK, &hotfix).await.expect(200).json();
    key.post(WEBHOOK, &pagerduty("incident.resolved", "2026-01-10T12:00:00Z")).await.expect(200);
    let after = key.get(&path).await.expect(200).json();
    assert_eq!(after["services"].as_array().unwrap().len(), 1, "{after}");
    let shop = &after["services"][0];
    assert_eq!((&shop["service"], &shop["environment"]), (&json!("shop"), &json!("production")));
    assert_eq!((&shop["deployments"], &shop["failed_deployments"]), (&json!(3), &json!(1)));
    // Two days in the last week, none in the one before.
    assert_eq!(shop["deployment_days_per_week"].to_string(), "1");
    // 24 h for a1 and 2 h for a2: pushes tell what is between a0 and a2.
    assert_eq!(shop["change_lead_time_s"], 13 * 3_600);
    assert_eq!(shop["change_fail_rate"].to_string(), "33.33");
    assert_eq!(shop["recovery_time_s"], 3_600);
    assert_eq!(shop["rework_rate"].to_string(), "33.33");
    let link = &shop["links"][0];
    assert_eq!((&link["link"], &link["confidence"]), (&json!("time"), &json!("low")));
    assert_eq!(link["deployed_at"], "2026-01-10T10:00:00Z");

    // An incident that names its deployment by the id that its sender was told.
    let named = json!({"event_type": "incident", "id": "i2", "caused_by": fixed["webhook_id"],
        "detected_at": "2026-01-14T12:00:00Z"});
    key.post(WEBHOOK, &named).await.expect(200);
    let shop = &key.get(&path).await.json()["services"][0];
    assert_eq!(shop["links"][0]["deployment"], fixed["webhook_id"]);
    assert_eq!(shop["incidents"]["by_id"], 1);
}

/// Who counts 1, 2, 3 shares its ids with others who do, and what goes through several environments keeps its own.
#[tokio::test]
async fn one_id_may_mean_several_things() {
    let app = TestApp::init().await;
    let key = keys(&app).await;
    let at = |time: &str| format!("2026-01-{time}Z");
    let incident = |service: Option<&str>, status: &str, time: &str| {
        json!({"event_type": "incident", "id": "1", "service": service, "status": status,
            "timestamp": at(time)})
    };
    let deployment = |id: &str, environment: Option<&str>, status: &str, time: &str| {
        json!({"event_type": "deployment", "id": id, "service": "cart", "environment": environment,
            "status": status, "timestamp": at(time)})
    };
    for body in [
        incident(Some("cart"), "detected", "10T12:00:00"),
        incident(Some("cart"), "resolved", "10T13:00:00"),
        incident(Some("mail"), "detected", "13T12:00:00"),
        // Without the service, and to be read as about both.
        incident(None, "updated", "13T12:15:00"),
        incident(Some("mail"), "resolved", "13T12:30:00"),
        deployment("d1", Some("staging"), "success", "11T12:00:00"),
        deployment("d1", Some("prod"), "failure", "12T12:00:00"),
        deployment("d1", Some("production"), "success", "12T13:00:00"),
        // Whoever names the environment once need not do so again.
        deployment("d2", Some("staging"), "running", "12T14:00:00"),
        deployment("d2", None, "success", "12T15:00:00"),
    ] {
        key.post(WEBHOOK, &body).await.expect(200);
    }
    let read = key.get(&format!("{DORA}?to=2026-01-15T00:00:00Z")).await.expect(200).json();
    let shown = |one: &Value| {
        ["service", "environment", "deployments", "failed_deployments", "recovery_time_s"]
            .map(|name| one[name].clone())
    };
    let services: Vec<_> = read["services"].as_array().unwrap().iter().map(shown).collect();
    let place = |service: &str, environment: &str, good: u8, bad: u8, recovery: Option<u16>| {
        [json!(service), json!(environment), json!(good), json!(bad), json!(recovery)]
    };
    assert_eq!(
        services,
        [
            place("cart", "production", 1, 0, Some(3_600)),
            place("cart", "staging", 2, 0, None),
            place("mail", "production", 0, 0, Some(1_800)),
        ]
    );
}

/// An incident that moves to another service goes on there.
#[tokio::test]
async fn an_incident_that_moves_is_still_one() {
    let app = TestApp::init().await;
    let key = keys(&app).await;
    for (service, status, time) in [
        ("cart", "detected", "12:00"),
        ("mail", "updated", "12:10"),
        ("mail", "resolved", "12:30"),
        // It comes back where it had moved to.
        ("mail", "detected", "12:40"),
        ("mail", "resolved", "12:50"),
    ] {
        let body = json!({"event_type": "incident", "id": "1", "service": service, "status": status,
            "timestamp": format!("2026-01-10T{time}:00Z")});
        key.post(WEBHOOK, &body).await.expect(200);
    }
    let read = key.get(&format!("{DORA}?to=2026-01-15T00:00:00Z")).await.expect(200).json();
    let [one] = &read["services"].as_array().unwrap()[..] else { panic!("{read}") };
    assert_eq!((&one["service"], &one["recovery_time_s"]), (&json!("mail"), &json!(3_000)));
    assert_eq!(one["incidents"]["total"], 1);
}

#[tokio::test]
async fn a_window_narrows_and_no_data_is_null() {
    let app = TestApp::init().await;
    let key = keys(&app).await;
    assert_eq!(key.get(DORA).await.expect(200).json()["services"], json!([]));
    for (service, environment) in [("a", "production"), ("a", "staging"), ("b", "Live")] {
        let body = json!({"event_type": "deployment", "service": service, "environment": environment,
            "timestamp": "2026-01-10T12:00:00Z"});
        key.post(WEBHOOK, &body).await.expect(200);
    }
    let places = async |query: &str| {
        let read = key.get(&format!("{DORA}?{query}")).await.expect(200).json();
        let services = read["services"].as_array().unwrap().clone();
        let place = |one: &Value| {
            format!("{}/{}", one["service"].as_str().unwrap(), one["environment"].as_str().unwrap())
        };
        services.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(places("").await, ["a/production", "a/staging", "b/production"]);
    assert_eq!(places("service=a").await, ["a/production", "a/staging"]);
    assert_eq!(places("environment=prod").await, ["a/production", "b/production"]);
    assert_eq!(places("service=b&environment=staging").await, Vec::<String>::new());
    assert_eq!(places("to=2026-01-10T12:00:00Z").await, Vec::<String>::new(), "not in the window");
    let shown = key.get(&format!("{DORA}?service=b")).await.json();
    let figures = &shown["services"][0];
    assert_eq!(figures["recovery_time_s"], json!(null));
    assert_eq!(figures["change_lead_time_s"], json!(null));
    assert_eq!(figures["change_fail_rate"], 0, "one deployment and no harm is known");
    for (query, name) in [
        ("from=yesterday", "from"),
        ("to=2026-01-01", "to"),
        ("from=2026-01-20T00:00:00Z", "from"),
        ("from=2024-01-01T00:00:00Z", "from"),
        ("service=", "service"),
        ("team=x", "team"),
    ] {
        let problem = key.get(&format!("{DORA}?{query}")).await.problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["pointer"], name, "{query}");
    }
}
