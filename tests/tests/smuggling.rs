//! Requests that two programs could read in two ways. Each must be refused and the connection
//! closed, and what hides in it must not be answered.

use std::time::Duration;

use rr_tests::app::TestApp;
use rr_tests::raw::{Raw, RawAnswer, exchange};

/// What hides behind each of the requests: its answer would have this status.
const HIDDEN: &str = "GET /openapi.json HTTP/1.1\r\nHost: hidden\r\n\r\n";

const LIMIT: Duration = Duration::from_secs(8);

async fn send(app: &TestApp, request: &str) -> RawAnswer {
    exchange(app.address(), request.replace("{HIDDEN}", HIDDEN), LIMIT).await
}

fn was_smuggled(answer: &RawAnswer) -> bool {
    answer.text.contains("\"openapi\"")
}

#[tokio::test]
async fn ambiguous_framing_is_refused_and_the_connection_closed() {
    let app = TestApp::init().await;
    for request in [
        // Two lengths, or a length and chunks.
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\nhello{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello{HIDDEN}",
        // Lengths that are no numbers.
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5 5\r\n\r\nhello{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\nhello{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nhello{HIDDEN}",
        // Codings that are not plainly chunked.
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
        // Names that another program might read as the real ones.
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n{HIDDEN}",
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n{HIDDEN}",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n{HIDDEN}",
        "GET / HTTP/1.1\r\nHost: x\r\n: nameless\r\n\r\n{HIDDEN}",
        // Chunks that are not.
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n{HIDDEN}",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n0\r\n\r\n{HIDDEN}",
        // Heads that are not HTTP/1.1.
        "GET / HTTP/9.9\r\nHost: x\r\n\r\n{HIDDEN}",
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n{HIDDEN}",
        "GET / HTTP/1.1 \r\nHost: x\r\n\r\n{HIDDEN}",
        "G\0T / HTTP/1.1\r\nHost: x\r\n\r\n{HIDDEN}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{HIDDEN}",
        // Two hosts.
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    ] {
        let answer = send(&app, request).await;
        assert!(!was_smuggled(&answer), "{request:?}:\n{}", answer.text);
        let status = answer.status();
        assert!(
            status.is_none() || matches!(status, Some(400..=499 | 501 | 505)),
            "{request:?}:\n{}",
            answer.text
        );
        let closes =
            answer.closed || answer.text.to_ascii_lowercase().contains("connection: close");
        assert!(closes || !request.contains("{HIDDEN}"), "{request:?} is kept open");
    }
    app.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn a_request_behind_a_refused_body_is_not_answered() {
    let app = TestApp::init().await;
    // Refused for want of a key before the body is read; what follows is that body.
    let body = HIDDEN;
    let request = format!(
        "POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(app.address(), request, Duration::from_secs(3)).await;
    assert_eq!(answer.status(), Some(401), "{}", answer.text);
    assert!(!was_smuggled(&answer), "{}", answer.text);
    assert_eq!(answer.answers(), 1, "{}", answer.text);
}

#[tokio::test]
async fn requests_in_one_packet_are_answered_in_order() {
    let app = TestApp::init().await;
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\
                   GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n\
                   GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = exchange(app.address(), request, LIMIT).await;
    let statuses: Vec<&str> =
        answer.text.split("HTTP/1.1 ").skip(1).map(|part| &part[..3]).collect();
    assert_eq!(statuses, ["200", "404", "200"]);
    assert!(answer.closed);
}

#[tokio::test]
async fn credentials_sent_twice_are_refused() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let other = app.with_key(&["read_users"]).await;
    for headers in [
        format!("x-api-key: {}\r\nX-API-Key: {}\r\n", key.secret, other.secret),
        format!("x-api-key: {}\r\nx-api-key: {}\r\n", key.secret, key.secret),
        format!(
            "Authorization: Bearer {}\r\nAuthorization: Bearer {}\r\n",
            key.secret, other.secret
        ),
    ] {
        let request = format!(
            "GET /api/devops/sync/users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
        );
        let answer = exchange(app.address(), request, LIMIT).await;
        assert_eq!(answer.status(), Some(400), "{}", answer.text);
    }
}

/// Chunks that no limit of one chunk catches: the whole of them is counted.
#[tokio::test]
async fn many_small_chunks_are_counted_together() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let before = app.counts().await;
    let chunks: String = std::iter::repeat_n("1\r\na\r\n", 300 * 1024).collect();
    let request = format!(
        "POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-api-key: {}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\"\r\n{chunks}",
        key.secret
    );
    // A slow machine takes its time over three hundred thousand chunks.
    let answer = exchange(app.address(), request, 8 * LIMIT).await;
    assert!(answer.closed, "still open: {}", answer.text);
    assert!(matches!(answer.status(), None | Some(408 | 413)), "{}", answer.text);
    assert_eq!(app.counts().await, before);
}

#[tokio::test]
async fn odd_but_clear_requests_are_answered() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let chunks: String = "{\"a\":\"bcd\"}".chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let request = format!(
        "POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-api-key: {}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n",
        key.secret
    );
    let answer = exchange(app.address(), request, LIMIT).await;
    assert_eq!(answer.status(), Some(200), "{}", answer.text);

    // Upgrades are not taken up: the answer is plain HTTP/1.1.
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n\
                   Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    let answer = exchange(app.address(), request, Duration::from_secs(2)).await;
    assert!(matches!(answer.status(), Some(200 | 400)), "{}", answer.text);
}

/// `Expect: 100-continue`: who may not send is told so at once and not asked for the body.
#[tokio::test]
async fn a_client_that_asks_first_is_judged_by_its_head() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let head = |length: usize, key: &str| {
        format!(
            "POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\
             Content-Type: application/json\r\nx-api-key: {key}\r\n\
             Expect: 100-continue\r\n\r\n"
        )
    };
    for (length, secret, status) in [(100_000_000, "", 401), (100_000_000, &*key.secret, 413)] {
        let answer = exchange(app.address(), head(length, secret), LIMIT).await;
        assert_eq!(answer.status(), Some(status), "{}", answer.text);
        assert_eq!(answer.answers(), 1, "{}", answer.text);
        assert!(answer.closed);
    }

    let body = r#"{"event_type":"deployment"}"#;
    let mut raw = Raw::connect(app.address()).await;
    raw.send(head(body.len(), &key.secret)).await;
    let asked = raw.read_answer(LIMIT).await;
    assert_eq!(asked.text, "HTTP/1.1 100 Continue\r\n\r\n");
    raw.send(body).await;
    let answer = raw.read_answer(LIMIT).await;
    assert_eq!(answer.status(), Some(200), "{}", answer.text);
}

/// The rest of a refused body may never come, and its sender may never hang up.
#[tokio::test]
async fn a_refused_body_that_stays_away_is_not_waited_for() {
    let app = TestApp::init().await;
    let request = "POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\n\
                   Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n";
    let answer = exchange(app.address(), request, LIMIT).await;
    assert_eq!(answer.status(), Some(401), "{}", answer.text);
    assert!(answer.closed, "still open: {}", answer.text);
}

/// A name that is not ours may stand in the header or, as a proxy would be asked, in the target.
#[tokio::test]
async fn a_request_to_another_name_is_misdirected() {
    let app = TestApp::with_settings(|settings| {
        settings.hosts = rr_http::Hosts::Only(vec!["rr.example.com".to_owned()]);
    })
    .await;
    for (target, host, status) in [
        ("/healthz", "rr.example.com", 200),
        ("/healthz", app.address(), 200),
        ("/healthz", "localhost:1", 200),
        ("http://rr.example.com/healthz", "rr.example.com", 200),
        ("/healthz", "evil.example", 421),
        ("/healthz", "rr.example.com.evil.example", 421),
        ("http://evil.example/healthz", "rr.example.com", 421),
        ("http://evil.example/healthz", "localhost", 421),
        ("/nothing", "evil.example", 421),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = exchange(app.address(), request, LIMIT).await;
        assert_eq!(answer.status(), Some(status), "{target} {host}: {}", answer.text);
        assert_eq!(status == 421, answer.text.contains("host_not_allowed"), "{}", answer.text);
    }
}

#[tokio::test]
async fn too_many_header_fields_are_told_from_too_long_ones() {
    let app = TestApp::init().await;
    let ask = async |fields: usize| {
        let fields = "a: b\r\n".repeat(fields);
        let request =
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{fields}Connection: close\r\n\r\n");
        exchange(app.address(), request, LIMIT).await
    };
    assert_eq!(ask(94).await.status(), Some(200), "96 in all");
    let many = ask(95).await;
    assert_eq!(many.status(), Some(431), "{}", many.text);
    assert!(many.text.contains("too_many_headers") && many.text.contains("96"), "{}", many.text);
    let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(17_000));
    let long = exchange(app.address(), request, LIMIT).await;
    assert!(
        long.text.contains("headers_too_large") && long.text.contains("16 KiB"),
        "{}",
        long.text
    );
}
