//! Connections to PostgreSQL: dial, check that its promises are strong, settle into our schema.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{OwnRuntime, PgConn, tls};
use crate::error::ConnectError;
use crate::url::PgUrl;
use crate::{OpenError, StoreOptions};

/// What a server that took the connection may need for the handshake and for our checks, each.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How much longer than the server's own statement limit we wait for its answer.
const SILENCE: Duration = Duration::from_secs(5);
/// PostgreSQL 13.
const NEEDED_VERSION: u32 = 130_000;

const CHECKS: &str = "SELECT current_setting('server_version_num'), \
     current_setting('synchronous_commit'), current_setting('fsync'), \
     current_setting('full_page_writes'), current_setting('server_encoding'), \
     current_setting('lc_messages')";

/// How to connect.
pub(crate) struct PgTarget {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    dial_limit: Duration,
    statement_timeout: Duration,
    allow_weak_durability: bool,
}

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

impl PgTarget {
    pub(crate) fn new(url: &PgUrl, options: &StoreOptions) -> Result<PgTarget, OpenError> {
        let tls =
            tls::connector(url.ssl_mode, url.root_certificates.as_ref()).map_err(OpenError::Tls)?;
        let hosts = u32::try_from(url.config.get_hosts().len()).unwrap_or(1);
        let one_host = url.config.get_connect_timeout().copied().unwrap_or(HANDSHAKE);
        Ok(PgTarget {
            config: url.config.clone(),
            tls,
            dial_limit: one_host * hosts + HANDSHAKE,
            statement_timeout: options.statement_timeout,
            allow_weak_durability: options.allow_weak_durability,
        })
    }

    /// A connection that keeps its promises, and whether the words of its errors can be understood.
    pub(crate) fn connect(&self) -> Result<(PgConn, bool), ConnectError> {
        let mut runtime = OwnRuntime::new().map_err(ConnectError::Runtime)?;
        let (client, driver) = within(self.dial_limit, &runtime, self.dial())??;
        runtime.drive(driver, self.statement_timeout + SILENCE);
        let (conn, is_readable) = within(HANDSHAKE, &runtime, async {
            let language = self.check(&client).await?;
            client.batch_execute(&self.settings()).await?;
            let is_readable = speak_english(&client, &language).await;
            let conn = AsyncPgConnection::try_from(client).await.map_err(ConnectError::Setup)?;
            Ok::<_, ConnectError>((conn, is_readable))
        })??;
        runtime.lay_out();
        Ok((PgConn::from(conn), is_readable))
    }

    async fn dial(&self) -> Result<(Client, Driver), ConnectError> {
        let driver: Driver;
        let client;
        match &self.tls {
            Some(tls) => {
                let (made, connection) = self.config.connect(tls.clone()).await?;
                (client, driver) = (made, Box::pin(finished(connection)));
            }
            None => {
                let (made, connection) = self.config.connect(NoTls).await?;
                (client, driver) = (made, Box::pin(finished(connection)));
            }
        }
        Ok((client, driver))
    }

    /// A server that may forget a commit is refused: an answer of ours promises that it does not.
    /// Gives the language of its messages.
    async fn check(&self, client: &Client) -> Result<String, ConnectError> {
        let rows = client.simple_query(CHECKS).await?;
        let row = rows.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let get = |column| row.and_then(|row| row.get(column)).unwrap_or_default();
        if get(0).parse().unwrap_or(0) < NEEDED_VERSION {
            return Err(unfit("server_version_num", get(0), "130000 or newer"));
        }
        if get(4) != "UTF8" {
            return Err(unfit("server_encoding", get(4), "UTF8"));
        }
        for (setting, found, strong) in [
            ("synchronous_commit", get(1), &["on", "remote_apply"][..]),
            ("fsync", get(2), &["on"]),
            ("full_page_writes", get(3), &["on"]),
        ] {
            if strong.contains(&found) {
                continue;
            }
            if !self.allow_weak_durability {
                return Err(unfit(setting, found, "on"));
            }
            tracing::warn!(setting, found, "PostgreSQL may lose acknowledged writes in a crash");
        }
        Ok(get(5).to_owned())
    }

    fn settings(&self) -> String {
        let limit = self.statement_timeout.as_millis();
        // Whatever defaults the database or the role carries, we mean these.
        format!(
            "SET search_path = revenue_ripple; SET statement_timeout = {limit}; \
             SET lock_timeout = {limit}; SET idle_in_transaction_session_timeout = '60s'; \
             SET default_transaction_isolation = 'read committed'"
        )
    }
}

/// Asks the server for its own English, because the driver hands on an error's words and not its
/// code. Only a superuser, or a role that was granted it, may ask; the others get what the server
/// was set to. Says whether the words can be understood.
async fn speak_english(client: &Client, language: &str) -> bool {
    if client.batch_execute("SET lc_messages = 'C'").await.is_ok() || is_english(language) {
        return true;
    }
    tracing::warn!(
        lc_messages = language,
        "PostgreSQL's messages are not in English, so a defect cannot be told from a passing \
         trouble; let a superuser run ALTER ROLE … SET lc_messages = 'C'"
    );
    false
}

/// Whether a value of `lc_messages` means the untranslated messages.
fn is_english(language: &str) -> bool {
    let name = language.split(['_', '.', '@']).next().unwrap_or_default();
    ["C", "POSIX", "en", "English"].contains(&name)
}

fn unfit(setting: &'static str, found: &str, needed: &'static str) -> ConnectError {
    ConnectError::Unfit { setting, found: found.to_owned(), needed }
}

fn within<F: Future>(
    limit: Duration,
    runtime: &OwnRuntime,
    work: F,
) -> Result<F::Output, ConnectError> {
    runtime
        .run(async { tokio::time::timeout(limit, work).await })
        .map_err(|_| ConnectError::TimedOut)
}

async fn finished(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = &error as &dyn std::error::Error, "PostgreSQL connection ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_untranslated_messages_are_english() {
        for (language, expected) in [
            ("C", true),
            ("C.UTF-8", true),
            ("POSIX", true),
            ("en_US.UTF-8", true),
            ("en_GB", true),
            ("English_United States.1252", true),
            ("de_DE.UTF-8", false),
            ("ca_ES", false),
            ("", false),
        ] {
            assert_eq!(is_english(language), expected, "{language:?}");
        }
    }
}
