//! Bad parameters, in the path and in the query: the right 4xx that names them, nothing written.

use serde_json::json;

use crate::bad_body::Sweep;

/// A text that is no id names nothing, whatever else it is.
#[tokio::test]
async fn a_malformed_id_names_nothing() {
    let sweep = Sweep::begin().await;
    let before = sweep.app.counts().await;
    for id in [
        "1",
        "not-an-id",
        "018f2b5e-0000-7000-8000-00000000000g",
        "018f2b5e-0000-7000-8000-0000000000012",
        "%00",
        "%ff%fe",
        "%27%20OR%201=1%20--",
        "%2e%2e%2f",
        &"a".repeat(3_000),
    ] {
        for (method, rest) in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")] {
            let path = format!("/api/devops/keys/{id}{rest}");
            let call = sweep.admin.call(method, &path);
            let call = if method == "PATCH" { call.json(&json!({"name": "x"})) } else { call };
            let answer = call.await;
            assert!([400, 404].contains(&answer.code()), "{method} {path}: {}", answer.text());
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        }
    }
    sweep.assert_nothing_written(&before, "ids").await;
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let sweep = Sweep::begin().await;
    for list in
        ["/api/devops/keys", "/api/devops/users", "/api/devops/events", "/api/devops/activity"]
    {
        for (query, name) in [
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=1001", "limit"),
            ("limit=ten", "limit"),
            ("limit=1.5", "limit"),
            ("limit=", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=", "cursor"),
            ("cursor=nonsense", "cursor"),
            ("cursor=%00", "cursor"),
            ("cursor=%ff%fe", "cursor"),
            ("cursor=' OR 1=1 --", "cursor"),
            ("nobody_knows=1", "nobody_knows"),
        ] {
            let answer = sweep.admin.get(&format!("{list}?{query}")).await;
            assert_eq!(answer.code(), 400, "{list}?{query}: {}", answer.text());
            let problem = answer.problem(400, "invalid_parameter");
            assert_eq!(problem["errors"][0]["pointer"], name, "{list}?{query}: {problem}");
        }
        sweep
            .admin
            .get(&format!("{list}?cursor={}", "a".repeat(5000)))
            .await
            .problem(414, "uri_too_long");
    }
    let events = "/api/devops/events";
    for (query, name) in [
        ("from=yesterday", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("from=1&to=2", "from"),
        ("type=%00", "type"),
    ] {
        let answer = sweep.admin.get(&format!("{events}?{query}")).await;
        assert_eq!(answer.code(), 400, "{query}: {}", answer.text());
        let problem = answer.problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["pointer"], name, "{query}: {problem}");
    }
}
