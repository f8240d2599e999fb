//! Which addresses belong to the public internet. Pure functions of an address: what is not known to be public
//! is not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses, such as `10.0.0.0/8` or `fd00::/8`, that is known when this is compiled.
struct Network {
    /// The first address, IPv4 as IPv6 has it (RFC 4291, 2.5.5.2), so that there is one kind of number.
    first: u128,
    /// How many bits all its addresses share.
    prefix: u32,
}

impl Network {
    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32) -> Self {
        Self { first: Ipv4Addr::new(a, b, c, d).to_ipv6_mapped().to_bits(), prefix: 96 + prefix }
    }

    const fn v6(a: u16, b: u16, c: u16, prefix: u32) -> Self {
        Self { first: Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_bits(), prefix }
    }

    /// Whether `address` is in it.
    fn contains(&self, address: IpAddr) -> bool {
        let differing = self.first ^ bits(address);
        // Shifting out all 128 bits leaves nothing to differ.
        differing.checked_shr(128 - self.prefix).unwrap_or(0) == 0
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The public internet of IPv6; all else is reserved (RFC 4291, IANA).
const GLOBAL_UNICAST: Network = Network::v6(0x2000, 0, 0, 3);
/// An IPv4 address as IPv6-only hosts reach it (RFC 6052).
const NAT64: Network = Network::v6(0x64, 0xff9b, 0, 96);

/// IANA's special-purpose addresses, and what is for many receivers or for none.
const SPECIAL: [Network; 20] = [
    // This network, this host.
    Network::v4(0, 0, 0, 0, 8),
    // Private (RFC 1918), and shared with a provider's customers (RFC 6598).
    Network::v4(10, 0, 0, 0, 8),
    Network::v4(100, 64, 0, 0, 10),
    Network::v4(172, 16, 0, 0, 12),
    Network::v4(192, 168, 0, 0, 16),
    // Loopback, link-local: the latter has the metadata services of clouds.
    Network::v4(127, 0, 0, 0, 8),
    Network::v4(169, 254, 0, 0, 16),
    // Protocols' own, 6to4 relays.
    Network::v4(192, 0, 0, 0, 24),
    Network::v4(192, 88, 99, 0, 24),
    // Documentation, benchmarks.
    Network::v4(192, 0, 2, 0, 24),
    Network::v4(198, 18, 0, 0, 15),
    Network::v4(198, 51, 100, 0, 24),
    Network::v4(203, 0, 113, 0, 24),
    // Multicast, reserved, broadcast.
    Network::v4(224, 0, 0, 0, 4),
    Network::v4(240, 0, 0, 0, 4),
    // Protocols' own (Teredo among them), documentation twice, 6to4: an IPv4 address in disguise.
    Network::v6(0x2001, 0, 0, 23),
    Network::v6(0x2001, 0xdb8, 0, 32),
    Network::v6(0x2002, 0, 0, 16),
    Network::v6(0x3fff, 0, 0, 20),
    // Formerly for one's own site's test (6bone).
    Network::v6(0x3ffe, 0, 0, 16),
];

/// The address that packets to `address` end at: IPv4 in the forms that IPv6 has for it is IPv4.
pub(super) fn meant(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if NAT64.contains(address) => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        address => address.to_canonical(),
    }
}

/// Whether `address` belongs to the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    let address = meant(address);
    let unicast = address.is_ipv4() || GLOBAL_UNICAST.contains(address);
    unicast && !SPECIAL.iter().any(|special| special.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_internet_is_all_that_is_left() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2a00:1450::1",
            "3ffd:ffff::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            // Unspecified, loopback, link-local, private, shared.
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "127.0.0.1",
            "127.255.255.255",
            "::1",
            "169.254.169.254",
            "fe80::1",
            "febf::1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            // Multicast, broadcast, reserved, documentation, benchmarks.
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "192.0.0.1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "198.18.0.1",
            "198.19.255.255",
            "192.88.99.1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "100::1",
            "4000::1",
            "8000::1",
            "5f00::1",
            "::127.0.0.1",
            "::8.8.8.8",
            // IPv4 in disguise: mapped, NAT64 (its local form too), 6to4, Teredo.
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::",
            "2002:808:808::1",
            "2001:0:4136:e378::1",
            "2001:10::1",
            "2001:1ff::1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }
}
