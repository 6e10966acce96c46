//! Measuring a server over HTTP: a closed loop of connections, each of which asks again when it has
//! its answer, the processor time that the server took meanwhile, and a bare handler of the same
//! framework beside it. Carry the ratios; the absolute figures belong to the machine.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Answer;

const WARM_UP: Duration = Duration::from_millis(500);
/// The argument with which a bench starts itself as the bare server.
const SERVE_BARE: &str = "--serve-bare";
/// An event as a deployment script sends it.
const EVENT: &str = r#"{"event_type":"deployment","status":"success","version":"1.2.3","environment":"production","deployTime":45,"timestamp":"2026-01-15T12:00:00Z"}"#;

/// Headers that the framework writes by itself.
const FRAMEWORKS_OWN: [&str; 2] = ["content-length", "date"];

/// The path of the bare server.
pub const BARE: &str = "/bare";

/// The argument after `name`.
pub fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}

/// That argument as a number.
pub fn option(name: &str) -> Option<u64> {
    argument(name)?.parse().ok()
}

/// That argument as numbers.
pub fn list(name: &str) -> Option<Vec<u64>> {
    argument(name)?.split(',').map(|number| number.parse().ok()).collect()
}

/// One thing that is measured.
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    address: SocketAddr,
    pid: u32,
    request: Arc<Vec<u8>>,
    /// Requests per second, round by round.
    pub rates: Vec<u64>,
    /// The server's processor time for each request, round by round.
    pub micros_per_request: Vec<u64>,
}

impl Target {
    /// A process that is asked this.
    pub fn new(name: &'static str, address: SocketAddr, pid: u32, request: Vec<u8>) -> Target {
        let request = Arc::new(request);
        Target { name, address, pid, request, rates: Vec::new(), micros_per_request: Vec::new() }
    }

    /// Loads the target for one round.
    pub async fn round(&mut self, connections: u64, length: Duration) {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicU64::new(0));
        let clients: Vec<_> = (0..connections)
            .map(|_| {
                let request = Arc::clone(&self.request);
                tokio::spawn(ask_until(self.address, request, Arc::clone(&stop), Arc::clone(&done)))
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

/// Asks again and again.
async fn ask_until(
    address: SocketAddr,
    request: Arc<Vec<u8>>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
) {
    let mut connection = Connection::open(address).await;
    while !stop.load(Ordering::Relaxed) {
        connection.ask(&request).await;
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection that stays open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, buffer: vec![0; 16 * 1024] }
    }

    /// Sends a request and reads the whole answer, which has to be a success or that nothing changed.
    pub async fn ask(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.unwrap();
        let mut filled = 0;
        while !is_whole(&self.buffer[..filled]) {
            let count = self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert!(count > 0, "the server hung up");
            filled += count;
        }
        let answer = &self.buffer[..filled];
        let is_good =
            [b"HTTP/1.1 200", b"HTTP/1.1 304"].iter().any(|line| answer.starts_with(*line));
        assert!(is_good, "{}", String::from_utf8_lossy(answer));
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

/// A GET with a key.
pub fn get(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {key}\r\n\r\n").into_bytes()
}

/// A GET with a key by one that has an answer already.
pub fn get_if_changed(path: &str, key: &str, tag: &str) -> Vec<u8> {
    let condition = format!("If-None-Match: {tag}\r\n\r\n");
    let mut request = get(path, key);
    request.truncate(request.len() - 2);
    request.extend(condition.into_bytes());
    request
}

/// A POST of an event with a key.
pub fn post_event(path: &str, key: &str) -> Vec<u8> {
    post_json(path, key, EVENT)
}

/// A POST of JSON with a key.
pub fn post_json(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The one in the middle.
pub fn median(figures: &[u64]) -> u64 {
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

/// The memory that a process holds.
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The bare server, which ends with this value.
pub struct Bare {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bare {
    /// Starts this program once more: a process of its own, as the real server is one. The program
    /// has to begin with [`serve_if_asked`].
    pub fn start() -> Bare {
        Bare::that_says(&[], "")
    }

    /// The same, whose answer to a GET has the bytes of this one, its headers among them.
    pub fn like(answer: &Answer) -> Bare {
        let headers =
            answer.headers.iter().filter(|(name, _)| !FRAMEWORKS_OWN.contains(&name.as_str()));
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        Bare::that_says(&headers, &answer.text())
    }

    fn that_says(headers: &[(&str, &str)], body: &str) -> Bare {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([SERVE_BARE, &serde_json::json!([headers, body]).to_string()]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        Bare { child, address }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// Serves until it is killed, if this process was started to be the bare server; says whether.
pub fn serve_if_asked() -> bool {
    let said = argument(SERVE_BARE);
    let asked = said.is_some();
    if let Some(said) = said {
        let (headers, body): (_, String) = serde_json::from_str(&said).unwrap();
        serve_bare(headers, Bytes::from(body));
    }
    asked
}

#[expect(clippy::print_stdout, reason = "how the bench that started it learns the address")]
fn serve_bare(headers: Vec<(String, String)>, body: Bytes) {
    let headers: Vec<(HeaderName, HeaderValue)> = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let runtime = actix_web::rt::System::new();
    runtime
        .block_on(async move {
            let app = move || {
                let (headers, body) = (headers.clone(), body.clone());
                let get = move || {
                    let mut answer = HttpResponse::Ok();
                    for (name, value) in &headers {
                        answer.insert_header((name.clone(), value.clone()));
                    }
                    std::future::ready(answer.body(body.clone()))
                };
                let post = move |body: Bytes| async move {
                    let parsed: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    assert!(parsed.is_object());
                    HttpResponse::Ok()
                        .content_type("application/json")
                        .body(Bytes::from_static(br#"{"status":"success"}"#))
                };
                App::new().route(BARE, web::get().to(get)).route(BARE, web::post().to(post))
            };
            let server = HttpServer::new(app).bind("127.0.0.1:0").unwrap();
            println!("{}", server.addrs().first().expect("an address"));
            server.run().await
        })
        .unwrap();
}
