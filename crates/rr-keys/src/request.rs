//! What a caller wants, as far as a key decides it.

use std::net::IpAddr;

/// A request to be judged: `Request::requires("read_metrics").from(address)`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The permission that the key must grant; `None` when being a valid key is enough.
    pub permission: Option<&'a str>,
    /// Where the request comes from, as the embedding service believes it. Whether a forwarding header is
    /// to be trusted is its decision; this crate reads no header.
    pub address: Option<IpAddr>,
}

impl<'a> Request<'a> {
    /// A request that any valid key may make.
    pub fn any() -> Self {
        Self::default()
    }

    /// A request that needs one permission.
    pub fn requires(permission: &'a str) -> Self {
        Self { permission: Some(permission), address: None }
    }

    /// The same request, coming from this address.
    pub fn from(self, address: impl Into<Option<IpAddr>>) -> Self {
        Self { address: address.into(), ..self }
    }
}
