//! How soon the readers of the live stream have an event.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rr_tests::measure::{Connection, get, median, post_json, resident_kib};
use rr_tests::process::make_key;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::{Ours, WEBHOOK, tail};

const READERS: usize = 1_000;
/// As many readers as a server lets one key have.
const READERS_OF_A_KEY: usize = 64;
const EVENTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// Sends events one by one while all readers follow, and tells how long each event took from being
/// sent to each reader: more than from its commit, which lies in between.
pub(super) async fn measure() {
    let ours = Ours::start("256").await;
    LocalSet::new().run_until(follow_all(&ours)).await;
}

async fn follow_all(ours: &Ours) {
    let board =
        Rc::new(Board { sent: RefCell::default(), times: RefCell::default(), ready: Cell::new(0) });
    let mut key = String::new();
    for number in 0..READERS {
        if number % READERS_OF_A_KEY == 0 {
            (_, key) = make_key(ours.database.url(), &["read_events"]);
        }
        tokio::task::spawn_local(read(ours.address, key.clone(), Rc::clone(&board)));
    }
    while board.ready.get() < READERS {
        tokio::time::sleep(PAUSE).await;
    }
    let mut sender = Connection::open(ours.address).await;
    for number in 0..EVENTS {
        tokio::time::sleep(PAUSE).await;
        let body = format!(r#"{{"event_type":"note","data":{{"{NUMBER}":{number}}}}}"#);
        board.sent.borrow_mut().push(Instant::now());
        sender.ask(&post_json(WEBHOOK, &ours.key, &body)).await;
    }
    let all = READERS * EVENTS;
    let until = Instant::now() + Duration::from_secs(10);
    while board.times.borrow().len() < all && Instant::now() < until {
        tokio::time::sleep(PAUSE).await;
    }
    let times = board.times.borrow();
    println!(
        "live stream: {READERS} readers, {EVENTS} events, one every {} ms; {} of {all} came; from \
         sending an event to a reader: {} µs (median), {} µs (99 %); memory {} KiB",
        PAUSE.as_millis(),
        times.len(),
        median(&times),
        tail(&times),
        resident_kib(ours.server.pid()),
    );
}

/// The member of an event's data that says which it is.
const NUMBER: &str = "the_number";

/// What the readers share.
struct Board {
    sent: RefCell<Vec<Instant>>,
    /// Microseconds.
    times: RefCell<Vec<u64>>,
    ready: Cell<usize>,
}

impl Board {
    /// Notes the events of a line of the stream, if it is one with an event.
    fn note(&self, line: &str, now: Instant) {
        let Some((_, rest)) = line.split_once(NUMBER) else { return };
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        let number: usize = digits.parse().unwrap();
        let took = now - self.sent.borrow()[number];
        self.times.borrow_mut().push(u64::try_from(took.as_micros()).unwrap());
    }
}

async fn read(address: SocketAddr, key: String, board: Rc<Board>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&get("/api/devops/stream", &key)).await.unwrap();
    let mut buffer = vec![0; 16 * 1024];
    let mut line = String::new();
    let mut is_ready = false;
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the server hung up");
        let now = Instant::now();
        for character in std::str::from_utf8(&buffer[..count]).unwrap().chars() {
            if character != '\n' {
                line.push(character);
                continue;
            }
            // The first frame says where the stream begins.
            if !is_ready && line.starts_with("id:") {
                is_ready = true;
                board.ready.set(board.ready.get() + 1);
            }
            board.note(&line, now);
            line.clear();
        }
    }
}
