//! What the server listens on and whom it believes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use rr_http::Hosts;

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
    /// `RR_ALLOWED_HOSTS`, `http.allowed_hosts`: further names under which the server answers, `*`
    /// for any. Default none.
    pub(crate) allowed_hosts: Vec<String>,
    /// `RR_CORS_ORIGINS`, `http.cors_origins`: origins whose pages may read answers. Default none.
    pub(crate) cors_origins: Vec<String>,
    /// `RR_TRUSTED_PROXIES`, `http.trusted_proxies`: addresses or networks of proxies whose
    /// `X-Forwarded-For` is believed. Default none.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

pub(crate) const BIND: Setting = Setting::new("http.bind", "RR_BIND");
pub(crate) const PUBLIC_URL: Setting = Setting::new("http.public_url", "RR_PUBLIC_URL");
const ALLOWED_HOSTS: Setting = Setting::new("http.allowed_hosts", "RR_ALLOWED_HOSTS");
const CORS_ORIGINS: Setting = Setting::new("http.cors_origins", "RR_CORS_ORIGINS");
const TRUSTED_PROXIES: Setting = Setting::new("http.trusted_proxies", "RR_TRUSTED_PROXIES");

const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

impl HttpConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<HttpConfig, ConfigError> {
        Ok(HttpConfig {
            bind: sources.parse(BIND, DEFAULT_BIND, parse_bind)?,
            public_url: sources.optional(PUBLIC_URL, origin::parse)?,
            allowed_hosts: sources.list(ALLOWED_HOSTS, parse_host)?,
            cors_origins: sources.list(CORS_ORIGINS, origin::parse)?,
            trusted_proxies: sources.list(TRUSTED_PROXIES, parse_network)?,
        })
    }

    /// The names under which the server answers: those that are configured. On an address that other
    /// machines reach and without any configured, nobody knows which name is ours.
    pub(crate) fn hosts(&self) -> Hosts {
        let mut names = self.allowed_hosts.clone();
        let public = self.public_url.as_deref().and_then(|url| url.split_once("://"));
        names.extend(public.and_then(|(_, rest)| rest.split([':', '/']).next()).map(str::to_owned));
        let nobody_knows = names.is_empty() && !self.is_loopback();
        if nobody_knows || names.iter().any(|name| name == "*") {
            Hosts::Any
        } else {
            Hosts::Only(names)
        }
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

fn parse_host(text: &str) -> Result<String, &'static str> {
    let is_name = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    if is_name || text == "*" {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("is not a name without a port, such as rr.example.com, or *")
    }
}

fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "is not an address or a network, such as 10.0.0.0/8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::load;

    #[test]
    fn it_answers_under_the_names_that_are_configured() {
        let only = |names: &[&str]| Hosts::Only(names.iter().map(|name| (*name).into()).collect());
        let open = ("RR_BIND", "0.0.0.0:5000");
        let public = ("RR_PUBLIC_URL", "https://rr.example.com:8443");
        let more = ("RR_ALLOWED_HOSTS", "RR.internal, rr");
        for (environment, expected) in [
            (vec![], only(&[])),
            (vec![open], Hosts::Any),
            (vec![open, public], only(&["rr.example.com"])),
            (vec![public], only(&["rr.example.com"])),
            (vec![open, more], only(&["rr.internal", "rr"])),
            (vec![more, public], only(&["rr.internal", "rr", "rr.example.com"])),
            (vec![("RR_ALLOWED_HOSTS", "*"), public], Hosts::Any),
        ] {
            assert_eq!(load("", &environment).unwrap().http.hosts(), expected, "{environment:?}");
        }
        for wrong in ["rr.example.com:80", "https://rr.example.com", "a b"] {
            let error = load("", &[("RR_ALLOWED_HOSTS", wrong)]).unwrap_err();
            assert!(error.starts_with("RR_ALLOWED_HOSTS"), "{error}");
        }
    }
}
