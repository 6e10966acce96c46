//! What the server listens on and whom it believes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use super::origin;
use super::source::{ConfigError, Setting, Sources};

/// `[http]`.
#[derive(Debug, Clone)]
pub(crate) struct HttpConfig {
    /// `RR_BIND`, `http.bind`, `--bind`: address and port to listen on; port 0 takes a free one.
    /// Default `127.0.0.1:5000`.
    pub(crate) bind: SocketAddr,
    /// `RR_PUBLIC_URL`, `http.public_url`, `--public-url`: the origin people open. With https the
    /// session cookie is `Secure`. Default: the address listened on.
    pub(crate) public_url: Option<String>,
    /// `RR_CORS_ORIGINS`, `http.cors_origins`: origins whose pages may read answers. Default none.
    pub(crate) cors_origins: Vec<String>,
    /// `RR_TRUSTED_PROXIES`, `http.trusted_proxies`: addresses or networks of proxies whose
    /// `X-Forwarded-For` is believed. Default none.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

pub(crate) const BIND: Setting = Setting::new("http.bind", "RR_BIND");
pub(crate) const PUBLIC_URL: Setting = Setting::new("http.public_url", "RR_PUBLIC_URL");
const CORS_ORIGINS: Setting = Setting::new("http.cors_origins", "RR_CORS_ORIGINS");
const TRUSTED_PROXIES: Setting = Setting::new("http.trusted_proxies", "RR_TRUSTED_PROXIES");

const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

impl HttpConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<HttpConfig, ConfigError> {
        Ok(HttpConfig {
            bind: sources.parse(BIND, DEFAULT_BIND, parse_bind)?,
            public_url: sources.optional(PUBLIC_URL, origin::parse)?,
            cors_origins: sources.list(CORS_ORIGINS, origin::parse)?,
            trusted_proxies: sources.list(TRUSTED_PROXIES, parse_network)?,
        })
    }

    /// Whether only programs on this machine can reach the server.
    pub(crate) fn is_loopback(&self) -> bool {
        self.bind.ip().to_canonical().is_loopback()
    }
}

fn parse_bind(text: &str) -> Result<SocketAddr, &'static str> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_| "is not an address with a port, such as 127.0.0.1:5000")
}

fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "is not an address or a network, such as 10.0.0.0/8")
}
