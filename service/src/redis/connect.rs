//! Connections, for each way in which servers stand to each other.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{Client, Cmd, Pipeline, RedisFuture, RedisResult, TlsMode, Value};

use super::url::{RedisUrl, Topology};

/// How long a connection may take to be made; a call that waits for it ends at its own limit, and the
/// next one finds the connection further on.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A connection that any number of callers use at once.
#[derive(Clone)]
pub(super) enum Connection {
    /// To one server; connects again by itself.
    Single(ConnectionManager),
    /// To all nodes of a cluster; follows its changes by itself.
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// Makes connections and keeps the one in use.
pub(super) struct Connector {
    servers: Servers,
    limit: Duration,
    current: Mutex<Option<Connection>>,
}

enum Servers {
    Single(Client),
    Sentinel(tokio::sync::Mutex<SentinelClient>),
    Cluster { client: Box<ClusterClient>, nodes: Vec<Client> },
}

impl Connector {
    /// For the servers of `url`, whose answers are waited for `limit`.
    pub(super) fn new(url: &RedisUrl, limit: Duration) -> RedisResult<Self> {
        let addresses = url.servers()?;
        let servers = match url.topology() {
            Topology::Single => {
                let first = addresses.into_iter().next();
                Servers::Single(Client::open(first.ok_or_else(no_server)?)?)
            }
            Topology::Sentinel { master } => {
                let behind = url.server_at("localhost")?;
                let mut node = SentinelNodeConnectionInfo::default()
                    .set_redis_connection_info(behind.redis_settings().clone())
                    .set_tcp_settings(behind.tcp_settings().clone());
                if url.tls() {
                    node = node.set_tls_mode(TlsMode::Secure);
                }
                let kind = SentinelServerType::Master;
                Servers::Sentinel(SentinelClient::build(addresses, master.clone(), Some(node), kind)?.into())
            }
            Topology::Cluster => {
                let tcp = addresses.first().ok_or_else(no_server)?.tcp_settings().clone();
                let client = ClusterClient::builder(addresses.clone())
                    .tcp_settings(tcp)
                    .connection_timeout(CONNECT_WITHIN)
                    .response_timeout(limit)
                    .retries(1)
                    .build()?;
                let nodes = addresses.into_iter().map(Client::open).collect::<RedisResult<_>>()?;
                Servers::Cluster { client: Box::new(client), nodes }
            }
        };
        Ok(Self { servers, limit, current: Mutex::default() })
    }

    /// The connection in use, or a new one.
    pub(super) async fn connection(&self) -> RedisResult<Connection> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(connection) = current {
            return Ok(connection);
        }
        let connection = match &self.servers {
            Servers::Single(client) => self.managed(client.clone())?,
            Servers::Sentinel(sentinels) => {
                let master = sentinels.lock().await.async_get_client().await?;
                self.managed(master)?
            }
            Servers::Cluster { client, .. } => {
                Connection::Cluster(client.get_pending_async_connection_with_config(Default::default()))
            }
        };
        // Callers that came here together keep the first one's.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(current.get_or_insert(connection).clone())
    }

    /// A client for a connection of the caller's own.
    pub(super) async fn client(&self) -> RedisResult<Client> {
        match &self.servers {
            Servers::Single(client) => Ok(client.clone()),
            Servers::Sentinel(sentinels) => sentinels.lock().await.async_get_client().await,
            Servers::Cluster { nodes, .. } => {
                // Any node that is there: what is published reaches all of them.
                for node in nodes {
                    if node.get_multiplexed_async_connection().await.is_ok() {
                        return Ok(node.clone());
                    }
                }
                nodes.first().cloned().ok_or_else(no_server)
            }
        }
    }

    /// A call has failed. Where it is Sentinel's to say who the master is, it is asked again.
    pub(super) fn failed(&self) {
        if let Servers::Sentinel(_) = self.servers {
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    fn managed(&self, client: Client) -> RedisResult<Connection> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(self.limit))
            // The breaker decides when to try again.
            .set_number_of_retries(0);
        Ok(Connection::Single(ConnectionManager::new_lazy_with_config(client, config)?))
    }
}

fn no_server() -> redis::RedisError {
    (redis::ErrorKind::InvalidClientConfig, "the URL names no server").into()
}
