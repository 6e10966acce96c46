//! A client of the live stream that reads it frame by frame.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::client::{Answer, Call, Client};

/// What something may take that comes by itself.
const LIMIT: Duration = Duration::from_secs(20);

/// A number about those who follow, as the server tells a caller that may read metrics.
pub async fn number(meter: &Client, name: &str) -> usize {
    let text = meter.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap().parse().unwrap()
}

/// An open stream.
pub struct Follower {
    response: reqwest::Response,
    buffer: Vec<u8>,
    /// The last id that came, as a browser keeps it.
    pub last_id: Option<String>,
}

/// One frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// Its id.
    pub id: Option<String>,
    /// Its kind.
    pub event: Option<String>,
    /// What it carries.
    pub data: Option<String>,
}

impl Frame {
    /// What it carries, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(self.data.as_deref().unwrap()).unwrap()
    }

    fn parse(text: &str) -> Frame {
        let mut frame = Frame::default();
        for line in text.lines() {
            let (name, value) = line.split_once(':').unwrap();
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            let place = match name {
                "id" => &mut frame.id,
                "event" => &mut frame.event,
                "data" => &mut frame.data,
                "" | "retry" => continue,
                other => panic!("{other} is no field of a frame: {text}"),
            };
            assert!(place.replace(value).is_none(), "{name} comes twice: {text}");
        }
        frame
    }
}

impl Follower {
    /// Begins to follow and reads the first frame, which names the place where it begins.
    pub async fn open(call: Call) -> Follower {
        let mut follower = match Follower::try_open(call).await {
            Ok(follower) => follower,
            Err(answer) => panic!("refused: {} {}", answer.status, answer.text()),
        };
        let first = follower.next().await.expect("the first frame");
        assert!(first.id.is_some() && first.data.is_none(), "{first:?}");
        follower
    }

    /// The same, where it may be refused.
    pub async fn try_open(call: Call) -> Result<Follower, Answer> {
        let response = call.open().await.unwrap();
        if response.status() != 200 {
            return Err(Answer::of(response).await.unwrap());
        }
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, "text/event-stream");
        Ok(Follower { response, buffer: Vec::new(), last_id: None })
    }

    /// The next frame, signs of life included; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let text: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let frame = Frame::parse(std::str::from_utf8(&text[..end]).unwrap());
                if frame.id.is_some() {
                    self.last_id.clone_from(&frame.id);
                }
                return Some(frame);
            }
            let chunk = timeout(LIMIT, self.response.chunk()).await.expect("nothing came in time");
            // A server that was killed ends it without an end.
            match chunk {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The next frame that carries something.
    pub async fn next_news(&mut self) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.data.is_some() {
                return Some(frame);
            }
        }
    }

    /// The next frame of that kind.
    pub async fn next_of(&mut self, kind: &str) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.event.as_deref() == Some(kind) {
                return Some(frame);
            }
        }
    }
}
