//! Address of a client, by which sign-ins are counted.

use std::{
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use ipnet::IpNet;

/// An IPv4 address, or the /64 network of an IPv6 address, because a host can choose the lower 64
/// bits itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpNet);

impl ClientAddress {
    /// Returns the network. Its text form is that of PostgreSQL's type `cidr`.
    #[must_use]
    pub fn network(self) -> IpNet {
        self.0
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 64 };
        Self(IpNet::new_assert(address, prefix).trunc())
    }
}

impl FromRequest for ClientAddress {
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    /// Trusts `X-Forwarded-For`, because only nginx reaches the socket and overwrites the header
    /// with the peer's address.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let forwarded = request
            .headers()
            .get("x-forwarded-for")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let peer = || request.peer_addr().map(|peer| peer.ip());
        let address = forwarded
            .or_else(peer)
            .unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        ready(Ok(address.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_address_counts_as_its_64_network_and_mapped_ipv4_as_ipv4() {
        for (address, network) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(ClientAddress::from(address).network().to_string(), network);
        }
    }
}
