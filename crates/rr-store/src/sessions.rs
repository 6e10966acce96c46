//! Sessions of signed-in administrators, kept by the hash of their token.

use std::net::IpAddr;
use std::time::Duration;

use rr_domain::{Label, Timestamp};
use uuid::Uuid;

use crate::{Audit, Store, StoreError};

/// A session to begin.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// SHA-256 of the token; the token itself is never stored.
    pub token_hash: [u8; 32],
    /// Whose.
    pub user_id: Uuid,
    /// Ends after this long without a request.
    pub idle: Duration,
    /// Ends after this long in any case.
    pub absolute: Duration,
    /// The browser, as it names itself.
    pub user_agent: Option<String>,
}

/// A live session and its user.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Whose.
    pub user_id: Uuid,
    /// The user's e-mail.
    pub email: String,
    /// The user's role now.
    pub role: Label,
    /// The user's status now.
    pub status: Label,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last, to the minute or so.
    pub last_seen_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// Where it began.
    pub address: Option<IpAddr>,
    /// The browser, as it named itself.
    pub user_agent: Option<String>,
}

impl Store {
    /// Begins a session, now being `audit.at`, from `audit.address`.
    pub async fn create_session(
        &self,
        session: NewSession,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let _ = (session, audit);
        todo!()
    }

    /// The session of this token if it is alive at `now`.
    pub async fn session(
        &self,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<SessionRow>, StoreError> {
        let _ = (token_hash, now);
        todo!()
    }

    /// Notes that a session is in use; writes at most once a minute.
    pub async fn touch_session(
        &self,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let _ = (token_hash, now);
        todo!()
    }

    /// Ends a session; says whether there was one.
    pub async fn end_session(
        &self,
        token_hash: [u8; 32],
        audit: Audit,
    ) -> Result<bool, StoreError> {
        let _ = (token_hash, audit);
        todo!()
    }

    /// Forgets the sessions that are over at `now`; says how many.
    pub async fn end_expired(&self, now: Timestamp) -> Result<usize, StoreError> {
        let _ = now;
        todo!()
    }
}
