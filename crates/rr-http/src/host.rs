//! Under which names the server answers.
//!
//! A page of another site can make its own name resolve to this server and then read what needs no
//! credential; a cache or a proxy in between can be led astray by a name that is not ours. Neither
//! works with an address or `localhost`, so these always pass.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap};

use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// The names that requests may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// Any.
    Any,
    /// These, besides addresses and `localhost`.
    Only(Vec<String>),
}

impl Hosts {
    fn allow(&self, authority: &str) -> bool {
        let Hosts::Only(names) = self else { return true };
        let Some(host) = host_of(authority) else { return false };
        let name = host.strip_suffix('.').unwrap_or(host);
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        names.iter().any(|known| is(known))
            || host.parse::<IpAddr>().is_ok()
            || name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
    }
}

/// The host of `host:port`, an IPv6 address without its brackets.
fn host_of(authority: &str) -> Option<&str> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let is_address = address.parse::<Ipv6Addr>().is_ok();
        return (is_address && (port.is_empty() || port.starts_with(':'))).then_some(address);
    }
    match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(host),
        Some(_) => None,
        None => Some(authority),
    }
}

/// Refuses a request sent to a name that is not ours: in its `Host`, or in the target itself, which
/// then counts instead. A request without any, as old probes send it, comes from no browser.
pub(crate) fn check_host(headers: &HeaderMap, target: &Uri, hosts: &Hosts) -> Outcome<()> {
    let named = headers.get(header::HOST).map(|value| value.to_str().unwrap_or("?"));
    let mut asked = named.into_iter().chain(target.authority().map(|name| name.as_str()));
    if asked.all(|authority| hosts.allow(authority)) {
        Ok(())
    } else {
        Err(Problem::new(Code::HostNotAllowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn addresses_localhost_and_our_own_names_are_ours() {
        let hosts = Hosts::Only(vec!["devops.example.com".to_owned()]);
        for (host, target, allowed) in [
            (Some("devops.example.com"), "/", true),
            (Some("DevOps.Example.com:8443"), "/", true),
            (Some("devops.example.com."), "/", true),
            (Some("127.0.0.1:5000"), "/", true),
            (Some("10.1.2.3"), "/", true),
            (Some("[::1]:5000"), "/", true),
            (Some("localhost:5000"), "/", true),
            (Some("app.localhost"), "/", true),
            (None, "/", true),
            (None, "http://devops.example.com/healthz", true),
            (Some("evil.example"), "/", false),
            (Some("devops.example.com.evil.example"), "/", false),
            (Some("evil.example:5000"), "/", false),
            (Some("user@devops.example.com"), "/", false),
            (Some("[devops.example.com]"), "/", false),
            (Some("[::1]evil"), "/", false),
            (Some("localhost:x"), "/", false),
            (Some(""), "/", false),
            (Some("localhost"), "http://evil.example/healthz", false),
            (Some("evil.example"), "http://localhost/healthz", false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            }
            let target: Uri = target.parse().unwrap();
            let checked = check_host(&headers, &target, &hosts);
            assert_eq!(checked.is_ok(), allowed, "{host:?} {target}");
            assert!(check_host(&headers, &target, &Hosts::Any).is_ok());
        }
    }
}
