//! PostgreSQL URLs: `postgres://user:password@host:port,host:port/database?name=value&…`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, LoadBalanceHosts, TargetSessionAttrs};

use super::UrlError;

/// Everything a connection to PostgreSQL is made with.
#[derive(Clone)]
pub(crate) struct PgUrl {
    pub(crate) config: Config,
    pub(crate) ssl_mode: SslMode,
    pub(crate) root_certificates: Option<RootCertificates>,
}

/// How far the connection is protected, with libpq's names and meanings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SslMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RootCertificates {
    System,
    File(PathBuf),
}

impl PgUrl {
    /// Reads what follows `postgres://`.
    pub(crate) fn parse(rest: &str) -> Result<PgUrl, UrlError> {
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').unwrap_or((before, ""));
        // The last @ ends the credentials: a password may contain one.
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let mut url =
            PgUrl { config: Config::new(), ssl_mode: SslMode::Prefer, root_certificates: None };
        url.network_defaults();
        url.credentials(credentials)?;
        for host in hosts.split(',').filter(|host| !host.is_empty()) {
            url.host(host)?;
        }
        if !path.is_empty() {
            url.config.dbname(decode(path)?);
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            url.parameter(name, &decode(value)?)?;
        }
        url.finish()
    }

    /// A dead server is noticed within half a minute, whatever the operating system's defaults.
    fn network_defaults(&mut self) {
        self.config
            .application_name("revenue-ripple")
            .connect_timeout(Duration::from_secs(5))
            .tcp_user_timeout(Duration::from_secs(15))
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
    }

    fn credentials(&mut self, text: &str) -> Result<(), UrlError> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        if !user.is_empty() {
            self.config.user(decode(user)?);
        }
        if !password.is_empty() {
            self.config.password(decode_bytes(password)?);
        }
        Ok(())
    }

    fn host(&mut self, text: &str) -> Result<(), UrlError> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        self.config.host(decode(host)?);
        self.config.port(match port {
            None | Some("") => 5432,
            Some(port) => number("port", port)?,
        });
        Ok(())
    }

    fn parameter(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        match name {
            "sslmode" => self.ssl_mode = ssl_mode(value)?,
            "sslrootcert" if value == "system" => {
                self.root_certificates = Some(RootCertificates::System);
            }
            "sslrootcert" => self.root_certificates = Some(RootCertificates::File(value.into())),
            "target_session_attrs" => {
                self.config.target_session_attrs(session_attributes(value)?);
            }
            "load_balance_hosts" => {
                self.config.load_balance_hosts(match value {
                    "disable" => LoadBalanceHosts::Disable,
                    "random" => LoadBalanceHosts::Random,
                    _ => return Err(wrong(name, "disable or random")),
                });
            }
            "channel_binding" => {
                self.config.channel_binding(match value {
                    "disable" => ChannelBinding::Disable,
                    "prefer" => ChannelBinding::Prefer,
                    "require" => ChannelBinding::Require,
                    _ => return Err(wrong(name, "disable, prefer or require")),
                });
            }
            "connect_timeout" => {
                // Never unbounded: 0 would mean for ever.
                let seconds = number::<u64>(name, value)?.clamp(1, 60);
                self.config.connect_timeout(Duration::from_secs(seconds));
            }
            "tcp_user_timeout" => {
                self.config.tcp_user_timeout(Duration::from_millis(number(name, value)?));
            }
            "keepalives" => {
                self.config.keepalives(number::<u8>(name, value)? != 0);
            }
            "keepalives_idle" => {
                self.config.keepalives_idle(Duration::from_secs(number(name, value)?));
            }
            "keepalives_interval" => {
                self.config.keepalives_interval(Duration::from_secs(number(name, value)?));
            }
            "keepalives_count" => {
                self.config.keepalives_retries(number(name, value)?);
            }
            "application_name" => {
                self.config.application_name(value);
            }
            "options" => {
                self.config.options(value);
            }
            "user" => {
                self.config.user(value);
            }
            "password" => {
                self.config.password(value);
            }
            "dbname" => {
                self.config.dbname(value);
            }
            "host" => {
                for host in value.split(',') {
                    self.config.host(host);
                }
            }
            "port" => {
                for port in value.split(',') {
                    self.config.port(number(name, port)?);
                }
            }
            "sslcert" | "sslkey" | "sslpassword" | "sslcrl" | "sslcrldir" => {
                return Err(UrlError(format!(
                    "the database URL sets {name}: client certificates and revocation lists are \
                     not supported; sign in with a password"
                )));
            }
            _ => {
                return Err(UrlError(format!("the database URL sets {name:?}, which is unknown")));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<PgUrl, UrlError> {
        if self.config.get_hosts().is_empty() {
            return Err(UrlError("a postgres:// URL needs a host".to_owned()));
        }
        if self.config.get_user().is_none() {
            return Err(UrlError("a postgres:// URL needs a user".to_owned()));
        }
        let ports = self.config.get_ports().len();
        if ports > 1 && ports != self.config.get_hosts().len() {
            return Err(UrlError(
                "a postgres:// URL needs one port, or one for each host".to_owned(),
            ));
        }
        // As in libpq: trusting every public authority without checking the name protects nothing.
        if self.root_certificates == Some(RootCertificates::System)
            && self.ssl_mode != SslMode::VerifyFull
        {
            return Err(UrlError("sslrootcert=system needs sslmode=verify-full".to_owned()));
        }
        self.config.ssl_mode(match self.ssl_mode {
            SslMode::Disable => tokio_postgres::config::SslMode::Disable,
            SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
            _ => tokio_postgres::config::SslMode::Require,
        });
        Ok(self)
    }
}

fn ssl_mode(value: &str) -> Result<SslMode, UrlError> {
    match value {
        "disable" => Ok(SslMode::Disable),
        "prefer" => Ok(SslMode::Prefer),
        "require" => Ok(SslMode::Require),
        "verify-ca" => Ok(SslMode::VerifyCa),
        "verify-full" => Ok(SslMode::VerifyFull),
        _ => Err(wrong("sslmode", "disable, prefer, require, verify-ca or verify-full")),
    }
}

/// The server writes, so a server that does not take writes is of no use to it.
fn session_attributes(value: &str) -> Result<TargetSessionAttrs, UrlError> {
    match value {
        "any" => Ok(TargetSessionAttrs::Any),
        "read-write" | "primary" => Ok(TargetSessionAttrs::ReadWrite),
        _ => Err(wrong("target_session_attrs", "any, read-write or primary, for we write")),
    }
}

fn wrong(name: &str, allowed: &str) -> UrlError {
    UrlError(format!("the database URL's {name} must be {allowed}"))
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, UrlError> {
    text.parse().map_err(|_| UrlError(format!("the database URL's {name} is not a usable number")))
}

fn decode(text: &str) -> Result<String, UrlError> {
    String::from_utf8(decode_bytes(text)?)
        .map_err(|_| UrlError("the database URL has a part that is not UTF-8".to_owned()))
}

fn decode_bytes(text: &str) -> Result<Vec<u8>, UrlError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
            return Err(UrlError("the database URL has a % without two digits".to_owned()));
        };
        decoded.push(u8::try_from(high * 16 + low).unwrap_or(u8::MAX));
    }
    Ok(decoded)
}

impl fmt::Display for PgUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}@", self.config.get_user().unwrap_or_default())?;
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            let comma = if index == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}:{port}")?,
                Host::Unix(path) => write!(f, "{comma}{}:{port}", path.display())?,
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rest: &str) -> Result<PgUrl, UrlError> {
        PgUrl::parse(rest)
    }

    #[test]
    fn reads_every_part() {
        let url = parse(
            "ann%40x:p@ss%2Fw%3A@db1:5433,[::1],db3:/shop?sslmode=verify-full&sslrootcert=/ca.pem\
             &target_session_attrs=primary&tcp_user_timeout=1500&connect_timeout=0&options=-c%20a%3Db",
        )
        .unwrap();
        assert_eq!(url.config.get_user(), Some("ann@x"));
        assert_eq!(url.config.get_password(), Some(&b"p@ss/w:"[..]));
        let hosts: Vec<_> = ["db1", "::1", "db3"].map(|h| Host::Tcp(h.to_owned())).into();
        assert_eq!(url.config.get_hosts(), hosts);
        assert_eq!(url.config.get_ports(), [5433, 5432, 5432]);
        assert_eq!(url.config.get_dbname(), Some("shop"));
        assert_eq!(url.ssl_mode, SslMode::VerifyFull);
        assert_eq!(url.root_certificates, Some(RootCertificates::File("/ca.pem".into())));
        assert_eq!(url.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(url.config.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
        assert_eq!(url.config.get_connect_timeout(), Some(&Duration::from_secs(1)));
        assert_eq!(url.config.get_options(), Some("-c a=b"));
        assert_eq!(url.to_string(), "postgres://ann@x@db1:5433,::1:5432,db3:5432/shop");
    }

    #[test]
    fn a_socket_folder_may_be_the_host() {
        let url = parse("ann@%2Frun%2Fpostgresql/shop").unwrap();
        assert_eq!(url.config.get_hosts(), [Host::Unix("/run/postgresql".into())]);
        let url = parse("ann@/shop?host=/run/postgresql&port=5433").unwrap();
        assert_eq!(url.config.get_hosts(), [Host::Unix("/run/postgresql".into())]);
        assert_eq!(url.config.get_ports(), [5433]);
    }

    #[test]
    fn refuses_what_it_cannot_keep_and_never_shows_the_password() {
        for bad in [
            "",
            "host/db",
            "ann@/db",
            "ann:secret@h:port/db",
            "ann:secret@h:70000/db",
            "ann:secret%4@h/db",
            "ann:secret@h/db?sslmode=allow",
            "ann:secret@h/db?sslmode=Verify-Full",
            "ann:secret@h/db?sslcert=/x",
            "ann:secret@h/db?sslrootcert=system",
            "ann:secret@h/db?target_session_attrs=standby",
            "ann:secret@h/db?pgbouncer=true",
            "ann:secret@a,b,c/db?port=1,2",
        ] {
            let Err(error) = parse(bad) else { panic!("{bad} must be refused") };
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
