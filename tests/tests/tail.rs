//! `revenue-ripple tail`: a terminal that follows the stream through restarts.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rr_tests::database::TestDatabase;
use rr_tests::process::{Program, RealServer, binary, make_key};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(30);

/// A running `tail`; dropping it kills it.
struct Tail {
    child: Child,
    lines: Receiver<String>,
}

impl Tail {
    fn start(url: &str, key: &str, more: &[&str]) -> Tail {
        let mut child = Command::new(binary())
            .args(["tail", "--url", url])
            .args(more)
            .current_dir(std::env::temp_dir())
            .env_clear()
            .env("RR_API_KEY", key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = follow(child.stdout.take().unwrap());
        Tail { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Ends it as Ctrl-C does; gives the exit code and what it said.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (code, said)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

async fn send(server: &RealServer, key: &str, number: usize) {
    let event_type = if number.is_multiple_of(2) { "even" } else { "odd" };
    let body = json!({"event_type": event_type, "source": "a test", "number": number});
    server.client().with_key(key).post("/api/devops/webhook", &body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_shows_every_event_once_through_a_restart() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks", "read_events"]);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let serve = || Program::new(database.url(), ["serve"]).env("RR_BIND", &address).serve();
    let url = format!("http://{address}");
    let mut server = serve().await;
    send(&server, &key, 0).await;
    let all = Tail::start(&url, &key, &["--json", "--after", "0"]);
    let odd = Tail::start(&url, &key, &["--type", "odd", "--source", "a test", "--after", "0"]);
    assert_eq!(all.json()["data"]["number"], 0);
    send(&server, &key, 1).await;
    assert_eq!(all.json()["data"]["number"], 1);
    let line = odd.line();
    assert!(line.contains("  odd  a test  {") && !line.contains('\u{1b}'), "{line:?}");

    server.kill();
    let server = serve().await;
    for number in 2..6 {
        send(&server, &key, number).await;
    }
    for number in 2..6 {
        assert_eq!(all.json()["data"]["number"], number);
    }
    assert!(odd.line().contains(r#""number":3"#));
    assert!(odd.line().contains(r#""number":5"#));

    let (code, said) = all.interrupt();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("trying again in 1 s"), "{said}");
    let last = said.lines().find(|line| line.starts_with("--after ")).expect(&said);
    let number = last.split_whitespace().nth(1).unwrap();
    send(&server, &key, 6).await;
    let again = Tail::start(&url, &key, &["--json", "--after", number]);
    let line = again.json();
    assert_eq!(line["data"]["number"], 6);
    // A program that was killed goes on from the last line that it has.
    drop(again);
    send(&server, &key, 7).await;
    let place = line["seq"].as_i64().unwrap().to_string();
    let again = Tail::start(&url, &key, &["--json", "--after", &place]);
    assert_eq!(again.json()["data"]["number"], 7);
}

/// `tail … | head -1`: when nobody reads any more, there is nothing left to do. A disk that is full is trouble.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_when_nobody_reads_what_it_prints() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks", "read_events"]);
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let start = |stdout: Stdio| {
        Command::new(binary())
            .args(["tail", "--url", server.client().base(), "--after", "0"])
            .current_dir(std::env::temp_dir())
            .env_clear()
            .env("RR_API_KEY", &key)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    send(&server, &key, 0).await;
    let mut headed = start(Stdio::piped());
    let mut head = BufReader::new(headed.stdout.take().unwrap());
    let mut line = String::new();
    head.read_line(&mut line).unwrap();
    assert!(line.contains(r#""number":0"#), "{line}");
    drop(head);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (mut child, code, words) in
        [(headed, 0, ""), (start(Stdio::from(full)), 1, "No space left on device")]
    {
        let started = Instant::now();
        let status = loop {
            send(&server, &key, 1).await;
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < LIMIT, "it goes on");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(status.code(), Some(code), "{said}");
        assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_what_will_not_change_and_ends() {
    let database = TestDatabase::migrated().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let url = server.client().base().to_owned();
    let (_, poor) = make_key(database.url(), &["read_metrics"]);
    let tail = |key: &str| {
        Program::new(database.url(), ["tail", "--url", &url]).env("RR_API_KEY", key).run()
    };
    let ended = tail(&poor).expect(1);
    assert!(ended.stderr.contains("(403)"), "{}", ended.stderr);
    let ended = tail("no key").expect(1);
    assert!(ended.stderr.contains("(401)") && !ended.stderr.contains("no key"), "{}", ended.stderr);
    let ended = Program::new(database.url(), ["tail", "--url", &url]).run().expect(2);
    assert!(ended.stderr.contains("RR_API_KEY"), "{}", ended.stderr);
}
