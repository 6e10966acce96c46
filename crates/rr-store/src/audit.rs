//! Who did it, when and from where: the part of an audit row that the caller knows.

use std::net::IpAddr;

use rr_domain::Timestamp;
use uuid::Uuid;

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
    /// The server itself.
    System,
}
