//! Sessions of signed-in administrators, kept by the hash of their token.

use std::net::IpAddr;
use std::time::Duration;

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::{Label, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::conn::on_each;
use crate::schema::{sessions, users};
use crate::types::{At, Id, label};
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

/// A request moves the last use forward only when the noted one is at least this old.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

impl Store {
    /// Begins a session, now being `audit.at`, from `audit.address`.
    pub async fn create_session(
        &self,
        session: NewSession,
        audit: Audit,
    ) -> Result<(), StoreError> {
        self.write(move |conn| {
            let expires_at = audit.at.plus(session.absolute);
            let row = NewRecord {
                token_hash: &session.token_hash,
                user_id: Id(session.user_id),
                created_at: At(audit.at),
                last_seen_at: At(audit.at),
                idle_us: i64::try_from(session.idle.as_micros()).unwrap_or(i64::MAX),
                idle_until: At(audit.at.plus(session.idle).min(expires_at)),
                expires_at: At(expires_at),
                address: audit.address.map(|address| address.to_string()),
                user_agent: session.user_agent.as_deref(),
            };
            on_each!(conn, |c| diesel::insert_into(sessions::table).values(&row).execute(c))?;
            let subject = Some(format!("user:{}", session.user_id));
            audit.record(conn, "session.created", subject, &json!({}))
        })
        .await
    }

    /// The session of this token if it is alive at `now`.
    pub async fn session(
        &self,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<SessionRow>, StoreError> {
        self.read(move |conn| {
            let found: Option<SessionRecord> = on_each!(conn, |c| sessions::table
                .inner_join(users::table)
                .filter(sessions::token_hash.eq(&token_hash[..]))
                .filter(sessions::idle_until.gt(At(now)))
                .select(SessionRecord::as_select())
                .first(c)
                .optional())?;
            found.map(SessionRecord::into_row).transpose()
        })
        .await
    }

    /// Notes that a session is in use; writes at most once a minute.
    pub async fn touch_session(
        &self,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let due = move || {
            sessions::table
                .find(token_hash.to_vec())
                .filter(sessions::idle_until.gt(At(now)))
                .filter(sessions::last_seen_at.le(At(now.minus(TOUCH_EVERY))))
        };
        let found: Option<(i64, At)> = self
            .read(move |conn| {
                on_each!(conn, |c| due()
                    .select((sessions::idle_us, sessions::expires_at))
                    .first(c)
                    .optional())
            })
            .await?;
        let Some((idle_us, At(expires_at))) = found else { return Ok(()) };
        let idle = Duration::from_micros(idle_us.unsigned_abs());
        let idle_until = At(now.plus(idle).min(expires_at));
        self.write(move |conn| {
            on_each!(conn, |c| diesel::update(due())
                .set((sessions::last_seen_at.eq(At(now)), sessions::idle_until.eq(idle_until)))
                .execute(c))?;
            Ok(())
        })
        .await
    }

    /// Ends a session; says whether there was one.
    pub async fn end_session(
        &self,
        token_hash: [u8; 32],
        audit: Audit,
    ) -> Result<bool, StoreError> {
        self.write(move |conn| {
            let ended: Option<Id> =
                on_each!(conn, |c| diesel::delete(sessions::table.find(&token_hash[..]))
                    .returning(sessions::user_id)
                    .get_result(c)
                    .optional())?;
            let Some(Id(user)) = ended else { return Ok(false) };
            audit.record(conn, "session.ended", Some(format!("user:{user}")), &json!({}))?;
            Ok(true)
        })
        .await
    }

    /// Forgets the sessions that are over at `audit.at`; says how many.
    pub async fn end_expired(&self, audit: Audit) -> Result<usize, StoreError> {
        self.write(move |conn| {
            let over = || sessions::table.filter(sessions::idle_until.le(At(audit.at)));
            let users: Vec<Id> = on_each!(conn, |c| diesel::delete(over())
                .returning(sessions::user_id)
                .get_results(c))?;
            for Id(user) in &users {
                audit.record(conn, "session.expired", Some(format!("user:{user}")), &json!({}))?;
            }
            Ok(users.len())
        })
        .await
    }
}

#[derive(Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
struct NewRecord<'a> {
    token_hash: &'a [u8],
    user_id: Id,
    created_at: At,
    last_seen_at: At,
    idle_us: i64,
    idle_until: At,
    expires_at: At,
    address: Option<String>,
    user_agent: Option<&'a str>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRecord {
    user_id: Id,
    created_at: At,
    last_seen_at: At,
    expires_at: At,
    address: Option<String>,
    user_agent: Option<String>,
    #[diesel(embed)]
    user: UserOfSession,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserOfSession {
    email: String,
    role: String,
    status: String,
}

impl SessionRecord {
    fn into_row(self) -> QueryResult<SessionRow> {
        Ok(SessionRow {
            user_id: self.user_id.0,
            email: self.user.email,
            role: label(&self.user.role)?,
            status: label(&self.user.status)?,
            created_at: self.created_at.0,
            last_seen_at: self.last_seen_at.0,
            expires_at: self.expires_at.0,
            address: self.address.and_then(|address| address.parse().ok()),
            user_agent: self.user_agent,
        })
    }
}
