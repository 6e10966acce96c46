//! Where a request really comes from.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The client's address: the peer's, unless the peer is a trusted proxy. Then it is the last
/// address of `X-Forwarded-For` that no trusted proxy has: everything left of it was written by
/// somebody we have no reason to believe.
pub(crate) fn client_address(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let mut address = peer?.ip().to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&address) {
        return Some(address);
    }
    let forwarded = HeaderName::from_static("x-forwarded-for");
    let lines: Vec<&str> =
        headers.get_all(forwarded).map(|line| line.to_str().unwrap_or("")).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        // A hop that cannot be read ends the chain at the last address that could.
        let Some(hop) = read_hop(hop.trim()) else { break };
        address = hop;
        if !is_trusted(&address) {
            break;
        }
    }
    Some(address)
}

/// `203.0.113.7`, `203.0.113.7:1234`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:1234`.
fn read_hop(text: &str) -> Option<IpAddr> {
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| unbracketed?.parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn address(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(
                HeaderName::from_static("x-forwarded-for"),
                HeaderValue::from_str(line).unwrap(),
            );
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 40_000);
        client_address(Some(peer), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn forwarded_addresses_are_believed_only_from_trusted_proxies() {
        for (peer, forwarded, trusted, expected) in [
            ("198.51.100.1", &[][..], &[][..], "198.51.100.1"),
            ("198.51.100.1", &["203.0.113.7"], &[], "198.51.100.1"),
            ("198.51.100.1", &["203.0.113.7"], &["10.0.0.0/8"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.7"], &["10.0.0.0/8"], "203.0.113.7"),
            ("10.0.0.1", &[], &["10.0.0.0/8"], "10.0.0.1"),
            // The client wrote the first entry itself.
            ("10.0.0.1", &["1.2.3.4, 203.0.113.7"], &["10.0.0.0/8"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7, 10.0.0.2"], &["10.0.0.0/8"], "203.0.113.7"),
            ("10.0.0.1", &["1.2.3.4", "203.0.113.7"], &["10.0.0.0/8"], "203.0.113.7"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &["10.0.0.0/8"], "10.0.0.3"),
            ("10.0.0.1", &["203.0.113.7, nonsense"], &["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7:5000"], &["10.0.0.0/8"], "203.0.113.7"),
            ("10.0.0.1", &["[2001:db8::1]:5000"], &["10.0.0.0/8"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], &["10.0.0.0/8"], "2001:db8::1"),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.7"], &["10.0.0.0/8"], "203.0.113.7"),
            ("::1", &["203.0.113.7"], &["::1/128"], "203.0.113.7"),
        ] {
            assert_eq!(address(peer, forwarded, trusted), expected, "{peer} {forwarded:?}");
        }
    }
}
