//! Who a request is counted for: the authenticated client, or else the address it came from.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use hyper::HeaderMap;

use super::network::Networks;

/// The fields by which proxies tell for whom they speak.
const FORWARDING: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Left in a request's extensions by whoever has verified its access token: the client's id.
#[derive(Debug, Clone)]
pub struct Authenticated(pub Arc<str>);

/// Whom a request is counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// A client with an access token, wherever it is.
    Client(Arc<str>),
    /// Everybody at an address; of version 6 at a `/64`, since any one there has all of it.
    Address(IpAddr),
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Address(address) => write!(f, "address:{address}"),
        }
    }
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
            v4 => v4,
        })
    }
}

/// The one field in which the trusted proxies tell for whom they speak. The other one is the client's own
/// invention, so it is never looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardingField {
    /// `X-Forwarded-For: client, proxy`.
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239).
    Forwarded,
}

/// How requests are told apart.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Proxies that are believed.
    pub trusted_proxies: Networks,
    /// What they write.
    pub field: ForwardingField,
    /// Addresses that are not limited.
    pub exempt: Networks,
}

impl Clients {
    /// Whom a request from `peer` is counted for; `None` when it is not to be limited.
    pub fn identify(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        authenticated: Option<&Authenticated>,
    ) -> Option<ClientKey> {
        let believed = self.trusted_proxies.contain(peer);
        let address = if believed { self.behind(peer, headers) } else { peer };
        // A proxy that nobody told us of, on this machine or in an exempt network, does not exempt its clients.
        if (believed || !forwarded(headers)) && self.exempt.contain(address) {
            return None;
        }
        Some(match authenticated {
            Some(Authenticated(id)) => ClientKey::Client(Arc::clone(id)),
            None => address.into(),
        })
    }

    /// Whether `peer` may be a proxy that is missing in the configuration: it says so, and is not believed.
    pub fn may_be_a_proxy(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        forwarded(headers) && !self.trusted_proxies.contain(peer)
    }

    /// Walks from the nearest proxy outwards as long as the one who speaks is trusted. What cannot be read
    /// is counted for the proxy that wrote it.
    fn behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let name = match self.field {
            ForwardingField::XForwardedFor => "x-forwarded-for",
            ForwardingField::Forwarded => "forwarded",
        };
        let mut speaker = peer;
        let lines = headers.get_all(name).iter().rev();
        for entry in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
            let told = match self.field {
                ForwardingField::XForwardedFor => address(entry.trim()),
                ForwardingField::Forwarded => forwarded_for(entry),
            };
            match told {
                Some(told) if self.trusted_proxies.contain(told) => speaker = told,
                Some(told) => return told,
                None => break,
            }
        }
        speaker
    }
}

/// Whether a proxy, or somebody who says so, has sent a request on.
fn forwarded(headers: &HeaderMap) -> bool {
    FORWARDING.iter().any(|field| headers.contains_key(*field))
}

/// The address of `for=192.0.2.1;proto=https` or `for="[2001:db8::1]:4711"`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| address(value.trim().trim_matches('"')))?
    })
}

/// An address with or without port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(inside, _)| inside);
    plain.parse().ok().or_else(|| text.parse().map(|socket: std::net::SocketAddr| socket.ip()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(field: ForwardingField) -> Clients {
        let networks = |text: &str| text.parse().unwrap();
        Clients {
            trusted_proxies: networks("10.0.0.0/8, fd00::/8"),
            field,
            exempt: networks("127.0.0.0/8, 10.9.0.0/16"),
        }
    }

    fn counted(field: ForwardingField, peer: &str, headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        clients(field).identify(peer.parse().unwrap(), &map, None).map(|key| key.to_string())
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_from_the_right() {
        for (peer, headers, expected) in [
            ("8.8.8.8", &[][..], "8.8.8.8"),
            ("8.8.8.8", &[("x-forwarded-for", "1.1.1.1")], "8.8.8.8"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1")], "1.1.1.1"),
            // The client wrote the first one itself.
            ("10.0.0.1", &[("x-forwarded-for", "6.6.6.6, 1.1.1.1, 10.0.0.2")], "1.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.1.1.1,10.0.0.2")], "1.1.1.1"),
            ("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, nonsense, 10.0.0.2")], "10.0.0.2"),
            ("10.0.0.1", &[("x-forwarded-for", "")], "10.0.0.1"),
            ("10.0.0.1", &[("x-forwarded-for", "1.1.1.1:4711")], "1.1.1.1"),
            ("fd00::1", &[("x-forwarded-for", "[2001:db8:1:2:3::4]:80")], "2001:db8:1:2::"),
            // The field that our proxies do not write is the client's.
            ("10.0.0.1", &[("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "1.1.1.1")], "1.1.1.1"),
            ("::ffff:8.8.8.8", &[], "8.8.8.8"),
        ] {
            let expected = Some(format!("address:{expected}"));
            assert_eq!(counted(ForwardingField::XForwardedFor, peer, headers), expected, "{peer} {headers:?}");
        }
    }

    #[test]
    fn the_standard_field_is_read_too() {
        for (line, expected) in [
            ("for=1.1.1.1", "1.1.1.1"),
            ("for=6.6.6.6, FOR=1.1.1.1;proto=https;by=10.0.0.7, for=10.0.0.2", "1.1.1.1"),
            ("proto=http;for=\"[2001:db8:1:2:3::4]:4711\"", "2001:db8:1:2::"),
            ("for=1.1.1.1, for=unknown", "10.0.0.1"),
            ("for=_hidden", "10.0.0.1"),
        ] {
            let line: &'static str = line;
            let counted = counted(ForwardingField::Forwarded, "10.0.0.1", &[("forwarded", line)]);
            assert_eq!(counted, Some(format!("address:{expected}")), "{line}");
        }
    }

    #[test]
    fn exempt_addresses_are_not_counted_unless_a_stranger_speaks_for_them() {
        let counted = |peer, headers| counted(ForwardingField::XForwardedFor, peer, headers);
        assert_eq!(counted("127.0.0.1", &[]), None);
        assert_eq!(counted("10.0.0.1", &[("x-forwarded-for", "10.9.1.1")]), None);
        assert_eq!(counted("127.0.0.1", &[("x-forwarded-for", "127.0.0.1")]), Some("address:127.0.0.1".to_owned()));
        assert_eq!(counted("8.8.8.8", &[("x-forwarded-for", "127.0.0.1")]), Some("address:8.8.8.8".to_owned()));
    }

    #[test]
    fn an_authenticated_client_is_counted_wherever_it_is() {
        let authenticated = Authenticated("farm-shop".into());
        let clients = clients(ForwardingField::XForwardedFor);
        let of = |peer: &str| clients.identify(peer.parse().unwrap(), &HeaderMap::new(), Some(&authenticated));
        assert_eq!(of("8.8.8.8"), Some(ClientKey::Client("farm-shop".into())));
        assert_eq!(of("8.8.8.8"), of("2001:db8::1"));
        assert_eq!(of("127.0.0.1"), None, "exempt all the same");
    }
}
