//! Where Redis is, in one URL.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionInfo, IntoConnectionInfo as _};

/// How the servers of a URL stand to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Single,
    /// Sentinels that know the master of this name.
    Sentinel {
        /// The name the sentinels know it by.
        master: String,
    },
    /// Some nodes of a cluster.
    Cluster,
}

/// A Redis by its URL; `Debug` and `Display` hide the password.
///
/// - `redis://user:password@host:6379/0`, and `rediss://…` with TLS
/// - `redis+sentinel://user:password@host:26379,host:26379/master`: the credentials are the master's
/// - `redis+cluster://user:password@host:6379,host:6379`
///
/// With TLS the others are `rediss+sentinel` and `rediss+cluster`.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    tls: bool,
    credentials: String,
    hosts: Vec<String>,
    topology: Topology,
    /// The database's number, as text; empty for the first one.
    database: String,
}

/// What a URL must look like. The text itself is never repeated: it may hold a password.
const REMEDY: &str = "must be redis://user:password@host:6379/0, redis+sentinel://host:26379,host:26379/master or \
                      redis+cluster://host:6379,host:6379 (rediss with TLS)";

impl RedisUrl {
    /// How the servers stand to each other.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Whether connections are encrypted.
    pub(super) fn tls(&self) -> bool {
        self.tls
    }

    /// Each server's address with the credentials.
    pub(super) fn servers(&self) -> Result<Vec<ConnectionInfo>, redis::RedisError> {
        let sentinel = matches!(self.topology, Topology::Sentinel { .. });
        let credentials = if sentinel { "" } else { &self.credentials };
        self.hosts.iter().map(|host| self.server(credentials, host)).collect()
    }

    /// The credentials and database alone, as of a server at `host`.
    pub(super) fn server_at(&self, host: &str) -> Result<ConnectionInfo, redis::RedisError> {
        self.server(&self.credentials, host)
    }

    fn server(&self, credentials: &str, host: &str) -> Result<ConnectionInfo, redis::RedisError> {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let info = format!("{scheme}://{credentials}{host}/{}", self.database).into_connection_info()?;
        // Small requests and answers: waiting to fill a packet only adds latency.
        let tcp = redis::io::tcp::TcpSettings::default().set_nodelay(true);
        Ok(info.set_tcp_settings(tcp))
    }

    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (transport, kind) = scheme.split_once('+').map_or((scheme, ""), |(transport, kind)| (transport, kind));
        let tls = match transport {
            "redis" => false,
            "rediss" => true,
            _ => return None,
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rfind('@') {
            Some(at) => authority.split_at(at + 1),
            None => ("", authority),
        };
        let hosts: Vec<String> = hosts.split(',').map(str::to_owned).collect();
        let (topology, database) = match kind {
            "" if hosts.len() == 1 => (Topology::Single, path),
            "sentinel" if !path.is_empty() => (Topology::Sentinel { master: path.to_owned() }, ""),
            "cluster" if path.is_empty() => (Topology::Cluster, ""),
            _ => return None,
        };
        let url = Self { tls, credentials: credentials.to_owned(), hosts, topology, database: database.to_owned() };
        let usable = url.hosts.iter().all(|host| !host.is_empty() && url.server_at(host).is_ok());
        usable.then_some(url)
    }
}

impl FromStr for RedisUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        Self::read(text).ok_or(REMEDY)
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.topology {
            Topology::Single => "",
            Topology::Sentinel { .. } => "+sentinel",
            Topology::Cluster => "+cluster",
        };
        let hidden = if self.credentials.is_empty() { "" } else { "***@" };
        let hosts = self.hosts.join(",");
        write!(f, "redis{}{kind}://{hidden}{hosts}", if self.tls { "s" } else { "" })?;
        match &self.topology {
            Topology::Sentinel { master } => write!(f, "/{master}"),
            _ if self.database.is_empty() => Ok(()),
            _ => write!(f, "/{}", self.database),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topology_has_a_form() {
        let topology = |text: &str| text.parse::<RedisUrl>().unwrap().topology().clone();
        assert_eq!(topology("redis://h"), Topology::Single);
        assert_eq!(topology("rediss://user:pa%40ss@h:1/2"), Topology::Single);
        assert_eq!(topology("redis+sentinel://u:p@h:1,[::1]:2/main"), Topology::Sentinel { master: "main".into() });
        assert_eq!(topology("rediss+cluster://:p@h:1,i:2"), Topology::Cluster);
        for wrong in [
            "",
            "h:6379",
            "http://h",
            "redis://",
            "redis://h,i",
            "redis+sentinel://h:1",
            "redis+cluster://h/1",
            "redis+cluster://h,,i",
            "redis+other://h",
            "redis://h:port",
            "redis://h/first",
        ] {
            assert_eq!(wrong.parse::<RedisUrl>(), Err(REMEDY), "{wrong}");
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        for text in ["redis://user:hunter2@h:1/3", "redis+sentinel://:hunter2@h:1,i:2/main"] {
            let url: RedisUrl = text.parse().unwrap();
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("hunter2") && shown.contains("***@h:1"), "{shown}");
        }
        assert_eq!("redis://h:1/3".parse::<RedisUrl>().unwrap().to_string(), "redis://h:1/3");
    }

    #[test]
    fn credentials_are_the_servers_and_not_the_sentinels() {
        let url: RedisUrl = "redis+sentinel://:secret@h:1/main".parse().unwrap();
        assert_eq!(url.servers().unwrap()[0].redis_settings().password(), None);
        assert_eq!(url.server_at("m:2").unwrap().redis_settings().password(), Some("secret"));
        let url: RedisUrl = "redis+cluster://:secret@h:1,i:2".parse().unwrap();
        assert!(url.servers().unwrap().iter().all(|server| server.redis_settings().password() == Some("secret")));
    }
}
