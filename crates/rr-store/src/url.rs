//! Which database.
use std::fmt;

/// Which database: `sqlite://path`, `postgres://…` or `postgresql://…`.
#[derive(Clone)]
pub struct DatabaseUrl {}

/// Why a text names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlError(pub(crate) String);

impl DatabaseUrl {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<DatabaseUrl, UrlError> {
        let _ = text;
        todo!()
    }
}
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
