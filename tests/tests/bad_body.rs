//! Bad bodies: for every endpoint the right 4xx, never 5xx, nothing written.

use rr_tests::app::{Counts, TestApp};
use rr_tests::client::{Answer, Client};
use serde_json::{Value, json};

use crate::samples::{SAMPLES, Sample, Who, fill};

/// A server, its administrator and the id of a key that is there.
pub(crate) struct Sweep {
    pub(crate) app: TestApp,
    pub(crate) admin: Client,
    id: String,
}

impl Sweep {
    pub(crate) async fn begin() -> Sweep {
        let app = TestApp::init().await;
        let admin = app.as_admin().await;
        let id = app.with_key(&["read_metrics"]).await.id.to_string();
        Sweep { app, admin, id }
    }

    async fn caller(&self, who: Who) -> Client {
        match who {
            Who::Anyone => Client::clone(&self.app),
            Who::Administrator => self.admin.clone(),
            Who::Key(permission) => Client::clone(&*self.app.with_key(&[permission]).await),
        }
    }

    fn path(&self, sample: &Sample) -> String {
        fill(sample.path, &self.id)
    }

    pub(crate) async fn assert_nothing_written(&self, before: &Counts, what: &str) {
        assert_eq!(&self.app.counts().await, before, "{what}");
    }
}

/// Bodies that are no acceptable JSON, whatever the endpoint.
fn not_json() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    let within = |json: String| format!(r#"{{"name":{json}}}"#).into_bytes();
    vec![
        ("nothing", b"".to_vec()),
        ("blanks", b"  \n ".to_vec()),
        ("half an object", b"{".to_vec()),
        ("a word", b"nope".to_vec()),
        ("a form", b"name=x&email=y".to_vec()),
        ("a comma too many", br#"{"name":"x",}"#.to_vec()),
        ("something after it", br#"{"name":"x"}{}"#.to_vec()),
        ("a comment", br#"{"name":"x"/**/}"#.to_vec()),
        ("single quotes", b"{'name':'x'}".to_vec()),
        ("a BOM", b"\xef\xbb\xbf{}".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("bad UTF-8", b"{\"name\":\"\xff\"}".to_vec()),
        ("truncated UTF-8", b"{\"name\":\"\xc3\"}".to_vec()),
        ("overlong UTF-8", b"{\"name\":\"\xc0\x80\"}".to_vec()),
        ("NaN", within("NaN".to_owned())),
        ("Infinity", within("-Infinity".to_owned())),
        ("a leading zero", within("01".to_owned())),
        ("a hexadecimal number", within("0x1".to_owned())),
        ("a number no machine has", within("1e999".to_owned())),
        ("a lone surrogate", within(r#""\ud800""#.to_owned())),
        ("a NUL", within(r#""a\u0000b""#.to_owned())),
        ("a raw control character", within("\"a\u{1}b\"".to_owned())),
        ("a member twice", br#"{"name":"x","name":"y"}"#.to_vec()),
        ("a member twice, escaped", br#"{"name":"x","n\u0061me":"y"}"#.to_vec()),
        ("a member twice, deeper", within(r#"{"a":1,"a":2}"#.to_owned())),
        ("depth 200", within(deep(200))),
        ("depth 20,000", within(deep(20_000))),
        ("depth 20,000 and never closed", "[".repeat(20_000).into_bytes()),
    ]
}

#[tokio::test]
async fn what_is_not_json_is_refused_everywhere() {
    let sweep = Sweep::begin().await;
    for sample in SAMPLES {
        let caller = sweep.caller(sample.who).await;
        let before = sweep.app.counts().await;
        for (what, body) in not_json() {
            let place = format!("{} {}: {what}", sample.method, sample.path);
            let answer = caller
                .call(sample.method, &sweep.path(sample))
                .body("application/json", body)
                .await;
            assert_eq!(answer.code(), 400, "{place}: {}", answer.text());
            let problem = answer.problem(400, "invalid_json");
            assert!(!problem.to_string().contains("line 1 column"), "{place}: {problem}");
        }
        sweep.assert_nothing_written(&before, sample.path).await;
    }
}

#[tokio::test]
async fn what_is_no_object_is_refused_everywhere() {
    let sweep = Sweep::begin().await;
    for sample in SAMPLES {
        let caller = sweep.caller(sample.who).await;
        let before = sweep.app.counts().await;
        for body in [json!([]), json!("text"), json!(42), json!(null), json!(true), json!([{}])] {
            let answer = caller.call(sample.method, &sweep.path(sample)).json(&body).await;
            assert_eq!(answer.code(), 422, "{} {body}: {}", sample.path, answer.text());
            answer.problem(422, "invalid_body");
        }
        sweep.assert_nothing_written(&before, sample.path).await;
    }
}

#[tokio::test]
async fn another_media_type_or_coding_is_refused_everywhere() {
    let sweep = Sweep::begin().await;
    for sample in SAMPLES {
        let caller = sweep.caller(sample.who).await;
        let before = sweep.app.counts().await;
        let body = (sample.body)().to_string();
        for media_type in [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin-1",
            "application/json; charset=utf-16",
            "application/jsonp",
            "",
        ] {
            let answer = caller
                .call(sample.method, &sweep.path(sample))
                .body(media_type, body.clone())
                .await;
            assert_eq!(answer.code(), 415, "{} as {media_type}: {}", sample.path, answer.text());
            answer.problem(415, "unsupported_media_type");
        }
        for coding in ["gzip", "br", "deflate", "zstd", "gzip, identity", "nonsense"] {
            let answer = caller
                .call(sample.method, &sweep.path(sample))
                .body("application/json", body.clone())
                .header("content-encoding", coding)
                .await;
            assert_eq!(answer.code(), 415, "{} coded {coding}: {}", sample.path, answer.text());
        }
        sweep.assert_nothing_written(&before, sample.path).await;
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_everywhere() {
    let sweep = Sweep::begin().await;
    for sample in SAMPLES {
        let caller = sweep.caller(sample.who).await;
        let before = sweep.app.counts().await;
        for bytes in [300 * 1024, 2 * 1024 * 1024] {
            let mut body = (sample.body)();
            body["pad"] = Value::String("x".repeat(bytes));
            let call = caller.call(sample.method, &sweep.path(sample)).json(&body);
            // The server may refuse and close before all of it is sent; then there is no answer.
            if let Ok(answer) = call.attempt().await {
                answer.problem(413, "body_too_large");
            }
        }
        sweep.assert_nothing_written(&before, sample.path).await;
    }
}

#[tokio::test]
async fn members_that_nobody_knows_are_refused_where_the_form_is_ours() {
    let sweep = Sweep::begin().await;
    for sample in SAMPLES.iter().filter(|sample| sample.strict) {
        let caller = sweep.caller(sample.who).await;
        let before = sweep.app.counts().await;
        let mut body = (sample.body)();
        body["is_admin"] = json!(true);
        let answer = caller.call(sample.method, &sweep.path(sample)).json(&body).await;
        let problem = answer.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/is_admin", "{}: {problem}", sample.path);
        sweep.assert_nothing_written(&before, sample.path).await;
    }
}

/// Neither an object of nobody's members nor a list of lists is right for any member of ours.
#[tokio::test]
async fn a_member_of_a_wrong_type_is_refused_everywhere() {
    let sweep = Sweep::begin().await;
    for sample in SAMPLES {
        let caller = sweep.caller(sample.who).await;
        let before = sweep.app.counts().await;
        let members: Vec<String> = (sample.body)().as_object().unwrap().keys().cloned().collect();
        // What else is in an event is its sender's.
        let ours = |name: &&String| sample.strict || name.starts_with("event");
        for member in members.iter().filter(ours) {
            for wrong in [json!({"nobody": ["knows"]}), json!([[]]), json!([{"a": 1}])] {
                let mut body = (sample.body)();
                body[member] = wrong;
                let answer = caller.call(sample.method, &sweep.path(sample)).json(&body).await;
                let problem = answer.problem(422, "invalid_body");
                let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
                assert!(pointer.starts_with(&format!("/{member}")), "{body}: {problem}");
            }
        }
        sweep.assert_nothing_written(&before, sample.path).await;
    }
}

/// Bytes that nobody thought of: never our fault, and nothing is stored unless the answer says so.
#[tokio::test]
async fn whatever_is_sent_is_taken_or_refused() {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        any::<String>().prop_map(|text| json!(text).to_string()),
        "[ -~]{0,12}",
    ];
    let name = prop_oneof!["name|permissions|event_type|event|grace_s|agents|email", "[ -~]{0,8}"];
    let value = scalar.prop_recursive(4, 32, 4, move |inner| {
        let member = (name.clone(), inner.clone())
            .prop_map(|(name, value)| format!("{}:{value}", json!(name)));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(member, 0..4).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    });
    let bytes = prop_oneof![
        3 => value.prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ];
    let sweep = Sweep::begin().await;
    let mut runner = TestRunner::deterministic();
    for sample in SAMPLES.iter().filter(|sample| sample.path != "/api/auth/login") {
        let caller = sweep.caller(sample.who).await;
        for _ in 0..60 {
            let body = bytes.new_tree(&mut runner).unwrap().current();
            let before = sweep.app.counts().await;
            let shown = String::from_utf8_lossy(&body).into_owned();
            let call = caller.call(sample.method, &sweep.path(sample));
            let answer = call.body("application/json", body).await;
            let place = format!("{} {shown}: {}", sample.path, answer.text());
            assert!([200, 400, 413, 422].contains(&answer.code()), "{place}");
            if answer.code() != 200 {
                assert_eq!(sweep.app.counts().await, before, "{place}");
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let sweep = Sweep::begin().await;
    let generate = "/api/devops/generate-key";
    let change = format!("/api/devops/keys/{}", sweep.id);
    let login = "/api/auth/login";
    let long = "x".repeat(101);
    let mut cases: Vec<(&str, &str, Value, &str)> = vec![
        ("POST", login, json!({"password": "x"}), "/email"),
        ("POST", login, json!({"email": "a@example.com"}), "/password"),
        ("POST", login, json!({"email": 1, "password": "x"}), "/email"),
        ("POST", login, json!({"email": "a@example.com", "password": ["x"]}), "/password"),
        (
            "POST",
            login,
            json!({"email": "a@example.com", "password": "x".repeat(2000)}),
            "/password",
        ),
    ];
    for (method, path) in [("POST", generate), ("PATCH", change.as_str())] {
        cases.extend([
            (method, path, json!({"name": ""}), "/name"),
            (method, path, json!({"name": long}), "/name"),
            (method, path, json!({"name": 5}), "/name"),
            (method, path, json!({"name": "a\nb"}), "/name"),
            (method, path, json!({"permissions": "read_metrics"}), "/permissions"),
            (method, path, json!({"permissions": ["fly"]}), "/permissions/0"),
            (method, path, json!({"permissions": ["read_metrics", 7]}), "/permissions/1"),
            (method, path, json!({"expires_at": "tomorrow"}), "/expires_at"),
            (method, path, json!({"expires_at": "2026-02-30T00:00:00Z"}), "/expires_at"),
            (method, path, json!({"rate_limit": 5}), "/rate_limit"),
            (
                method,
                path,
                json!({"rate_limit": {"limit": 0, "window_s": 60}}),
                "/rate_limit/limit",
            ),
            (
                method,
                path,
                json!({"rate_limit": {"limit": 1, "window_s": 0}}),
                "/rate_limit/window_s",
            ),
            (
                method,
                path,
                json!({"rate_limit": {"limit": -1, "window_s": 1}}),
                "/rate_limit/limit",
            ),
            (method, path, json!({"allowed_ips": ["everywhere"]}), "/allowed_ips/0"),
            (method, path, json!({"allowed_ips": ["10.0.0.0/33"]}), "/allowed_ips/0"),
        ]);
    }
    cases.extend([
        ("POST", generate, json!({"expires_in_days": 0}), "/expires_in_days"),
        ("POST", generate, json!({"expires_in_days": -1}), "/expires_in_days"),
        ("POST", generate, json!({"expires_in_days": 1.5}), "/expires_in_days"),
        ("POST", generate, json!({"expires_in_days": 1e18}), "/expires_in_days"),
        ("POST", generate, json!({"expires_in_days": "365"}), "/expires_in_days"),
        ("POST", generate, json!({"user_id": {"a": 1}}), "/user_id"),
        ("POST", generate, json!({"user_id": "x".repeat(300)}), "/user_id"),
        ("PATCH", change.as_str(), json!({"enabled": "yes"}), "/enabled"),
        ("PATCH", "/api/devops/config", json!({}), "/agents"),
        ("PATCH", "/api/devops/config", json!({"agents": {"analytics": 1}}), "/agents/analytics"),
        ("PATCH", "/api/devops/config", json!({"agents": {"other": true}}), "/agents/other"),
        ("PATCH", change.as_str(), json!({"api_key": "rr_"}), "/api_key"),
    ]);
    let before = sweep.app.counts().await;
    for (method, path, body, pointer) in cases {
        let caller = if path == login { Client::clone(&sweep.app) } else { sweep.admin.clone() };
        let answer = caller.call(method, path).json(&body).await;
        assert_eq!(answer.code(), 422, "{method} {path} {body}: {}", answer.text());
        let problem = answer.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{method} {path} {body}: {problem}");
    }
    sweep.assert_nothing_written(&before, "fields").await;
}

#[tokio::test]
async fn hostile_text_is_only_text() {
    let sweep = Sweep::begin().await;
    let key = sweep.app.with_key(&["write_webhooks", "read_events"]).await;
    for text in [
        "'; DROP TABLE events; --",
        "\" OR \"\"=\"",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "../../../../etc/passwd",
        "${jndi:ldap://x}",
        "%s%n%x",
        "\u{202e}gnp.exe",
        "👩‍👩‍👧‍👦",
    ] {
        let made = sweep.admin.post("/api/devops/generate-key", &json!({"name": text})).await;
        if made.code() == 200 {
            assert_eq!(made.json()["name"], text);
        } else {
            made.problem(422, "invalid_body");
        }
        key.post("/api/devops/webhook", &json!({"event_type": text})).await.expect(200);
        let query = form(text);
        let page = key.get(&format!("/api/devops/events?type={query}")).await.json();
        assert_eq!(page["events"][0]["data"]["event_type"], text);
        let users = sweep.admin.get(&format!("/api/devops/users?role={query}")).await;
        assert!([200, 400].contains(&users.code()), "{text}: {}", users.code());
    }
}

#[tokio::test]
async fn headers_that_cannot_be_used_are_refused() {
    let sweep = Sweep::begin().await;
    let key = sweep.app.with_key(&["write_webhooks"]).await;
    let before = sweep.app.counts().await;
    for (name, value) in [
        ("idempotency-key", String::new()),
        ("idempotency-key", "x".repeat(1000)),
        ("webhook-id", "x".repeat(1000)),
    ] {
        let webhook = key.post("/api/devops/webhook", &json!({})).header(name, &value).await;
        assert!(is_refusal(&webhook), "{name}: {}", webhook.text());
        if name == "idempotency-key" {
            let made = sweep.admin.post("/api/devops/generate-key", &json!({}));
            let made = made.header(name, &value).await;
            assert!(is_refusal(&made), "{name}: {}", made.text());
        }
    }
    for name in ["idempotency-key", "content-type", "webhook-id"] {
        let twice = key
            .post("/api/devops/webhook", &json!({}))
            .header(name, "application/json")
            .header(name, "b")
            .await;
        assert!(is_refusal(&twice), "{name} twice: {}", twice.text());
    }
    sweep.assert_nothing_written(&before, "headers").await;
}

fn is_refusal(answer: &Answer) -> bool {
    (400..500).contains(&answer.code())
}

fn form(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
