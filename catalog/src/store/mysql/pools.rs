//! The connections: a pool to the primary, one to the replica, one of a single connection to ask
//! whether the primary is there.

use std::sync::Mutex;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool, MySqlPoolOptions};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use super::lease::Lease;
use crate::store::{Options, StoreError};

/// What a call may take beyond the limit of its statements, before the server counts as silent.
const GRACE: Duration = Duration::from_secs(1);

pub(super) struct Pools {
    primary: MySqlPool,
    replica: Option<MySqlPool>,
    probe: MySqlPool,
    statement_timeout: Duration,
    replica_lag: Duration,
    last_write: Mutex<Option<Instant>>,
}

impl Pools {
    pub(super) fn open(primary: MySqlConnectOptions, replica: Option<MySqlConnectOptions>, options: &Options) -> Self {
        Self {
            probe: pool(1, options).connect_lazy_with(primary.clone()),
            primary: pool(options.max_connections, options).connect_lazy_with(primary),
            replica: replica.map(|to| pool(options.max_connections, options).connect_lazy_with(to)),
            statement_timeout: options.statement_timeout,
            replica_lag: options.replica_lag,
            last_write: Mutex::new(None),
        }
    }

    /// A connection to read: to the replica, unless this process wrote so lately that the replica may
    /// not have it yet. A caller so always reads its own writes.
    pub(super) async fn read(&self) -> Result<Lease, StoreError> {
        let pool = match &self.replica {
            Some(replica) if !self.wrote_lately() => replica,
            _ => &self.primary,
        };
        Lease::take(pool).await
    }

    /// A connection to read what is there for certain: to the primary.
    pub(super) async fn primary(&self) -> Result<Lease, StoreError> {
        Lease::take(&self.primary).await
    }

    /// A connection to write.
    pub(super) async fn write(&self) -> Result<Lease, StoreError> {
        // Noted before the write, so that a read in between does not miss it; see [`Self::wrote`].
        self.wrote();
        Lease::take(&self.primary).await
    }

    /// Notes that a write has ended: the replica's lag counts from there, however long it took.
    pub(super) fn wrote(&self) {
        *self.last_write.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
    }

    /// The connection that only asks.
    pub(super) async fn probe(&self) -> Result<Lease, StoreError> {
        Lease::take(&self.probe).await
    }

    /// Waits for `call`, but not for ever: the server ends a statement that takes too long, but a
    /// server or a network that has gone silent ends nothing.
    pub(super) async fn bounded<F: Future>(&self, call: F) -> Result<F::Output, Elapsed> {
        timeout(self.statement_timeout.saturating_mul(2).saturating_add(GRACE), call).await
    }

    pub(super) async fn close(&self) {
        self.probe.close().await;
        if let Some(replica) = &self.replica {
            replica.close().await;
        }
        self.primary.close().await;
    }

    fn wrote_lately(&self) -> bool {
        let last = *self.last_write.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        last.is_some_and(|at| at.elapsed() < self.replica_lag)
    }
}

fn pool(size: u32, options: &Options) -> MySqlPoolOptions {
    let limit = options.statement_timeout;
    MySqlPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_secs(600))
        // A ping a request would double the round trips; only a connection that has been idle for
        // long is asked whether it still lives, since servers and proxies drop such.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for < Duration::from_secs(30) {
                    return Ok(true);
                }
                let ping = sqlx::Connection::ping(connection);
                Ok(matches!(tokio::time::timeout(Duration::from_secs(1), ping).await, Ok(Ok(()))))
            })
        })
        .after_connect(move |connection, _| Box::pin(limit_statements(connection, limit)))
}

/// Has the server itself end a statement that takes longer than `limit`: a client that gives up does
/// not free what its statement holds.
async fn limit_statements(connection: &mut MySqlConnection, limit: Duration) -> Result<(), sqlx::Error> {
    let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *connection).await?;
    let statement = if version.contains("MariaDB") {
        format!("SET SESSION max_statement_time = {}", limit.as_secs_f64())
    } else {
        format!("SET SESSION max_execution_time = {}", limit.as_millis())
    };
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}
