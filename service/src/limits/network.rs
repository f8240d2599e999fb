//! Networks by their address and prefix: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    bits: u128,
    prefix: u32,
    v4: bool,
}

/// Several networks, written with commas between them; none when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// Why a text is no list of networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNetworks(String);

impl fmt::Display for NotNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be networks such as 10.0.0.0/8, fd00::/8, 192.0.2.7, with commas between them; {} is none",
            self.0
        )
    }
}

impl std::error::Error for NotNetworks {}

impl Networks {
    /// Whether `address` is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        let (bits, v4) = left_aligned(address);
        self.0.iter().any(|network| network.v4 == v4 && (bits ^ network.bits) & mask(network.prefix) == 0)
    }
}

impl FromStr for Networks {
    type Err = NotNetworks;

    fn from_str(text: &str) -> Result<Self, NotNetworks> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| network(entry).ok_or_else(|| NotNetworks(entry.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn network(text: &str) -> Option<Network> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let (bits, v4) = left_aligned(address.parse().ok()?);
    let longest = if v4 { 32 } else { 128 };
    let prefix = prefix.map_or(Some(longest), |prefix| prefix.parse().ok()).filter(|prefix| *prefix <= longest)?;
    Some(Network { bits, prefix, v4 })
}

/// The bits of `address` from the left, and whether they are of version 4, however it is written.
fn left_aligned(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, true),
        IpAddr::V6(address) => (address.to_bits(), false),
    }
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contain(networks: &str, address: &str) -> bool {
        networks.parse::<Networks>().unwrap().contain(address.parse().unwrap())
    }

    #[test]
    fn contain_what_is_inside() {
        for (networks, inside, outside) in [
            ("127.0.0.0/8", "127.255.0.1", "128.0.0.1"),
            ("10.0.0.0/8, 192.168.0.0/16", "192.168.255.255", "192.169.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1", "::1", "::2"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "::127.0.0.1"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("::/0", "2001:db8::1", "8.8.8.8"),
        ] {
            assert!(contain(networks, inside), "{networks} {inside}");
            assert!(!contain(networks, outside), "{networks} {outside}");
        }
        assert!(!contain("", "127.0.0.1"));
    }

    #[test]
    fn what_is_none_is_named() {
        for wrong in ["localhost", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0/8", "10.0.0.0/-1", "1.2.3.4:80"] {
            let error = format!("10.0.0.0/8, {wrong}").parse::<Networks>().unwrap_err().to_string();
            assert!(error.ends_with(&format!("; {wrong} is none")), "{error}");
        }
    }
}
