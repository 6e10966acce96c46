//! What a key with `manage_keys` can do for other keys, and for itself.

use std::time::Duration;

use rr_keys::AllowList;
use rr_tests::app::TestApp;
use serde_json::{Value, json};

const GENERATE: &str = "/api/devops/generate-key";
const KEYS: &str = "/api/devops/keys";

#[tokio::test]
async fn a_key_grants_at_most_what_it_has_itself() {
    let app = TestApp::init().await;
    let key = app.with_key(&["manage_keys", "read_metrics"]).await;
    let body = json!({"permissions": ["read_metrics"]});
    key.post(GENERATE, &body).await.expect(200);
    let before = app.counts().await;
    for body in [
        json!({"permissions": ["read_users"]}),
        json!({"permissions": ["read_metrics", "write_data"]}),
        // The default of a new key has write_webhooks, which this one lacks.
        json!({}),
    ] {
        key.post(GENERATE, &body).await.problem(403, "insufficient_scope");
    }
    let target = app.with_key(&["read_metrics"]).await;
    let path = format!("{KEYS}/{}", target.id);
    let body = json!({"permissions": ["read_metrics", "read_users"]});
    key.patch(&path, &body).await.problem(403, "insufficient_scope");
    assert_ne!(before, app.counts().await, "the target itself was made");
    let kept = key.get(&path).await.json();
    assert_eq!(kept["permissions"], json!(["read_metrics"]));
    key.patch(&path, &json!({"name": "renamed"})).await.expect(200);
}

#[tokio::test]
async fn a_key_changes_no_key_that_may_more_than_itself() {
    let app = TestApp::init().await;
    let key = app.with_key(&["manage_keys"]).await;
    let stronger = app.with_key(&["read_users"]).await;
    let path = format!("{KEYS}/{}", stronger.id);
    for body in [json!({"name": "mine"}), json!({"enabled": true}), json!({"expires_at": null})] {
        let problem = key.patch(&path, &body).await.problem(403, "insufficient_scope");
        assert_eq!(problem["missing"], json!(["read_users"]));
    }
    // Taking a key away gives nobody anything.
    key.delete(&path).await.expect(204);
}

/// No key gets another out of this server that lasts longer than itself or works from more places.
#[tokio::test]
async fn a_key_makes_none_that_outlives_it_or_escapes_its_networks() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let end = app.clock.now().plus(Duration::from_secs(10 * 86_400));
    let manager = app
        .with_key_like(&["manage_keys", "read_metrics"], |record| {
            record.expires_at = Some(end.to_system_time());
            record.allowed_ips = AllowList::parse(["127.0.0.0/9", "127.128.0.0/9"]).unwrap();
        })
        .await;
    let with = |more: Value| {
        let mut body = json!({"permissions": ["read_metrics"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    // Unless it says otherwise, the new key is like the one that asks.
    let made = manager.post(GENERATE, &with(json!({}))).await.json();
    assert_eq!(made["expires_at"], end.to_string());
    let path = format!("{KEYS}/{}", made["key_id"].as_str().unwrap());
    let kept = admin.get(&path).await.json();
    assert_eq!(kept["allowed_ips"], json!(["127.0.0.0/9", "127.128.0.0/9"]));
    for within in [
        json!({"expires_in_days": 10}),
        json!({"expires_at": end.to_string(), "allowed_ips": ["127.0.0.0/8"]}),
        json!({"expires_in_days": 1, "allowed_ips": ["127.0.0.1", "127.200.0.0/16"]}),
    ] {
        manager.post(GENERATE, &with(within)).await.expect(200);
    }
    let before = app.counts().await;
    let later = end.plus(Duration::from_secs(1)).to_string();
    for (beyond, pointer) in [
        (json!({"expires_in_days": 11}), "/expires_in_days"),
        (json!({"expires_at": later}), "/expires_at"),
        (json!({"expires_at": null}), "/expires_at"),
        (json!({"allowed_ips": []}), "/allowed_ips"),
        (json!({"allowed_ips": ["127.0.0.1", "::1"]}), "/allowed_ips"),
        (json!({"allowed_ips": ["0.0.0.0/0"]}), "/allowed_ips"),
    ] {
        let problem = manager.post(GENERATE, &with(beyond.clone())).await;
        let problem = problem.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{beyond}");
        if pointer != "/expires_in_days" {
            let problem = manager.patch(&path, &beyond).await.problem(422, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{beyond}");
        }
    }
    // A key that goes beyond already: it gets nothing more from here, and no new secret.
    let longer = app.with_key(&["read_metrics"]).await;
    let path = format!("{KEYS}/{}", longer.id);
    let rotate = format!("{path}/rotate");
    manager.post(&rotate, &json!({})).await.problem(409, "key_not_rotatable");
    let more = json!({"permissions": ["read_metrics", "manage_keys"]});
    manager.patch(&path, &more).await.problem(422, "invalid_body");
    for less in [json!({"name": "renamed"}), json!({"permissions": []}), json!({"enabled": false})]
    {
        manager.patch(&path, &less).await.expect(200);
    }
    let later = json!({"not_before": "2026-01-16T12:00:00Z"});
    manager.patch(&path, &later).await.expect(200);
    for more in [json!({"not_before": null}), json!({"enabled": true})] {
        manager.patch(&path, &more).await.problem(422, "invalid_body");
    }
    let brought_within = json!({
        "enabled": true, "not_before": null, "expires_at": end.to_string(), "allowed_ips": ["127.0.0.1"],
        "permissions": ["read_metrics"],
    });
    manager.patch(&path, &brought_within).await.expect(200);
    manager.post(&rotate, &json!({})).await.expect(200);
    assert_ne!(before, app.counts().await);
    // An administrator is bound by nothing.
    admin.post(GENERATE, &with(json!({"expires_at": null}))).await.expect(200);
}

/// Whoever is bounded and may change keys is still bounded.
#[tokio::test]
async fn a_key_can_narrow_itself_and_not_widen_itself() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let window = |name: &str, limit: u32, window_s: u32| json!({"name": name, "limit": limit, "window_s": window_s});
    let bounds = json!({
        "permissions": ["manage_keys", "read_metrics"],
        "not_before": "2026-01-01T00:00:00Z",
        "expires_at": "2026-06-01T00:00:00Z",
        "rate_limits": [window("burst", 100, 10), window("sustained", 1000, 3600)],
        "quotas": {"day": 500, "total": 5000},
        "allowed_ips": ["127.0.0.0/8"],
    });
    let made = admin.post(GENERATE, &bounds).await.json();
    let key = app.with_header("x-api-key", made["api_key"].as_str().unwrap());
    let path = format!("{KEYS}/{}", made["key_id"].as_str().unwrap());
    let before = admin.get(&path).await.json();
    let written = app.counts().await;
    for (wider, pointer) in [
        (json!({"rate_limit": null}), "/rate_limit"),
        (json!({"rate_limit": {"limit": 1, "window_s": 3600}}), "/rate_limit"),
        (json!({"rate_limits": null}), "/rate_limits"),
        (json!({"rate_limits": [window("burst", 100, 10)]}), "/rate_limits"),
        (
            json!({"rate_limits": [window("burst", 101, 10), window("sustained", 1000, 3600)]}),
            "/rate_limits",
        ),
        (
            json!({"rate_limits": [window("burst", 100, 9), window("sustained", 1000, 3600)]}),
            "/rate_limits",
        ),
        // Under other names they would begin anew.
        (json!({"rate_limits": [window("b", 100, 10), window("s", 1000, 3600)]}), "/rate_limits"),
        (json!({"quotas": null}), "/quotas"),
        (json!({"quotas": {"day": 500}}), "/quotas"),
        (json!({"quotas": {"day": 500, "total": 5001}}), "/quotas"),
        (json!({"expires_at": null}), "/expires_at"),
        (json!({"expires_at": "2026-06-01T00:00:01Z"}), "/expires_at"),
        (json!({"allowed_ips": []}), "/allowed_ips"),
        (json!({"allowed_ips": ["127.0.0.0/8", "::1"]}), "/allowed_ips"),
        (json!({"not_before": null}), "/not_before"),
        (json!({"name": "narrower", "quotas": {"day": 1}}), "/quotas"),
    ] {
        let problem = key.patch(&path, &wider).await.problem(403, "own_bounds");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{wider}");
    }
    let more = json!({"permissions": ["manage_keys", "read_metrics", "read_users"]});
    key.patch(&path, &more).await.problem(403, "insufficient_scope");
    assert_eq!((admin.get(&path).await.json(), app.counts().await), (before, written));

    let narrower = json!({
        "name": "narrower",
        "expires_at": "2026-05-01T00:00:00Z",
        "rate_limits": [
            window("sustained", 1000, 7200), window("burst", 99, 10), window("more", 50, 1),
        ],
        "quotas": {"day": 400, "month": 1000, "total": 5000},
        "allowed_ips": ["127.0.0.1"],
    });
    let shown = key.patch(&path, &narrower).await.json();
    for (name, value) in narrower.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
    key.patch(&path, &json!({"quotas": {"day": 500, "month": 1000, "total": 5000}}))
        .await
        .problem(403, "own_bounds");
    // An administrator is not bound.
    admin.patch(&path, &json!({"rate_limit": null, "quotas": null})).await.expect(200);
}

/// Nor does it get there with a second key: what it makes, changes or rotates is as bounded as itself.
#[tokio::test]
async fn a_bounded_key_gets_none_without_its_bounds() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let permissions = json!(["manage_keys", "read_metrics"]);
    let of_100 = json!({"limit": 100, "window_s": 10});
    let bounds = json!({"permissions": permissions, "rate_limit": of_100, "quotas": {"day": 500}});
    let made = admin.post(GENERATE, &bounds).await.json();
    let key = app.with_header("x-api-key", made["api_key"].as_str().unwrap());
    let own = format!("{KEYS}/{}", made["key_id"].as_str().unwrap());

    // Unless it says otherwise, what it makes is bounded like itself.
    let child = key.post(GENERATE, &json!({"permissions": permissions})).await.json();
    let child_path = format!("{KEYS}/{}", child["key_id"].as_str().unwrap());
    let kept = admin.get(&child_path).await.json();
    assert_eq!((&kept["rate_limit"], &kept["quotas"]), (&of_100, &json!({"day": 500})));
    assert_eq!(kept["usage"]["quotas"][0]["used"], 0, "its maker's uses are its maker's");
    let less = json!({"limit": 5, "window_s": 60});
    let narrow = json!({"permissions": [], "rate_limit": less, "quotas": {"day": 9, "total": 9}});
    key.post(GENERATE, &narrow).await.expect(200);
    let more = json!({"limit": 101, "window_s": 10});
    let renamed = json!([{"name": "mine", "limit": 1, "window_s": 10}]);
    let wider = [
        (json!({"rate_limit": more}), "/rate_limit"),
        (json!({"rate_limits": []}), "/rate_limits"),
        (json!({"rate_limits": renamed}), "/rate_limits"),
        (json!({"quotas": {}}), "/quotas"),
        (json!({"quotas": {"day": 501}}), "/quotas"),
    ];
    for (wider, pointer) in &wider {
        let mut body = wider.clone();
        body["permissions"] = json!([]);
        let problem = key.post(GENERATE, &body).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], *pointer, "{body}");
    }

    let child = app.with_header("x-api-key", child["api_key"].as_str().unwrap());
    let lifts =
        [(json!({"rate_limit": null}), "/rate_limit"), (json!({"quotas": null}), "/quotas")];
    for (wider, pointer) in wider.iter().chain(&lifts) {
        for (asks, of) in [(&child, &own), (&key, &child_path)] {
            let problem = asks.patch(of, wider).await.problem(422, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], *pointer, "{wider}");
        }
        child.patch(&child_path, wider).await.problem(403, "own_bounds");
    }
    // One that is free already is none to get either, though it can be bounded.
    let free = admin.post(GENERATE, &json!({"permissions": ["read_metrics"]})).await.json();
    let free = format!("{KEYS}/{}", free["key_id"].as_str().unwrap());
    let rotate = format!("{free}/rotate");
    key.post(&rotate, &json!({})).await.problem(409, "key_not_rotatable");
    key.patch(&free, &json!({"rate_limit": of_100})).await.expect(200);
    key.post(&rotate, &json!({})).await.problem(409, "key_not_rotatable");
    key.patch(&free, &json!({"quotas": {"day": 500}})).await.expect(200);
    key.post(&rotate, &json!({})).await.expect(200);
    // One without bounds is bound by nothing in this.
    let unbounded = app.with_key(&["manage_keys", "read_metrics"]).await;
    unbounded.patch(&own, &json!({"rate_limit": null, "quotas": null})).await.expect(200);
}
