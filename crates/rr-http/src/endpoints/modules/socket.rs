//! The conversation on one WebSocket.

use std::net::IpAddr;
use std::sync::Arc;

use actix_ws::{CloseCode, CloseReason, Closed, Message, MessageStream, ProtocolError, Session};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::hello::{Refused, let_in};
use crate::live::{Ended, Item, Reader};
use crate::problem::Problem;
use crate::state::AppState;

/// A client that answers no sign of life so many times is gone.
const SIGNS: u32 = 3;

/// Why a conversation ends: a code, and words for whoever debugs the other side. Codes from 4000 on are
/// our own, after the HTTP status of the same meaning.
#[derive(Debug)]
struct End(u16, String);

/// One WebSocket.
pub(super) struct Socket {
    state: Arc<AppState>,
    address: Option<IpAddr>,
    session: Session,
    messages: MessageStream,
}

impl Socket {
    pub(super) fn new(
        state: Arc<AppState>,
        address: Option<IpAddr>,
        session: Session,
        messages: MessageStream,
    ) -> Socket {
        Socket { state, address, session, messages }
    }

    /// Talks until one of both has enough.
    pub(super) async fn run(mut self) {
        let End(code, words) = match self.greet().await {
            Ok(reader) => self.tell(reader).await,
            Err(end) => end,
        };
        let reason = CloseReason { code: CloseCode::from(code), description: Some(words) };
        // It may be closed already.
        let _ = self.session.close(Some(reason)).await;
    }

    /// The first message, which must come in time.
    async fn greet(&mut self) -> Result<Reader, End> {
        let first = timeout(self.state.settings.limits.head_time, self.first_text()).await;
        let text = first.unwrap_or_else(|_| Err(End(4408, "no auth in time".to_owned())))?;
        match let_in(&self.state, self.address, &text).await {
            Ok(reader) => Ok(reader),
            Err(Refused::NotAuth) => {
                let words = r#"the first message must be {"type":"auth","apiKey":"…"}"#;
                Err(End(4400, words.to_owned()))
            }
            Err(Refused::Problem(problem)) => {
                let said = json!({"type": "error", "code": problem.code().name(),
                    "error": problem.code().text()});
                // If it is gone, the end is the same.
                let _ = self.session.text(said.to_string()).await;
                Err(refusal(&problem))
            }
        }
    }

    async fn first_text(&mut self) -> Result<String, End> {
        loop {
            match self.messages.recv().await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                message => self.hear(message).await?,
            }
        }
    }

    /// What has nothing to do with the subject: signs of life, and the end.
    async fn hear(&mut self, message: Option<Result<Message, ProtocolError>>) -> Result<(), End> {
        match message {
            Some(Ok(Message::Ping(bytes))) => Ok(self.session.pong(&bytes).await?),
            Some(Ok(Message::Pong(_) | Message::Text(_) | Message::Nop)) => Ok(()),
            Some(Ok(Message::Close(_))) => Err(End(1000, String::new())),
            Some(Ok(Message::Binary(_) | Message::Continuation(_))) => {
                Err(End(1003, "only whole messages of text".to_owned()))
            }
            Some(Err(ProtocolError::Overflow)) => Err(End(1009, "too large".to_owned())),
            Some(Err(_)) => Err(End(1002, "not as RFC 6455 has it".to_owned())),
            None => Err(End(1000, String::new())),
        }
    }

    /// Tells what happens. That a client is told something does not show that it is there, as its reaction to
    /// a sign of life does: so that is asked for however much else there is to tell.
    async fn tell(&mut self, mut reader: Reader) -> End {
        let mut heard_at = Instant::now();
        loop {
            let outcome = tokio::select! {
                message = self.messages.recv() => {
                    heard_at = Instant::now();
                    self.hear(message).await
                }
                item = reader.next() => match item {
                    None => Err(ending(reader.ended())),
                    Some(Item::Beat) if heard_at.elapsed() > SIGNS * self.state.settings.limits.stream_beat => {
                        Err(End(4408, "no sign of life".to_owned()))
                    }
                    Some(item) => self.pass_on(&item).await.map_err(End::from),
                },
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    async fn pass_on(&mut self, item: &Item) -> Result<(), Closed> {
        match item {
            Item::Events(batch, after) => {
                for message in batch.messages_after(*after) {
                    self.session.text(message.to_owned()).await?;
                }
                Ok(())
            }
            Item::Figures(parts) => {
                let metrics = String::from_utf8_lossy(parts);
                let message = format!(r#"{{"type":"metrics_update","metrics":{metrics}}}"#);
                self.session.text(message).await
            }
            Item::Beat => self.session.ping(b"").await,
        }
    }
}

/// Who was told why need not be told again: the name of the problem is enough.
fn refusal(problem: &Problem) -> End {
    let code = match problem.status().as_u16() {
        status @ (401 | 403 | 429) => 4000 + status,
        // Try again later.
        _ => 1013,
    };
    End(code, problem.code().name().to_owned())
}

fn ending(ended: Ended) -> End {
    let (code, words) = match ended {
        Ended::Stopping => (1001, "the server is stopping"),
        Ended::Credential => (4401, "the key is not valid any more"),
        Ended::TooSlow => (1013, "too far behind"),
    };
    End(code, words.to_owned())
}

impl From<Closed> for End {
    fn from(_: Closed) -> End {
        End(1000, String::new())
    }
}
