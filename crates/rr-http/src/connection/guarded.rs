//! The stream between a socket and the framework.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::activity::{Activity, Continue, Phase};
use super::drain::Counted;
use super::refusal::{framework_refusal, refusal};
use crate::codes::Code;
use crate::limits::Limits;
use crate::request_id::RequestIds;

/// What the framework sends to a client that expects it, before anybody has looked at the head.
const GO_AHEAD: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What all connections of a worker share.
#[derive(Debug)]
pub(crate) struct Settings {
    /// How long and how much.
    pub(crate) limits: Limits,
    /// Names for requests that never reach the application.
    pub(crate) ids: RequestIds,
}

/// A socket whose client is not waited for beyond the limits.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    io: S,
    activity: Rc<Activity>,
    settings: Rc<Settings>,
    /// Fires no later than the present deadline, and then is set anew. Moving it at every
    /// request would cost more than the few needless wake-ups this saves.
    timer: Pin<Box<Sleep>>,
    /// The timer knows whom to wake: a connection stays with one task.
    is_timing: bool,
    /// A write has been stalling since then, and so many bytes went out meanwhile.
    stalled: Option<(Instant, usize)>,
    /// Our own words, going out instead of the framework's or because of a deadline.
    ours: Option<Bytes>,
    _counted: Counted,
}

/// What the timer found.
enum Verdict {
    InTime,
    TooLate(Phase),
}

impl<S> Guarded<S> {
    pub(crate) fn new(io: S, settings: Rc<Settings>, counted: Counted) -> Guarded<S> {
        let timer = Box::pin(tokio::time::sleep(settings.limits.head_time));
        let activity = Activity::new();
        Guarded {
            io,
            activity,
            settings,
            timer,
            is_timing: false,
            stalled: None,
            ours: None,
            _counted: counted,
        }
    }

    /// What the requests of this connection report to.
    pub(crate) fn activity(&self) -> Rc<Activity> {
        Rc::clone(&self.activity)
    }

    fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// When the present phase must be over; `None` while the application works.
    fn deadline(&self) -> Option<Instant> {
        let limits = self.limits();
        match self.activity.phase.get() {
            Phase::Waiting { since } if self.activity.fresh.get() => Some(since + limits.head_time),
            // The rest of a body that nobody wants may never come.
            Phase::Waiting { since } if self.activity.unread_body.get() => {
                Some(since + limits.linger)
            }
            Phase::Waiting { since } => Some(since + limits.idle_time),
            Phase::Head { since } => Some(since + limits.head_time),
            Phase::Refused { until } => Some(until),
            Phase::Serving => None,
        }
    }

    /// Makes sure that the timer fires no later than `deadline`.
    fn arm(&mut self, deadline: Instant) {
        if self.timer.deadline() > deadline {
            self.set_timer(deadline);
        }
    }

    fn set_timer(&mut self, deadline: Instant) {
        self.timer.as_mut().reset(deadline);
        self.is_timing = false;
    }

    /// Whether the time is up. Asked at every turn of the connection, so the timer is not told each time
    /// again whom to wake.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_timing && !self.timer.is_elapsed() {
            return Poll::Pending;
        }
        let poll = self.timer.as_mut().poll(cx);
        self.is_timing = poll.is_pending();
        poll
    }

    fn poll_verdict(&mut self, cx: &mut Context<'_>) -> Verdict {
        // Only this deadline is shorter than what the timer was set to when its phase began.
        if self.activity.unread_body.get()
            && let Some(deadline) = self.deadline()
        {
            self.arm(deadline);
        }
        while self.poll_timer(cx).is_ready() {
            let now = Instant::now();
            let next = match self.deadline() {
                Some(deadline) if deadline <= now => {
                    return Verdict::TooLate(self.activity.phase.get());
                }
                Some(deadline) => deadline,
                // Whatever comes after this request has at least the shorter of these to go.
                None => now + self.limits().idle_time.min(self.limits().head_time),
            };
            self.set_timer(next);
        }
        Verdict::InTime
    }

    /// Whether the framework has as many bytes as a request head may have, or more: a single read
    /// may bring more, which the frame counts once it is parsed.
    fn has_head_enough(&self) -> bool {
        match self.activity.phase.get() {
            Phase::Waiting { .. } | Phase::Head { .. } if !self.activity.unread_body.get() => {
                self.activity.head_bytes.get() >= self.limits().head_bytes
            }
            _ => false,
        }
    }

    fn count_read(&mut self, bytes: usize) {
        let now = Instant::now();
        match self.activity.phase.get() {
            Phase::Waiting { .. } => {
                self.activity.phase.set(Phase::Head { since: now });
                self.arm(now + self.limits().head_time);
            }
            Phase::Head { .. } => {}
            Phase::Serving | Phase::Refused { .. } => return,
        }
        self.activity.head_bytes.set(self.activity.head_bytes.get() + bytes);
    }

    /// Refuses on our own, then listens a little so that the client reads the refusal.
    fn refuse(&mut self, code: Code) {
        let id = self.settings.ids.make();
        tracing::info!(code = code.name(), request_id = id.as_str(), "refused a connection");
        self.ours = Some(refusal(code, &id));
        let until = Instant::now() + self.limits().linger;
        self.activity.phase.set(Phase::Refused { until });
        self.set_timer(until);
    }

    /// Whether a client that is too late is told so: while it owes us a request it has begun, or
    /// its first one. Between requests, and when what comes is the rest of a body that was
    /// refused already, the connection just ends.
    fn deserves_an_answer(&self, phase: Phase) -> bool {
        match phase {
            Phase::Waiting { .. } => self.activity.fresh.get(),
            Phase::Head { .. } => !self.activity.unread_body.get(),
            Phase::Serving | Phase::Refused { .. } => false,
        }
    }

    /// Bounds how long the client may refuse to take what is written.
    fn count_stall(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let now = Instant::now();
        let (since, bytes) = *self.stalled.get_or_insert((now, 0));
        let deadline = since + self.limits().write_deadline(bytes);
        if deadline <= now {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read"));
        }
        self.arm(deadline);
        // Registers the wake-up; a reading that is too late shows at the next read.
        while self.poll_timer(cx).is_ready() {
            self.set_timer(deadline.max(now + Duration::from_millis(1)));
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    /// Writes our own words to their end.
    fn poll_ours(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(answer) = &mut self.ours {
            if answer.is_empty() {
                self.ours = None;
                break;
            }
            match Pin::new(&mut self.io).poll_write(cx, answer) {
                Poll::Ready(written) => answer.advance(written?),
                Poll::Pending => {
                    self.count_stall(cx)?;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Throws away what a refused client still sends, until it closes or the time is over.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waste = [0; 4096];
        // A bound, so that a fast sender cannot keep the worker here.
        for _ in 0..16 {
            let mut buffer = ReadBuf::new(&mut waste);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads what is there, as far as the framework's buffer reaches.
    fn poll_read_some(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        match buffer.filled().len() - before {
            0 => {}
            read => self.count_read(read),
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.poll_verdict(cx) {
                Verdict::InTime => break,
                Verdict::TooLate(phase) if this.deserves_an_answer(phase) => {
                    this.refuse(Code::Timeout);
                }
                // An empty read is the end of the stream: the framework closes in good order.
                Verdict::TooLate(_) => return Poll::Ready(Ok(())),
            }
        }
        if this.has_head_enough() {
            // The framework reads all it can get before it parses: let it parse first.
            if !this.activity.asked_to_parse.replace(true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            this.refuse(Code::HeadersTooLarge);
            // Nothing else would wake this connection when the time to listen is over.
            let Verdict::InTime = this.poll_verdict(cx) else { return Poll::Ready(Ok(())) };
        }
        if let Phase::Refused { .. } = this.activity.phase.get() {
            ready!(this.poll_ours(cx))?;
            return this.poll_discard(cx);
        }
        this.poll_read_some(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // What the application did not answer, the framework did.
        let ours =
            this.activity.answer_pending.get() || this.activity.phase.get() == Phase::Serving;
        if !ours
            && this.ours.is_none()
            && let Some(code) = framework_refusal(data)
        {
            this.refuse(code);
        }
        if let Phase::Refused { .. } = this.activity.phase.get() {
            // The framework's own answer has no body; ours went out in its place.
            ready!(this.poll_ours(cx))?;
            return Poll::Ready(Ok(data.len()));
        }
        let go_ahead = this.activity.go_ahead.get();
        if go_ahead != Continue::Unasked && data.starts_with(GO_AHEAD) {
            // The client is told when the application wants the body, and not before.
            return Poll::Ready(Ok(GO_AHEAD.len()));
        }
        match Pin::new(&mut this.io).poll_write(cx, data) {
            Poll::Ready(written) => {
                let written = written?;
                this.activity.go_ahead.set(Continue::Unasked);
                if let Some((_, bytes)) = &mut this.stalled {
                    *bytes += written;
                }
                Poll::Ready(Ok(written))
            }
            Poll::Pending => {
                this.count_stall(cx)?;
                Poll::Pending
            }
        }
    }

    /// The framework flushes only when it has nothing left to write.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.activity.go_ahead.get() == Continue::Due && this.ours.is_none() {
            this.activity.go_ahead.set(Continue::Unasked);
            this.ours = Some(Bytes::from_static(GO_AHEAD));
        }
        ready!(this.poll_ours(cx))?;
        this.stalled = None;
        if this.activity.phase.get() != Phase::Serving {
            this.activity.answer_pending.set(false);
        }
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
