//! Source networks: networks from which sources send datagrams.

use std::net::IpAddr;

use ipnet::IpNet;

/// Answers whether an address belongs to a source, in logarithmic time.
#[derive(Debug, Default)]
pub struct Networks {
    /// First and last address of disjoint ranges, in ascending order.
    ranges: Vec<(IpAddr, IpAddr)>,
}

impl Networks {
    /// Creates the set of all addresses in `networks`, which may overlap.
    #[must_use]
    pub fn new(networks: &[IpNet]) -> Self {
        let mut ranges: Vec<_> = IpNet::aggregate(&networks.to_vec())
            .iter()
            .map(|network| (network.network(), network.broadcast()))
            .collect();
        ranges.sort_unstable();
        Self { ranges }
    }

    /// Returns true if the address is in one of the networks.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= address);
        after
            .checked_sub(1)
            .is_some_and(|index| address <= self.ranges[index].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_in_the_networks_are_contained() {
        let networks = [
            "192.0.2.0/28",
            "192.0.2.7/32",
            "198.51.100.9/32",
            "2001:db8::/64",
        ];
        let networks = Networks::new(&networks.map(|text| text.parse().expect("a network")));
        for (address, contained) in [
            ("192.0.2.0", true),
            ("192.0.2.7", true),
            ("192.0.2.15", true),
            ("192.0.2.16", false),
            ("192.0.1.255", false),
            ("198.51.100.9", true),
            ("198.51.100.10", false),
            ("2001:db8::1", true),
            ("2001:db8:0:1::", false),
            ("::ffff:192.0.2.7", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(networks.contain(address), contained, "{address}");
        }
        assert!(!Networks::default().contain([192, 0, 2, 7].into()));
    }
}
