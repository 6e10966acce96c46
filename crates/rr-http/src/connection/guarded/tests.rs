//! The watchdog on a pipe in memory, with time that only moves when everything waits.

use std::rc::Rc;
use std::time::Duration;

use rr_domain::{Clock, Random, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use super::*;
use crate::connection::Drain;

const SECOND: Duration = Duration::from_secs(1);

/// A guarded stream and its client; the pipe between them holds 64 KiB.
fn connection() -> (Guarded<DuplexStream>, DuplexStream) {
    let (server, client) = duplex(64 * 1024);
    let clock = Clock::new(|| Timestamp::EPOCH);
    let ids = RequestIds::new(clock, Random::new(|buffer| buffer.fill(1)));
    let settings = Rc::new(Settings { limits: Limits::STANDARD, ids });
    (Guarded::new(server, settings, Drain::new().count()), client)
}

/// Reads like the framework until the stream ends, and says how much came and how long it took.
async fn read_to_end(stream: &mut Guarded<DuplexStream>) -> (usize, Duration) {
    let (began, mut total) = (Instant::now(), 0);
    let mut buffer = vec![0; 8 * 1024];
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return (total, began.elapsed()),
            read => total += read,
        }
    }
}

async fn everything(client: &mut DuplexStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    text
}

fn about(expected: Duration, took: Duration) -> bool {
    took >= expected && took < expected + SECOND / 10
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_told_and_cut() {
    let (mut stream, mut client) = connection();
    let (read, took) = read_to_end(&mut stream).await;
    assert_eq!(read, 0);
    // Five seconds for the head, two for the client to read the refusal.
    assert!(about(7 * SECOND, took), "{took:?}");
    drop(stream);
    let text = everything(&mut client).await;
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    assert!(text.contains(r#""code":"request_timeout""#), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_dripping_head_is_cut_although_it_never_stops() {
    let (mut stream, mut client) = connection();
    let dripping = tokio::spawn(async move {
        client.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        while client.write_all(b"a").await.is_ok() {
            tokio::time::sleep(SECOND).await;
        }
        client
    });
    let (_, took) = read_to_end(&mut stream).await;
    assert!(about(7 * SECOND, took), "{took:?}");
    drop(stream);
    let text = everything(&mut dripping.await.unwrap()).await;
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_second_head_has_as_much_time_as_the_first() {
    let (mut stream, mut client) = connection();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    stream.read_exact(&mut [0; 18]).await.unwrap();
    let serving = stream.activity().serve(false, false);
    tokio::time::sleep(20 * SECOND).await;
    drop(serving);
    stream.flush().await.unwrap();

    client.write_all(b"GET ").await.unwrap();
    let (_, took) = read_to_end(&mut stream).await;
    assert!(about(7 * SECOND, took), "{took:?}");
    drop(stream);
    assert!(everything(&mut client).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_without_a_word() {
    let (mut stream, mut client) = connection();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    stream.read_exact(&mut [0; 18]).await.unwrap();
    drop(stream.activity().serve(false, false));
    stream.flush().await.unwrap();
    let (_, took) = read_to_end(&mut stream).await;
    assert!(about(60 * SECOND, took), "{took:?}");
    drop(stream);
    assert_eq!(everything(&mut client).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_being_served_has_no_deadline_here() {
    let (mut stream, mut client) = connection();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    stream.read_exact(&mut [0; 18]).await.unwrap();
    let _serving = stream.activity().serve(false, false);
    let waited = tokio::time::timeout(600 * SECOND, stream.read(&mut [0; 1024])).await;
    assert!(waited.is_err(), "it must still wait");
}

#[tokio::test(start_paused = true)]
async fn an_overlong_head_is_refused_before_it_is_taken_in() {
    let (mut stream, mut client) = connection();
    let head = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(40_000));
    client.write_all(head.as_bytes()).await.unwrap();
    let (read, _) = read_to_end(&mut stream).await;
    assert_eq!(read, Limits::STANDARD.head_bytes);
    drop(stream);
    let text = everything(&mut client).await;
    assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_body_does_not_count_as_head() {
    let (mut stream, mut client) = connection();
    client.write_all(&vec![b'x'; 60_000]).await.unwrap();
    let mut taken = 0;
    let mut buffer = [0; 4096];
    while taken < Limits::STANDARD.head_bytes {
        taken += stream.read(&mut buffer).await.unwrap();
    }
    let _serving = stream.activity().serve(true, false);
    while taken < 60_000 {
        taken += stream.read(&mut buffer).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut() {
    let (mut stream, _client) = connection();
    let _serving = stream.activity().serve(false, false);
    let began = Instant::now();
    let error = stream.write_all(&vec![0; 100_000]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(about(10 * SECOND, began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_too_slowly_is_cut_and_a_slow_one_is_not() {
    for (bytes_a_second, survives) in [(1024, false), (16 * 1024, true)] {
        let (mut stream, mut client) = connection();
        let _serving = stream.activity().serve(false, false);
        let reading = tokio::spawn(async move {
            let mut buffer = vec![0; bytes_a_second];
            while client.read_exact(&mut buffer).await.is_ok() {
                tokio::time::sleep(SECOND).await;
            }
        });
        let wrote = stream.write_all(&vec![0; 512 * 1024]).await;
        assert_eq!(wrote.is_ok(), survives, "{bytes_a_second} bytes a second");
        reading.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn the_frameworks_refusal_gets_a_body_and_our_own_answers_pass() {
    let bare = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    let (mut stream, mut client) = connection();
    stream.write_all(bare).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    let text = everything(&mut client).await;
    assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text}");
    assert!(text.contains(r#""code":"bad_request""#), "{text}");

    let (mut stream, mut client) = connection();
    let serving = stream.activity().serve(false, false);
    stream.write_all(bare).await.unwrap();
    drop(serving);
    stream.write_all(bare).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    let text = everything(&mut client).await;
    assert_eq!(text.as_bytes(), [&bare[..], bare].concat());
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_an_unwanted_body_is_not_waited_for_long() {
    let (mut stream, mut client) = connection();
    client.write_all(b"POST / HTTP/1.1\r\n\r\n").await.unwrap();
    stream.read_exact(&mut [0; 19]).await.unwrap();
    drop(stream.activity().serve(true, false));
    stream.flush().await.unwrap();
    let (_, took) = read_to_end(&mut stream).await;
    assert!(about(2 * SECOND, took), "{took:?}");
    drop(stream);
    assert_eq!(everything(&mut client).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_is_told_when_the_body_is_wanted() {
    let answer = b"HTTP/1.1 401 Unauthorized\r\n\r\n";
    for (wanted, expected) in [(true, [GO_AHEAD, answer].concat()), (false, answer.to_vec())] {
        let (mut stream, mut client) = connection();
        let serving = stream.activity().serve(true, true);
        stream.write_all(GO_AHEAD).await.unwrap();
        stream.flush().await.unwrap();
        if wanted {
            stream.activity().wants_body();
            stream.flush().await.unwrap();
        }
        assert_eq!(stream.activity().was_never_asked(), !wanted);
        stream.write_all(answer).await.unwrap();
        drop(serving);
        stream.flush().await.unwrap();
        drop(stream);
        assert_eq!(everything(&mut client).await.as_bytes(), expected);
    }
}
