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
