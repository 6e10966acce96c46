//! Once-only effects: the id a caller gave its request, and what the request was.

/// What makes a repeat recognisable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Whose ids these are, and of which kind: ids of different callers never meet.
    pub scope: String,
    /// The id.
    pub key: String,
    /// A digest of the request: the same id with another one is a conflict.
    pub fingerprint: [u8; 32],
}
