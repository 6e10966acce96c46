//! `/ws/devops-modules`, with a client that shares no code with the server.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use rr_http::Limits;
use rr_tests::app::TestApp;
use rr_tests::follow::{Follower, number};
use rr_tests::load::Load;
use rr_tests::proxy::eventually;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATH: &str = "/ws/devops-modules";
const READERS: &str = "rr_stream_readers";
const LIMIT: Duration = Duration::from_secs(20);

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn try_open(app: &TestApp, origin: Option<&str>) -> Result<Socket, Error> {
        let mut request = format!("ws://{}{PATH}", app.address()).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        connect_async(request).await.map(|(socket, _)| Socket(socket))
    }

    async fn open(app: &TestApp) -> Socket {
        Socket::try_open(app, None).await.unwrap()
    }

    /// Opens it and shows the key.
    async fn with_key(app: &TestApp, key: &str) -> Socket {
        let mut socket = Socket::open(app).await;
        socket.say(&json!({"type": "auth", "apiKey": key}).to_string()).await;
        socket
    }

    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn hear(&mut self) -> Message {
        timeout(LIMIT, self.0.next()).await.unwrap().unwrap().unwrap()
    }

    /// The next message that is no sign of life.
    async fn told(&mut self) -> Value {
        loop {
            match self.hear().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next message; none where it asks for a sign of life.
    async fn told_or_asked(&mut self) -> Option<Value> {
        match self.hear().await {
            Message::Text(text) => Some(serde_json::from_str(&text).unwrap()),
            Message::Ping(_) => None,
            other => panic!("{other:?}"),
        }
    }

    /// The code with which it is closed.
    async fn closed(&mut self) -> u16 {
        loop {
            match self.hear().await {
                Message::Close(frame) => return frame.unwrap().code.into(),
                Message::Text(text) => assert!(text.contains(r#""type":"error""#), "{text}"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn it_speaks_as_the_modules_script_does() {
    let app = TestApp::init().await;
    let all = app.with_key(&["read_metrics", "read_events", "write_webhooks"]).await;
    let usual = app.with_key(&["read_metrics", "write_webhooks"]).await;
    let mut seeing = Socket::with_key(&app, &all.secret).await;
    let mut script = Socket::with_key(&app, &usual.secret).await;
    for socket in [&mut seeing, &mut script] {
        let first = socket.told().await;
        assert_eq!(first["type"], "metrics_update");
        let users = usual.get("/api/devops/sync/users").await.json();
        assert_eq!(first["metrics"]["users"], users);
    }
    let body = r#"{"event":"revenue_generated","data":{"source":"ab_optimizer","amount":1250.00,"details":{}}}"#;
    let send = async |path, body| {
        usual.call("POST", path).body("application/json", body).await.expect(200);
    };
    send("/api/devops/metrics", body).await;
    send("/api/devops/webhook", r#"{"event_type":"deployment"}"#).await;
    let body =
        r#"{"event":"agent_status_changed","data":{"agent":"kpi-tracker","status":"running"}}"#;
    send("/api/devops/webhook", body).await;
    // The permissions that a new key gets are enough: they are what the script was given until now.
    for socket in [&mut seeing, &mut script] {
        let revenue = socket.told().await;
        assert_eq!(
            (&revenue["type"], &revenue["source"]),
            (&json!("revenue_generated"), &json!("ab_optimizer"))
        );
        assert_eq!(revenue["amount"], json!(1250.0));
        assert_eq!(revenue["data"]["amount"], revenue["amount"]);
        let status = socket.told().await;
        assert_eq!(
            (&status["type"], &status["agent"]),
            (&json!("agent_status"), &json!("kpi-tracker"))
        );
        assert_eq!(status["status"], "running");
    }
    usual.get("/api/devops/events").await.problem(403, "insufficient_scope");
    usual.get("/api/devops/stream").await.problem(403, "insufficient_scope");
    app.create_user("new@example.com", "member", None).await;
    for socket in [&mut seeing, &mut script] {
        let change = socket.told().await;
        assert_eq!(change["type"], "metrics_update", "{change}");
        assert_eq!(change["metrics"]["users"]["total_users"], 1);
    }
}

/// Each writing out bears the instant at which it was made, and here no two instants are the same: so
/// what all are told alike was written once.
#[tokio::test]
async fn a_change_is_written_out_once_for_all_who_follow() {
    let app = TestApp::init().await;
    app.clock.tick();
    let key = app.with_key(&["read_metrics", "read_events"]).await;
    let (mut streams, mut sockets) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let mut stream = Follower::open(key.get("/api/devops/stream")).await;
        assert!(stream.next_of("figures").await.is_some());
        streams.push(stream);
        let mut socket = Socket::with_key(&app, &key.secret).await;
        assert_eq!(socket.told().await["type"], "metrics_update");
        sockets.push(socket);
    }
    for round in 1..4 {
        app.create_user(&format!("user-{round}@example.com"), "member", None).await;
        let mut told = Vec::new();
        for stream in &mut streams {
            told.push(stream.next_of("figures").await.unwrap().json());
        }
        for socket in &mut sockets {
            told.push(socket.told().await["metrics"].take());
        }
        assert_eq!(told[0]["users"]["total_users"], round);
        assert!(told.iter().all(|change| *change == told[0]), "{told:#?}");
    }
}

#[tokio::test]
async fn whoever_shows_no_good_key_is_shown_out() {
    let app = TestApp::with_settings(|settings| {
        settings.limits = Limits { head_time: Duration::from_secs(1), ..settings.limits };
    })
    .await;
    let poor = app.with_key(&["read_events"]).await;
    let gone = app.with_key(&["read_metrics"]).await;
    app.store().revoke_key(gone.id, app.audit()).await.unwrap();
    for (key, code, name) in [
        ("no key at all", 4401, "invalid_key"),
        (&poor.secret, 4403, "insufficient_scope"),
        (&gone.secret, 4401, "key_revoked"),
    ] {
        let mut socket = Socket::with_key(&app, key).await;
        assert_eq!(socket.told().await["code"], name);
        assert_eq!(socket.closed().await, code);
    }
    let good = app.with_key(&["read_metrics"]).await.secret;
    for first in [
        "hello".to_owned(),
        "{}".to_owned(),
        json!({"type": "login", "apiKey": good}).to_string(),
        json!({"type": "auth", "apiKey": 5}).to_string(),
    ] {
        let mut socket = Socket::open(&app).await;
        socket.say(&first).await;
        assert_eq!(socket.closed().await, 4400, "{first}");
    }
    let mut silent = Socket::open(&app).await;
    assert_eq!(silent.closed().await, 4408);
    let mut binary = Socket::open(&app).await;
    binary.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(binary.closed().await, 1003);
    let mut large = Socket::open(&app).await;
    large.say(&"x".repeat(9_000)).await;
    assert_eq!(large.closed().await, 1009);
    app.get(PATH).await.problem(400, "bad_request");
}

#[tokio::test]
async fn a_page_of_another_site_opens_nothing() {
    let app = TestApp::with_settings(|settings| {
        settings.cors_origins = vec!["https://shop.example.com".to_owned()];
    })
    .await;
    let own = app.base().to_owned();
    for (origin, allowed) in
        [(own.as_str(), true), ("https://shop.example.com", true), ("https://evil.example", false)]
    {
        match Socket::try_open(&app, Some(origin)).await {
            Ok(_) => assert!(allowed, "{origin}"),
            Err(Error::Http(answer)) => {
                assert!(!allowed && answer.status() == 403, "{origin}: {}", answer.status());
            }
            Err(other) => panic!("{origin}: {other}"),
        }
    }
}

#[tokio::test]
async fn what_ends_a_key_ends_its_sockets_and_the_end_of_the_server_all() {
    let mut app = TestApp::init().await;
    let admin = app.as_admin().await;
    let (one, two) = (app.with_key(&["read_metrics"]).await, app.with_key(&["read_metrics"]).await);
    let mut first = Socket::with_key(&app, &one.secret).await;
    let mut second = Socket::with_key(&app, &two.secret).await;
    assert_eq!(first.told().await["type"], "metrics_update");
    assert_eq!(second.told().await["type"], "metrics_update");
    admin.delete(&format!("/api/devops/keys/{}", one.id)).await.expect(204);
    assert_eq!(first.closed().await, 4401);
    second.0.send(Message::Ping(b"there?".as_slice().into())).await.unwrap();
    assert_eq!(second.hear().await, Message::Pong(b"there?".as_slice().into()));
    let stopping = tokio::spawn(async move { app.stop(Duration::from_secs(10)).await });
    assert_eq!(second.closed().await, 1001);
    drop(second);
    assert!(stopping.await.unwrap());
}

#[tokio::test]
async fn a_client_that_shows_no_sign_of_life_is_let_go() {
    let app = TestApp::with_settings(|settings| {
        settings.limits = Limits { stream_beat: Duration::from_millis(100), ..settings.limits };
    })
    .await;
    let key = app.with_key(&["read_metrics"]).await;
    // This one reacts, because it reads.
    let mut alive = Socket::with_key(&app, &key.secret).await;
    assert_eq!(alive.told().await["type"], "metrics_update");
    let mut dead = Socket::with_key(&app, &key.secret).await;
    assert_eq!(dead.told().await["type"], "metrics_update");
    let mut signs = 0;
    while signs < 8 {
        signs += usize::from(matches!(alive.hear().await, Message::Ping(_)));
    }
    assert_eq!(dead.closed().await, 4408);
}

/// Events that are nothing to the script are no sign of life, and what is said to a client does not show that
/// it is there: only its reaction does.
#[tokio::test]
async fn signs_of_life_come_whatever_else_happens() {
    let app = TestApp::with_settings(|settings| {
        settings.limits = Limits { stream_beat: Duration::from_millis(500), ..settings.limits };
    })
    .await;
    let key = app.with_key(&["read_metrics", "write_webhooks"]).await;
    let mut alive = Socket::with_key(&app, &key.secret).await;
    let mut dead = Socket::with_key(&app, &key.secret).await;
    for socket in [&mut alive, &mut dead] {
        assert_eq!(socket.told().await["type"], "metrics_update");
    }
    let load = Load::start(&key, 2);
    let (mut signs, started) = (0, Instant::now());
    while signs < 6 {
        assert!(started.elapsed() < LIMIT, "{signs} signs of life");
        let revenue = json!({"event_type": "revenue_generated", "amount": signs});
        key.post("/api/devops/webhook", &revenue).await.expect(200);
        while alive.told_or_asked().await.is_none() {
            signs += 1;
        }
    }
    let end = loop {
        if let Message::Close(end) = dead.hear().await {
            break end.unwrap();
        }
    };
    assert_eq!(u16::from(end.code), 4408);
    eventually("its place is free", LIMIT, async || number(&key, READERS).await == 1).await;
    load.stop().await;
}

/// For a client that takes nothing no more is held than its connection holds, and then it is cut.
#[tokio::test]
async fn a_client_that_takes_nothing_is_dropped_and_the_others_are_not() {
    let app = TestApp::with_settings(|settings| {
        let second = Duration::from_secs(1);
        settings.limits = Limits { write_stall: second, write_rate: 1 << 20, ..settings.limits };
    })
    .await;
    let key = app.with_key(&["read_metrics", "read_events", "write_webhooks"]).await;
    let mut stalled = Socket::with_key(&app, &key.secret).await;
    let mut reading = Socket::with_key(&app, &key.secret).await;
    for socket in [&mut stalled, &mut reading] {
        assert_eq!(socket.told().await["type"], "metrics_update");
    }
    assert_eq!(number(&key, READERS).await, 2);
    let mut tell = async |text: String| {
        let body = json!({"event_type": "revenue_generated", "text": text});
        key.post("/api/devops/webhook", &body).await.expect(200);
        assert_eq!(reading.told().await["data"], body);
    };
    for _ in 0..64 {
        tell("x".repeat(250_000)).await;
    }
    eventually("it is dropped", 3 * LIMIT, async || number(&key, READERS).await == 1).await;
    tell("small".to_owned()).await;
}
