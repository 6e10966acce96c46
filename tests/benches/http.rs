//! Requests per second of the real server against a bare handler of the same framework, in one run:
//! rounds interleaved, medians, ratios. A closed loop: each connection asks again when it has its
//! answer. Carry the ratios; the absolute figures belong to the machine.
//!
//! `cargo xtask bench http` builds what this needs and runs it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that goes wrong should say so and stop"
)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use rr_tests::database::TestDatabase;
use rr_tests::process::{Program, RealServer, binary, make_key};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const WARM_UP: Duration = Duration::from_millis(500);
/// As long as what `sync/users` answers on the demo data.
const BARE_ANSWER: &str = r#"{"timestamp":"2026-01-15T12:00:00Z","total_users":2,"users_by_role":{"admin":1,"member":1},"users_by_status":{"active":2},"recent_signups":0}"#;
const EVENT: &str = r#"{"event_type":"deployment","status":"success","version":"1.2.3","environment":"production","deployTime":45,"timestamp":"2026-01-15T12:00:00Z"}"#;

struct Options {
    round: Duration,
    rounds: u64,
    connections: Vec<u64>,
}

/// One thing that is measured.
struct Target {
    name: &'static str,
    address: SocketAddr,
    pid: u32,
    request: Vec<u8>,
    rates: Vec<u64>,
    micros_per_request: Vec<u64>,
}

fn main() {
    if std::env::args().any(|argument| argument == "--serve-bare") {
        return serve_bare();
    }
    let options = Options {
        round: Duration::from_secs(option("--seconds").unwrap_or(3)),
        rounds: option("--rounds").unwrap_or(5),
        connections: list("--connections").unwrap_or_else(|| vec![64, 256]),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&options));
}

fn text(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}

fn option(name: &str) -> Option<u64> {
    text(name)?.parse().ok()
}

fn list(name: &str) -> Option<Vec<u64>> {
    text(name)?.split(',').map(|number| number.parse().ok()).collect()
}

async fn measure(options: &Options) {
    let database = TestDatabase::migrated().await;
    Program::new(database.url(), ["seed", "--demo"]).run().expect(0);
    let (_, key) = make_key(database.url(), &["read_metrics", "write_webhooks"]);

    print_start_up(&database).await;
    let server = Program::new(database.url(), ["serve"]).env("RR_LOG", "info").with_log_file();
    let server = server.serve().await;
    let ours: SocketAddr = server.client().address().parse().unwrap();
    let (bare, bare_address) = start_bare();
    for connections in &options.connections {
        let mut targets = [
            target("bare GET", bare_address, bare.0.id(), get("/bare", "")),
            target("sync/users with key", ours, server.pid(), get("/api/devops/sync/users", &key)),
            target("bare POST", bare_address, bare.0.id(), post("/bare", "")),
            target("webhook, durable", ours, server.pid(), post("/api/devops/webhook", &key)),
        ];
        for _ in 0..options.rounds {
            for target in &mut targets {
                target.round(*connections, options.round).await;
            }
        }
        print(&targets, *connections, options);
    }
    println!("{:<22} {:>10} KiB after the load", "memory", resident_kib(server.pid()));
}

fn print(targets: &[Target], connections: u64, options: &Options) {
    let (rounds, seconds) = (options.rounds, options.round.as_secs());
    println!();
    println!("{connections} connections, {rounds} rounds of {seconds} s, medians");
    println!("{:<22} {:>10} {:>9} {:>14}", "what", "requests/s", "of bare", "CPU µs/request");
    for pair in targets.chunks(2) {
        let [bare, ours] = pair else { continue };
        for target in [bare, ours] {
            let percent = median(&target.rates) * 100 / median(&bare.rates).max(1);
            println!(
                "{:<22} {:>10} {:>8}% {:>14}",
                target.name,
                median(&target.rates),
                percent,
                median(&target.micros_per_request)
            );
        }
    }
}

async fn print_start_up(database: &TestDatabase) {
    let mut until_first_answer = Vec::new();
    let mut idle = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let server: RealServer = Program::new(database.url(), ["serve"]).serve().await;
        server.client().get("/healthz").await.expect(200);
        until_first_answer.push(u64::try_from(started.elapsed().as_millis()).unwrap());
        tokio::time::sleep(Duration::from_millis(300)).await;
        idle.push(resident_kib(server.pid()));
    }
    let size = std::fs::metadata(binary()).unwrap().len();
    println!("start to first answer  {:>10} ms", median(&until_first_answer));
    println!("memory, idle           {:>10} KiB", median(&idle));
    println!("binary                 {:>10} KiB", size / 1024);
}

impl Target {
    /// Loads the target for one round.
    async fn round(&mut self, connections: u64, length: Duration) {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicU64::new(0));
        let clients: Vec<_> = (0..connections)
            .map(|_| {
                let request = self.request.clone();
                tokio::spawn(ask(self.address, request, Arc::clone(&stop), Arc::clone(&done)))
            })
            .collect();
        tokio::time::sleep(WARM_UP).await;
        let (before, started) = (done.load(Ordering::Relaxed), Instant::now());
        let cpu_before = cpu_micros(self.pid);
        tokio::time::sleep(length).await;
        let answered = done.load(Ordering::Relaxed) - before;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap();
        let cpu = cpu_micros(self.pid) - cpu_before;
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap();
        }
        self.rates.push(answered * 1_000_000 / micros);
        self.micros_per_request.push(cpu / answered.max(1));
    }
}

/// One connection that asks, reads the whole answer, and asks again.
async fn ask(address: SocketAddr, request: Vec<u8>, stop: Arc<AtomicBool>, done: Arc<AtomicU64>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 16 * 1024];
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(&request).await.unwrap();
        let mut filled = 0;
        loop {
            let count = stream.read(&mut buffer[filled..]).await.unwrap();
            assert!(count > 0, "the server hung up");
            filled += count;
            if is_whole(&buffer[..filled]) {
                break;
            }
        }
        assert!(
            buffer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&buffer[..filled])
        );
        done.fetch_add(1, Ordering::Relaxed);
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse::<usize>().unwrap());
    bytes.len() >= head + 4 + length
}

fn target(name: &'static str, address: SocketAddr, pid: u32, request: Vec<u8>) -> Target {
    Target { name, address, pid, request, rates: Vec::new(), micros_per_request: Vec::new() }
}

fn get(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {key}\r\n\r\n").into_bytes()
}

fn post(path: &str, key: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{EVENT}",
        EVENT.len()
    )
    .into_bytes()
}

fn median(figures: &[u64]) -> u64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// The user and system time of a process so far.
fn cpu_micros(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks: u64 = [11, 12].iter().map(|place| fields[*place].parse::<u64>().unwrap()).sum();
    // Linux counts in hundredths of a second, whatever the kernel's own tick.
    ticks * 10_000
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The bare server, which ends with this value.
struct Bare(Child);

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process of its own, as the real server is one.
fn start_bare() -> (Bare, SocketAddr) {
    let this = std::env::current_exe().unwrap();
    let mut child = Command::new(this).arg("--serve-bare").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Bare(child), line.trim().parse().unwrap())
}

fn serve_bare() {
    let json = |body: &'static str| HttpResponse::Ok().content_type("application/json").body(body);
    let runtime = actix_web::rt::System::new();
    runtime
        .block_on(async move {
            let app = move || {
                let get = move || async move { json(BARE_ANSWER) };
                let post = move |body: web::Bytes| async move {
                    let parsed: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    assert!(parsed.is_object());
                    json(r#"{"status":"success"}"#)
                };
                App::new().route("/bare", web::get().to(get)).route("/bare", web::post().to(post))
            };
            let server = HttpServer::new(app).bind("127.0.0.1:0").unwrap();
            println!("{}", server.addrs().first().expect("an address"));
            server.run().await
        })
        .unwrap();
}
