//! Slow and silent clients. The server's limits are made short, so that the tests are quick; the
//! rules are those of production.

use std::time::Duration;

use rr_tests::app::TestApp;
use rr_tests::raw::Raw;

const SECOND: Duration = Duration::from_secs(1);
/// When a connection must be gone, whatever the client did. Generous: the machine may be busy.
const GONE: Duration = Duration::from_secs(8);

async fn impatient() -> TestApp {
    TestApp::with_settings(|settings| {
        let limits = &mut settings.limits;
        limits.head_time = Duration::from_millis(300);
        limits.idle_time = Duration::from_secs(3);
        limits.body_time = Duration::from_millis(300);
        limits.body_rate = 64 * 1024;
        limits.write_stall = Duration::from_millis(500);
        limits.write_rate = 1024 * 1024;
        limits.linger = Duration::from_millis(200);
    })
    .await
}

/// Writes one byte after another until the server hangs up or `limit` is over.
async fn drip(raw: &mut Raw, bytes: &[u8], pause: Duration, limit: Duration) -> bool {
    let started = std::time::Instant::now();
    for byte in bytes.iter().cycle() {
        if !raw.try_send([*byte]).await {
            return true;
        }
        if started.elapsed() > limit {
            return false;
        }
        tokio::time::sleep(pause).await;
    }
    false
}

#[tokio::test]
async fn a_silent_client_is_cut() {
    let app = impatient().await;
    let mut raw = Raw::connect(app.address()).await;
    let answer = raw.read_to_close(GONE).await;
    assert!(answer.closed, "still open after {:?}", answer.took);
}

#[tokio::test]
async fn half_a_head_is_cut() {
    let app = impatient().await;
    let mut raw = Raw::connect(app.address()).await;
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ").await;
    let answer = raw.read_to_close(GONE).await;
    assert!(answer.closed, "still open after {:?}", answer.took);
    assert!([None, Some(408)].contains(&answer.status()), "{}", answer.text);
}

#[tokio::test]
async fn a_dripping_head_is_cut() {
    let app = impatient().await;
    let mut raw = Raw::connect(app.address()).await;
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Drip: ").await;
    assert!(drip(&mut raw, b"a", Duration::from_millis(50), GONE).await, "still open");
}

#[tokio::test]
async fn half_a_second_head_is_cut() {
    let app = impatient().await;
    for second in ["GET /healthz HTTP/1.1\r\nHo", "G", "\r\n"] {
        let mut raw = Raw::connect(app.address()).await;
        raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(raw.read_answer(SECOND * 2).await.status(), Some(200));
        raw.send(second).await;
        let answer = raw.read_to_close(GONE).await;
        assert!(answer.closed, "still open after {:?} with {second:?}", answer.took);
    }
}

#[tokio::test]
async fn a_dripping_second_head_is_cut() {
    let app = impatient().await;
    let mut raw = Raw::connect(app.address()).await;
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(raw.read_answer(SECOND * 2).await.status(), Some(200));
    raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Drip: ").await;
    assert!(drip(&mut raw, b"a", Duration::from_millis(50), GONE).await, "still open");
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_the_end_and_not_before() {
    let app = impatient().await;
    let mut raw = Raw::connect(app.address()).await;
    for _ in 0..3 {
        raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(raw.read_answer(SECOND * 2).await.status(), Some(200));
        // Longer than a head may take and shorter than a connection may idle.
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    let answer = raw.read_to_close(GONE).await;
    assert!(answer.closed && answer.text.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn a_stalled_body_is_told_and_cut() {
    let app = impatient().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let before = app.counts().await;
    for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let mut raw = Raw::connect(app.address()).await;
        raw.send(format!(
            "POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\n\
             Content-Type: application/json\r\n{framing}\r\n\r\n",
            key.secret
        ))
        .await;
        if framing.ends_with("chunked") {
            raw.send("5\r\n{\"a\":").await;
        } else {
            raw.send("{\"a\":").await;
        }
        let answer = raw.read_to_close(GONE).await;
        assert!(answer.closed, "still open after {:?}", answer.took);
        assert_eq!(answer.status(), Some(408), "{}", answer.text);
        assert!(answer.text.contains("request_timeout"), "{}", answer.text);
    }
    assert_eq!(app.counts().await, before);
}

#[tokio::test]
async fn a_dripping_body_is_cut_although_it_never_stops() {
    let app = impatient().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let mut raw = Raw::connect(app.address()).await;
    raw.send(format!(
        "POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\n\
         Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{\"a\":\"",
        key.secret
    ))
    .await;
    assert!(drip(&mut raw, b"a", Duration::from_millis(50), GONE).await, "still open");
}

/// Bytes that are framing and not body: an extension of a chunk, a trailer. They bring no body any
/// nearer, so they do not move its deadline.
#[tokio::test]
async fn endless_framing_is_cut_like_a_stalled_body() {
    let app = impatient().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let before = app.counts().await;
    for beginning in ["2;", "2\r\n{}\r\n0\r\nX-Trailer: "] {
        let mut raw = Raw::connect(app.address()).await;
        raw.send(format!(
            "POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{beginning}",
            key.secret
        ))
        .await;
        let endless = "e".repeat(1000);
        let started = std::time::Instant::now();
        while raw.try_send(&endless).await {
            assert!(started.elapsed() < GONE, "still open after {beginning:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(app.counts().await, before);
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_hold_the_connection() {
    let app = impatient().await;
    let mut raw = Raw::connect(app.address()).await;
    // No key, so the answer is 401 before the body has come; the rest never comes.
    raw.send("POST /api/devops/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{")
        .await;
    let answer = raw.read_to_close(GONE).await;
    assert_eq!(answer.status(), Some(401), "{}", answer.text);
    assert!(answer.closed, "still open after {:?}", answer.took);
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut() {
    let app = impatient().await;
    let mut raw = Raw::connect(app.address()).await;
    // Far more than the kernel buffers between the two.
    let asked = 400;
    let requests = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(asked);
    raw.send(requests).await;
    tokio::time::sleep(SECOND * 3).await;
    let answer = raw.read_to_close(GONE).await;
    assert!(answer.closed, "still open after {:?}", answer.took);
    assert!(answer.answers() < asked, "it waited until everything was read");
    app.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn many_slow_clients_do_not_keep_others_out() {
    let app = impatient().await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut raw = Raw::connect(app.address()).await;
        raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ").await;
        slow.push(raw);
    }
    for _ in 0..20 {
        let started = std::time::Instant::now();
        app.get("/healthz").await.expect(200);
        assert!(started.elapsed() < SECOND * 2, "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let app = TestApp::init().await;
    for head in [
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(20_000)),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(200_000)),
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: a\r\n".repeat(2000)),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000)),
    ] {
        let answer = rr_tests::raw::exchange(app.address(), &head, GONE).await;
        assert!(
            matches!(answer.status(), Some(400 | 414 | 431)),
            "{} bytes: {}",
            head.len(),
            answer.text
        );
        assert!(answer.closed);
    }
}
