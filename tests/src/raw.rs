//! Bytes on a socket, for what no HTTP client would send.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection to a server, byte by byte.
pub struct Raw {
    stream: TcpStream,
}

/// What came back on a raw connection.
#[derive(Debug)]
pub struct RawAnswer {
    /// Everything that was read.
    pub text: String,
    /// Whether the server closed the connection (else the time was over).
    pub closed: bool,
    /// How long that took.
    pub took: Duration,
}

impl Raw {
    /// Connects to `127.0.0.1:port`.
    pub async fn connect(address: &str) -> Raw {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Raw { stream }
    }

    /// Sends bytes. A server that has closed already is not an error here: its answer says more.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends bytes and says whether the connection still took them.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads until the server closes, or until `limit` is over.
    pub async fn read_to_close(&mut self, limit: Duration) -> RawAnswer {
        self.read_until(limit, |_| false).await
    }

    /// Reads one answer with a `Content-Length`, leaving the connection open.
    pub async fn read_answer(&mut self, limit: Duration) -> RawAnswer {
        self.read_until(limit, is_whole_answer).await
    }

    async fn read_until(&mut self, limit: Duration, enough: impl Fn(&[u8]) -> bool) -> RawAnswer {
        let started = Instant::now();
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        let closed = loop {
            let left = limit.saturating_sub(started.elapsed());
            match timeout(left, self.stream.read(&mut buffer)).await {
                Err(_) => break false,
                Ok(Ok(0) | Err(_)) => break true,
                Ok(Ok(count)) => bytes.extend_from_slice(&buffer[..count]),
            }
            if enough(&bytes) {
                break false;
            }
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        RawAnswer { text, closed, took: started.elapsed() }
    }
}

impl RawAnswer {
    /// The status of the first answer; `None` when there is none.
    pub fn status(&self) -> Option<u16> {
        self.text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// How many answers came.
    pub fn answers(&self) -> usize {
        self.text.matches("HTTP/1.1 ").count()
    }
}

/// Connects, sends, and reads until the server closes or `limit` is over.
pub async fn exchange(address: &str, bytes: impl AsRef<[u8]>, limit: Duration) -> RawAnswer {
    let mut raw = Raw::connect(address).await;
    raw.send(bytes).await;
    raw.read_to_close(limit).await
}

fn is_whole_answer(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse::<usize>().ok())
        .unwrap_or(0);
    body.len() >= length
}
