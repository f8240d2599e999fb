//! Where we are willing to go for somebody else. A name is looked up once, its addresses are checked, and the
//! connection is made to one of those: a second look-up could give others.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use farmlokal_catalog::subscription::CallbackUrl;
use tokio::time::timeout;
use url::Url;

use super::address;
use crate::limits::Networks;

/// How long a subscriber waits for the look-up of a name; it is done again with each delivery.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(2);
/// From here on ports are not reserved for services of the system.
const FIRST_FREE_PORT: u16 = 1_024;

/// Looks names up.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of `host`, each with `port`.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// As the system does.
#[derive(Debug, Clone, Copy)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

/// What is allowed beyond the public internet over TLS.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Whether a URL may be of http, without TLS.
    pub allow_http: bool,
    /// Networks that may be gone to although they are not public.
    pub allow_networks: Networks,
}

/// Why we do not go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Without TLS.
    #[error("must be of https")]
    Scheme,
    /// A port that other services have.
    #[error("must have the port of its scheme, or one from {FIRST_FREE_PORT} up")]
    Port,
    /// An address that is not of the public internet.
    #[error("must lead to an address of the public internet")]
    Address,
}

/// Why there is no address to connect to.
#[derive(Debug, thiserror::Error)]
pub enum NoAddress {
    /// None that we go to.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// None at all.
    #[error("the name cannot be looked up: {0}")]
    Unknown(#[from] io::Error),
}

/// The rules and the way to look names up; cheap to clone.
#[derive(Clone)]
pub struct Guard {
    rules: Arc<Rules>,
    resolver: Arc<dyn Resolve>,
}

impl Guard {
    /// A guard that lets pass what `rules` allow.
    pub fn new(rules: Rules, resolver: Arc<dyn Resolve>) -> Self {
        Self { rules: Arc::new(rules), resolver }
    }

    /// Whether somebody may subscribe with `url`. A name that is not known yet may become so.
    pub async fn admit(&self, url: &CallbackUrl) -> Result<(), Refused> {
        let url = url.url();
        self.check(url)?;
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
        match timeout(LOOK_UP_WITHIN, self.addresses(host, port)).await {
            Ok(Err(NoAddress::Refused(refused))) => Err(refused),
            Ok(Ok(_) | Err(NoAddress::Unknown(_))) | Err(_) => Ok(()),
        }
    }

    /// Whether scheme and port of `url` are allowed.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        if url.scheme() != "https" && !(self.rules.allow_http && url.scheme() == "http") {
            return Err(Refused::Scheme);
        }
        // The URL's type leaves out the port that its scheme has.
        if url.port().is_some_and(|port| port < FIRST_FREE_PORT) { Err(Refused::Port) } else { Ok(()) }
    }

    /// The addresses of `host` that may be connected to; never none.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NoAddress> {
        let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let found = match literal {
            Some(address) => vec![SocketAddr::new(address, port)],
            None => self.resolver.resolve(host, port).await?,
        };
        if found.is_empty() {
            return Err(io::Error::from(io::ErrorKind::NotFound).into());
        }
        // One bad address spoils them all: an honest name has none.
        if found.iter().all(|address| self.allows(address.ip())) { Ok(found) } else { Err(Refused::Address.into()) }
    }

    fn allows(&self, address: IpAddr) -> bool {
        let meant = address::meant(address);
        address::is_public(address) || self.rules.allow_networks.contain(meant)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("rules", &self.rules).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows names of one address each, `a-b.test` for two.
    struct Names;

    #[async_trait]
    impl Resolve for Names {
        async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            let address = |name| match name {
                "public" => Ok("1.1.1.1"),
                "private" => Ok("10.0.0.7"),
                "metadata" => Ok("169.254.169.254"),
                "mapped" => Ok("::ffff:127.0.0.1"),
                _ => Err(io::Error::from(io::ErrorKind::NotFound)),
            };
            let names = host.strip_suffix(".test").unwrap_or(host).split('-');
            names.map(|name| Ok(SocketAddr::new(address(name)?.parse().unwrap(), port))).collect()
        }
    }

    async fn admit(rules: Rules, url: &str) -> Result<(), Refused> {
        Guard::new(rules, Arc::new(Names)).admit(&url.parse().unwrap()).await
    }

    #[tokio::test]
    async fn only_the_public_internet_over_tls() {
        for (url, expected) in [
            ("https://public.test/x", Ok(())),
            ("https://public.test:443/x", Ok(())),
            ("https://public.test:8443/x", Ok(())),
            ("https://not-yet.test/x", Ok(())),
            ("https://1.1.1.1/", Ok(())),
            ("http://public.test/x", Err(Refused::Scheme)),
            ("https://public.test:22/x", Err(Refused::Port)),
            ("https://public.test:80/x", Err(Refused::Port)),
            ("https://private.test/", Err(Refused::Address)),
            ("https://public-private.test/", Err(Refused::Address)),
            ("https://metadata.test/", Err(Refused::Address)),
            ("https://mapped.test/", Err(Refused::Address)),
            ("https://127.0.0.1/", Err(Refused::Address)),
            ("https://2130706433/", Err(Refused::Address)),
            ("https://0x7f.1/", Err(Refused::Address)),
            ("https://[::1]/", Err(Refused::Address)),
            ("https://[::ffff:10.0.0.1]/", Err(Refused::Address)),
            ("https://[64:ff9b::a00:1]/", Err(Refused::Address)),
        ] {
            assert_eq!(admit(Rules::default(), url).await, expected, "{url}");
        }
    }

    #[tokio::test]
    async fn more_is_allowed_by_rule() {
        let rules = Rules { allow_http: true, allow_networks: "10.0.0.0/8".parse().unwrap() };
        for (url, expected) in [
            ("http://private.test/", Ok(())),
            ("http://private.test:81/", Err(Refused::Port)),
            ("https://public-private.test/", Ok(())),
            ("https://[::ffff:10.0.0.1]/", Ok(())),
            ("https://127.0.0.1/", Err(Refused::Address)),
            ("https://metadata.test/", Err(Refused::Address)),
        ] {
            assert_eq!(admit(rules.clone(), url).await, expected, "{url}");
        }
    }

    #[tokio::test]
    async fn localhost_is_found_out_by_the_system() {
        let guard = Guard::new(Rules::default(), Arc::new(SystemResolver));
        assert_eq!(guard.admit(&"https://localhost/".parse().unwrap()).await, Err(Refused::Address));
    }
}
