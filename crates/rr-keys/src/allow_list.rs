//! The addresses from which a key may be used.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// Networks from which a key may be used. The empty list means anywhere.
///
/// IPv4 addresses that arrive dressed as IPv6 (`::ffff:10.0.0.1`) are judged as IPv4, in the list and in
/// the request, so that a dual-stack socket changes nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AllowList(Box<[IpNet]>);

/// One entry of an allow list could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNetwork {
    /// Neither an address nor a network.
    #[error("{0:?} is neither an IP address nor a network such as 10.0.0.0/8")]
    Unreadable(String),
    /// Bits are set beyond the prefix, which is more often a slip than a wish.
    #[error("{given} has bits set beyond its prefix; the network is {network}")]
    HostBits {
        /// The text as it was given.
        given: String,
        /// The network that contains it.
        network: String,
    },
}

impl AllowList {
    /// Reads addresses (`::1`) and networks (`10.0.0.0/8`), and names the first that is wrong.
    pub fn parse<T: AsRef<str>>(
        entries: impl IntoIterator<Item = T>,
    ) -> Result<Self, InvalidNetwork> {
        let mut networks = entries
            .into_iter()
            .map(|entry| network(entry.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        networks.sort_unstable();
        networks.dedup();
        Ok(Self(networks.into_boxed_slice()))
    }

    /// Whether a request from `address` is welcome. An unknown address passes only an empty list.
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Some(address) = address else { return false };
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether every address of this list is one of `outer`, however either is cut into networks.
    pub fn is_within(&self, outer: &Self) -> bool {
        let whole = IpNet::aggregate(&outer.0.to_vec());
        let has = |network: &IpNet| whole.iter().any(|outer| outer.contains(network));
        outer.is_empty() || !self.is_empty() && self.0.iter().all(has)
    }

    /// Whether any address will do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries as text: an address for a single one, else a network. [`AllowList::parse`] reads them back.
    pub fn to_strings(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|network| {
                if network.prefix_len() == network.max_prefix_len() {
                    network.addr().to_string()
                } else {
                    network.to_string()
                }
            })
            .collect()
    }
}

impl fmt::Debug for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.to_strings()).finish()
    }
}

fn network(entry: &str) -> Result<IpNet, InvalidNetwork> {
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let given: IpNet = entry.parse().map_err(|_| InvalidNetwork::Unreadable(entry.to_owned()))?;
    let network = unmapped(given.trunc());
    if given.addr() != given.network() {
        return Err(InvalidNetwork::HostBits {
            given: entry.to_owned(),
            network: network.to_string(),
        });
    }
    Ok(network)
}

/// A network inside `::ffff:0:0/96` is an IPv4 network in disguise.
fn unmapped(network: IpNet) -> IpNet {
    let IpAddr::V4(address) = network.addr().to_canonical() else { return network };
    match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => {
            ipnet::Ipv4Net::new(address, v6.prefix_len() - 96).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entries: &[&str], address: &str) -> bool {
        AllowList::parse(entries).unwrap().allows(Some(address.parse().unwrap()))
    }

    /// (i) CIDR and IPv6 ranges match, and their neighbours do not.
    #[test]
    fn ranges_match_to_the_last_address() {
        for (entry, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
            ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
            ("192.0.2.8/31", ["192.0.2.8", "192.0.2.9"], ["192.0.2.7", "192.0.2.10"]),
            ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db7::1", "2001:db9::"]),
            ("::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]),
            ("::ffff:10.0.0.0/104", ["10.1.1.1", "::ffff:10.9.9.9"], ["11.0.0.0", "::10.0.0.1"]),
            ("0.0.0.0/0", ["1.2.3.4", "::ffff:1.2.3.4"], ["::1", "2001:db8::1"]),
        ] {
            for address in inside {
                assert!(allows(&[entry], address), "{entry} holds {address}");
            }
            for address in outside {
                assert!(!allows(&[entry], address), "{entry} does not hold {address}");
            }
        }
    }

    #[test]
    fn empty_means_anywhere_and_unknown_means_nowhere_else() {
        assert!(AllowList::default().allows(None));
        assert!(AllowList::default().allows(Some("192.0.2.1".parse().unwrap())));
        assert!(!AllowList::parse(["0.0.0.0/0", "::/0"]).unwrap().allows(None));
    }

    #[test]
    fn one_list_is_within_another_by_its_addresses() {
        let list = |entries: &[&str]| AllowList::parse(entries).unwrap();
        for (inner, outer, within) in [
            (&["10.0.0.0/8"][..], &[][..], true),
            (&[], &[], true),
            (&[], &["0.0.0.0/0", "::/0"], false),
            (&["10.0.0.0/8"], &["10.0.0.0/9", "10.128.0.0/9"], true),
            (&["10.0.0.0/8"], &["10.0.0.0/9", "10.128.0.0/10"], false),
            (&["10.0.0.1", "10.255.0.0/16"], &["10.0.0.0/8"], true),
            (&["10.0.0.1", "11.0.0.1"], &["10.0.0.0/8"], false),
            (&["::ffff:10.0.0.1"], &["10.0.0.0/8"], true),
            (&["10.0.0.1"], &["::/0"], false),
            (&["2001:db8:1::/48"], &["2001:db8::/32"], true),
            (&["2001:db8::/32"], &["2001:db8:1::/48"], false),
        ] {
            assert_eq!(list(inner).is_within(&list(outer)), within, "{inner:?} in {outer:?}");
        }
    }

    #[test]
    fn text_goes_in_and_comes_out() {
        let list = AllowList::parse(["2001:db8::/32", "10.0.0.1", "10.0.0.1", "::ffff:192.0.2.1"]);
        let list = list.unwrap();
        assert_eq!(list.to_strings(), ["10.0.0.1", "192.0.2.1", "2001:db8::/32"]);
        assert_eq!(AllowList::parse(list.to_strings()), Ok(list));
    }

    #[test]
    fn slips_are_named() {
        for bad in [
            "",
            " 10.0.0.1",
            "10.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "host",
            "fe80::1%eth0",
        ] {
            assert_eq!(
                AllowList::parse([bad]),
                Err(InvalidNetwork::Unreadable(bad.to_owned())),
                "{bad:?}"
            );
        }
        let slip = AllowList::parse(["10.0.0.1/8"]).unwrap_err();
        assert_eq!(
            slip.to_string(),
            "10.0.0.1/8 has bits set beyond its prefix; the network is 10.0.0.0/8"
        );
    }
}
