//! The way to Redis, shared by all who use it: one connection, bounded in time, behind a breaker.
//!
//! Redis is a helper here, never the only record of anything. Whoever asks it must have an answer of
//! their own for every [`LinkError`].

mod connect;
mod url;

use std::time::Duration;

use redis::aio::PubSub;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ScriptInvocation, ServerErrorKind};
use tokio::time::{Instant, timeout};

pub use url::{RedisUrl, Topology};

use crate::breaker::{Breaker, State};
use crate::tally::{Tally, counted};
use connect::{Connection, Connector};

/// Why Redis did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It failed so often that it is left alone for a moment.
    #[error("Redis is left alone after several failures")]
    Open,
    /// It did not answer in time.
    #[error("Redis did not answer in time")]
    Timeout,
    /// It cannot be reached, or cannot work at the moment.
    #[error("Redis is not available: {0}")]
    Down(#[source] RedisError),
    /// It answered that it will not: it is full, read-only, or holds something else under that key.
    #[error("Redis refused: {0}")]
    Refused(#[source] RedisError),
}

/// A connection to Redis, Sentinel or Cluster that mends itself. Each call ends within the time limit.
pub struct Redis {
    connector: Connector,
    breaker: Breaker,
    limit: Duration,
    calls: Tally<Called>,
}

counted! {
    /// What came of a call.
    pub enum Called {
        /// An answer.
        Answered = "answered",
        /// A refusal.
        Refused = "refused",
        /// No answer in time.
        Timeout = "timeout",
        /// No connection, or a server that cannot work.
        Down = "down",
        /// It was not made.
        Open = "open",
    }
}

impl Called {
    fn of<T>(outcome: &Result<T, LinkError>) -> Self {
        match outcome {
            Ok(_) => Self::Answered,
            Err(LinkError::Refused(_)) => Self::Refused,
            Err(LinkError::Timeout) => Self::Timeout,
            Err(LinkError::Down(_)) => Self::Down,
            Err(LinkError::Open) => Self::Open,
        }
    }
}

impl Redis {
    /// The Redis at `url`, asked for at most `limit` a call. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the URL cannot be used for connections, such as one with an unknown host name form.
    pub fn open(url: &RedisUrl, limit: Duration) -> Result<Self, LinkError> {
        let connector = Connector::new(url, limit).map_err(LinkError::Refused)?;
        Ok(Self { connector, breaker: Breaker::default(), limit, calls: Tally::default() })
    }

    /// What the answer to `command` is.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, LinkError> {
        self.call(async |mut connection: Connection| command.query_async(&mut connection).await).await
    }

    /// What the script answers. Keys of one call must share a hash tag, for Cluster.
    pub async fn invoke<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, LinkError> {
        self.call(async |mut connection: Connection| script.invoke_async(&mut connection).await).await
    }

    /// A connection of its own that hears what is published on `channel`. It ends when the server goes
    /// away; the caller asks again.
    pub async fn subscribe(&self, channel: &str) -> Result<PubSub, LinkError> {
        let connect = async {
            let mut pubsub = self.connector.client().await?.get_async_pubsub().await?;
            pubsub.subscribe(channel).await?;
            Ok(pubsub)
        };
        // Not a request's time: nobody waits for it.
        match timeout(self.limit.saturating_mul(10), connect).await {
            Ok(connected) => connected.map_err(sorted),
            Err(_) => Err(LinkError::Timeout),
        }
    }

    /// Whether it is being used, for people and metrics.
    pub fn state(&self) -> State {
        self.breaker.state(Instant::now())
    }

    /// What came of the calls.
    pub fn calls(&self) -> &Tally<Called> {
        &self.calls
    }

    async fn call<T>(&self, ask: impl AsyncFnOnce(Connection) -> RedisResult<T>) -> Result<T, LinkError> {
        let outcome = self.ask(ask).await;
        self.calls.add(Called::of(&outcome));
        outcome
    }

    async fn ask<T>(&self, ask: impl AsyncFnOnce(Connection) -> RedisResult<T>) -> Result<T, LinkError> {
        let permit = self.breaker.permit(Instant::now()).ok_or(LinkError::Open)?;
        let answer = async { ask(self.connector.connection().await?).await };
        let outcome = match timeout(self.limit, answer).await {
            Ok(outcome) => outcome.map_err(sorted),
            Err(_) => Err(LinkError::Timeout),
        };
        let worked = matches!(outcome, Ok(_) | Err(LinkError::Refused(_)));
        if !worked || matches!(&outcome, Err(LinkError::Refused(error)) if is_read_only(error)) {
            self.connector.failed();
        }
        permit.done(worked, Instant::now());
        outcome
    }
}

/// A master that has been made a replica says so.
fn is_read_only(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

/// Tells a server that cannot work from one that will not.
fn sorted(error: RedisError) -> LinkError {
    let down = match error.kind() {
        ErrorKind::Io
        | ErrorKind::AuthenticationFailed
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::ClusterConnectionNotFound => true,
        ErrorKind::Server(kind) => {
            matches!(kind, ServerErrorKind::BusyLoading | ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown)
        }
        _ => error.is_io_error() || error.is_timeout(),
    };
    if down { LinkError::Down(error) } else { LinkError::Refused(error) }
}
