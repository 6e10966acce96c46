//! Every size and time limit of the HTTP edge, in one place.

use std::time::Duration;

/// What one client may cost us. The framework alone cuts neither a slow second request head nor
/// a dripping body nor a client that never reads, so each of these is enforced by our own code:
/// the first group by the connection's watchdog, the second by the body reader.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A request head must be complete this long after its first byte, and the first head of a
    /// connection this long after the connection was made.
    pub head_time: Duration,
    /// A kept-alive connection may be silent this long between two requests.
    pub idle_time: Duration,
    /// Bytes of a request head: request line and header fields together.
    pub head_bytes: usize,
    /// A write that the client does not take in may stall this long…
    pub write_stall: Duration,
    /// …and a slow reader must take at least this many bytes a second after that.
    pub write_rate: u64,
    /// After a refusal the connection is read (and what is read thrown away) this long, so that
    /// the client sees the refusal instead of a reset.
    pub linger: Duration,

    /// A body of JSON, for every endpoint without a limit of its own.
    pub body_bytes: usize,
    /// Bytes of bodies of which more is to come, in all.
    pub unfinished_bytes: usize,
    /// A whole body must have arrived this long after its head…
    pub body_time: Duration,
    /// …plus the time its bytes take at this many bytes a second.
    pub body_rate: u64,

    /// Readers of the live stream at a time, in all…
    pub stream_readers: usize,
    /// …and by the same key or administrator.
    pub stream_readers_per_caller: usize,
    /// A reader of whom nothing is heard gets a sign of life this often.
    pub stream_beat: Duration,
    /// Bytes of events that are kept in memory for readers; who is further behind is let go.
    pub stream_tail_bytes: usize,

    /// Connections that one worker serves at a time.
    pub connections: usize,
    /// Bytes of a query string.
    pub query_bytes: usize,
    /// Bytes of a password, checked before it is hashed.
    pub password_bytes: usize,
    /// Accepted requests have this long to finish when the server stops.
    pub drain: Duration,
}

impl Limits {
    /// The limits in production.
    pub const STANDARD: Limits = Limits {
        head_time: Duration::from_secs(5),
        idle_time: Duration::from_secs(60),
        head_bytes: 16 * 1024,
        write_stall: Duration::from_secs(10),
        write_rate: 4 * 1024,
        linger: Duration::from_secs(2),
        body_bytes: 64 * 1024,
        unfinished_bytes: 128 << 20,
        body_time: Duration::from_secs(5),
        body_rate: 16 * 1024,
        stream_readers: 2 * 1024,
        stream_readers_per_caller: 64,
        stream_beat: Duration::from_secs(15),
        stream_tail_bytes: 8 << 20,
        connections: 8 * 1024,
        query_bytes: 4 * 1024,
        password_bytes: 1024,
        drain: Duration::from_secs(10),
    };

    /// When a body of at most `bytes` must have arrived, counted from its head.
    pub fn body_deadline(&self, bytes: usize) -> Duration {
        self.body_time + time_at_rate(bytes, self.body_rate)
    }

    /// How long a write that has moved `bytes` since it first stalled may go on.
    pub fn write_deadline(&self, bytes: usize) -> Duration {
        self.write_stall + time_at_rate(bytes, self.write_rate)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::STANDARD
    }
}

fn time_at_rate(bytes: usize, rate: u64) -> Duration {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    Duration::from_millis(bytes.saturating_mul(1000) / rate.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_grows_with_the_bytes_at_the_least_rate() {
        let limits = Limits::STANDARD;
        assert_eq!(limits.body_deadline(0), Duration::from_secs(5));
        assert_eq!(limits.body_deadline(256 * 1024), Duration::from_secs(21));
        assert_eq!(limits.write_deadline(40 * 1024), Duration::from_secs(20));
    }
}
