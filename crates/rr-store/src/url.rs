//! Which database: the URL, read by ourselves so that every part of it is honoured or refused.
//!
//! The driver's own parser would refuse `sslmode=verify-full` and `sslrootcert`, read
//! `tcp_user_timeout` in seconds (libpq: milliseconds), and split a password at the wrong `@`.

mod pg;

use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use pg::{PgUrl, RootCertificates, SslMode};

/// Which database: `sqlite://path`, `postgres://…` or `postgresql://…`.
///
/// Shown without the password.
#[derive(Clone)]
pub struct DatabaseUrl(pub(crate) Target);

#[derive(Clone)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PgUrl>),
}

/// Why a text names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlError(pub(crate) String);

impl DatabaseUrl {
    /// Reads a URL. `sqlite://data/x.db` is relative to the working directory, `sqlite:///var/x.db`
    /// is not.
    pub fn parse(text: &str) -> Result<DatabaseUrl, UrlError> {
        match text.split_once("://") {
            Some(("sqlite", path)) => sqlite_path(path).map(Target::Sqlite).map(DatabaseUrl),
            Some(("postgres" | "postgresql", rest)) => {
                Ok(DatabaseUrl(Target::Postgres(Box::new(PgUrl::parse(rest)?))))
            }
            _ => Err(UrlError(
                "a database URL starts with sqlite:// or postgres:// (or postgresql://)".to_owned(),
            )),
        }
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self.0 {
            Target::Sqlite(_) => "sqlite",
            Target::Postgres(_) => "postgres",
        }
    }

    /// The file, if it is SQLite's.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Target::Sqlite(path) => Some(path),
            Target::Postgres(_) => None,
        }
    }
}

fn sqlite_path(path: &str) -> Result<PathBuf, UrlError> {
    if path.is_empty() || path.ends_with('/') {
        return Err(UrlError("a sqlite:// URL needs the path of a file".to_owned()));
    }
    // Each thread has a connection of its own, and each would have a memory of its own.
    if path.starts_with(':') || path.starts_with("file:") {
        return Err(UrlError(
            "sqlite:// takes the path of a file, not :memory: or file:".to_owned(),
        ));
    }
    if path.contains(['?', '#', '\0']) {
        return Err(UrlError("a sqlite:// URL takes no parameters".to_owned()));
    }
    Ok(PathBuf::from(path))
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Target::Postgres(url) => write!(f, "{url}"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sqlite_paths_and_refuses_the_rest() {
        for (text, path) in [
            ("sqlite://data/revenue-ripple.db", "data/revenue-ripple.db"),
            ("sqlite:///var/lib/x y.db", "/var/lib/x y.db"),
        ] {
            let DatabaseUrl(Target::Sqlite(found)) = DatabaseUrl::parse(text).unwrap() else {
                panic!("{text} is a SQLite URL");
            };
            assert_eq!(found, PathBuf::from(path));
        }
        for bad in [
            "",
            "data/x.db",
            "sqlite:",
            "sqlite://",
            "sqlite://dir/",
            "sqlite://:memory:",
            "sqlite://file:x",
            "sqlite://x.db?mode=ro",
            "mysql://localhost/x",
            "Postgres://localhost/x",
            "postgre://localhost/x",
        ] {
            assert!(DatabaseUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
