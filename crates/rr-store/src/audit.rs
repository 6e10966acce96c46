//! Who did it, when and from where: written by every mutation in its own transaction.

use std::fmt;
use std::net::IpAddr;

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::conn::{Conn, on_each};
use crate::schema::activity_log;
use crate::types::{At, JsonText};

/// What a mutation needs to write its audit row.
#[derive(Debug, Clone)]
pub struct Audit {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// In answer to which request.
    pub request_id: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
}

/// Who changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in administrator, by user id.
    Administrator(Uuid),
    /// A machine, by key id.
    Key(Uuid),
    /// Somebody at the command line.
    CommandLine,
    /// Somebody without a credential.
    Anyone,
    /// GitHub, by its signature.
    Github,
    /// The server itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Administrator(id) => write!(f, "administrator:{id}"),
            Actor::Key(id) => write!(f, "key:{id}"),
            Actor::CommandLine => f.write_str("command-line"),
            Actor::Anyone => f.write_str("anyone"),
            Actor::Github => f.write_str("github"),
            Actor::System => f.write_str("system"),
        }
    }
}

impl Audit {
    /// Writes the audit row of a mutation, on the connection and in the transaction of the
    /// mutation. `detail` is a JSON object and never holds a secret or a hash.
    pub(crate) fn record(
        &self,
        conn: &mut Conn,
        action: &str,
        subject: Option<String>,
        detail: &Value,
    ) -> QueryResult<()> {
        let row = AuditRow {
            at: At(self.at),
            actor: self.actor.to_string(),
            action,
            subject,
            detail: JsonText(detail.to_string()),
            request_id: self.request_id.as_deref(),
            address: self.address.map(|address| address.to_string()),
        };
        on_each!(conn, |c| diesel::insert_into(activity_log::table).values(&row).execute(c))?;
        Ok(())
    }
}

#[derive(Insertable)]
#[diesel(table_name = activity_log)]
struct AuditRow<'a> {
    at: At,
    actor: String,
    action: &'a str,
    subject: Option<String>,
    detail: JsonText,
    request_id: Option<&'a str>,
    address: Option<String>,
}
