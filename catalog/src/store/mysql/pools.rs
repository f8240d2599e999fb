//! The connections: a pool to the primary, one to the replica, one of a single connection to ask
//! whether the primary is there.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use sqlx::MySql;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions};
use tokio::time::Instant;

use super::killer::Killer;
use crate::store::observer::{Pool, PoolStatus};
use crate::store::pool::{Gated, Rules};
use crate::store::{Options, StoreError};

/// What a call may take beyond the limit of its statements, before the server counts as silent: it ends a statement
/// that takes too long itself, but a server or a network that has gone silent ends nothing.
const GRACE: Duration = Duration::from_secs(1);
/// A connection that has not answered the pool by then is given up, and its place in the pool is free.
const RETURNS_WITHIN: Duration = Duration::from_secs(1);
/// A server behind a balancer that came back gets its share again.
const LIVES_AT_MOST: Duration = Duration::from_secs(1_800);
const RESTS_AT_MOST: Duration = Duration::from_secs(600);

pub(super) struct Pools {
    primary: Gated<MySql>,
    replica: Option<Gated<MySql>>,
    probe: Gated<MySql>,
    replica_lag: Duration,
    last_write: Mutex<Option<Instant>>,
}

impl Pools {
    pub(super) fn open(primary: MySqlConnectOptions, replica: Option<MySqlConnectOptions>, options: &Options) -> Self {
        let system = Arc::<OnceLock<&'static str>>::default();
        let gated = |name, size, limit, to, server| {
            let connections = pool(size, options, Arc::clone(&system)).connect_lazy_with(to);
            let rules = Rules {
                system: Arc::clone(&system),
                call_within: options.statement_timeout.saturating_mul(2).saturating_add(GRACE),
                returns_within: RETURNS_WITHIN,
                survives: false,
                lives_at_most: LIVES_AT_MOST,
                rests_at_most: RESTS_AT_MOST,
                server,
            };
            Gated::new(name, connections, limit, rules, options)
        };
        let (limit, ceiling) = (options.max_connections, options.ceiling());
        let probe = gated(Pool::Probe, 1, 1, primary.clone(), None);
        let ends = Arc::new(Killer { probe: probe.clone() });
        Self {
            probe,
            primary: gated(Pool::Primary, ceiling, limit, primary, Some(ends)),
            // What the primary calls a connection means nothing to the replica, whose connections nobody budgets.
            replica: replica.map(|to| gated(Pool::Replica, limit, limit, to, None)),
            replica_lag: options.replica_lag,
            last_write: Mutex::new(None),
        }
    }

    /// Runs `call`, which reads: on the replica, unless this process wrote so lately that the replica may not have it
    /// yet. A caller so always reads its own writes.
    pub(super) async fn read<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let pool = match &self.replica {
            Some(replica) if !self.wrote_lately() => replica,
            _ => &self.primary,
        };
        pool.with(summary, call).await
    }

    /// Runs `call`, which reads what every committed write has left: on the primary.
    pub(super) async fn read_latest<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.primary.with(summary, call).await
    }

    /// Runs `call`, which writes.
    pub(super) async fn write<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.primary.with(summary, call).await
    }

    /// Runs `call` on the connection of readiness checks, which does nothing else.
    pub(super) async fn probe<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.probe.with(summary, call).await
    }

    /// Notes a write to the products, by this process or another: the replica may not have it yet.
    pub(super) fn wrote(&self) {
        *self.last_write.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
    }

    pub(super) async fn set_limit(&self, limit: u32) -> u32 {
        self.primary.set_limit(limit).await
    }

    pub(super) fn status(&self) -> Vec<PoolStatus> {
        [Some(&self.primary), self.replica.as_ref(), Some(&self.probe)]
            .into_iter()
            .flatten()
            .map(Gated::status)
            .collect()
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

fn pool(size: u32, options: &Options, system: Arc<OnceLock<&'static str>>) -> MySqlPoolOptions {
    let limit = options.statement_timeout;
    MySqlPoolOptions::new()
        .max_connections(size)
        // Those that rest are not with it.
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(options.acquire_timeout)
        .after_connect(move |connection, _| {
            let system = Arc::clone(&system);
            Box::pin(async move {
                // An upgrade from the one to the other is as good as unheard of.
                let _ = system.set(prepare_session(connection, limit).await?);
                Ok(())
            })
        })
}

/// Sets what holds for each statement of a session, and returns the server's name. The server itself ends a statement
/// that takes longer than `limit`: a client that gives up does not free what its statement holds.
async fn prepare_session(connection: &mut MySqlConnection, limit: Duration) -> Result<&'static str, sqlx::Error> {
    let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *connection).await?;
    let (system, statement) = if version.contains("MariaDB") {
        ("mariadb", format!("SET SESSION max_statement_time = {}", limit.as_secs_f64()))
    } else {
        ("mysql", format!("SET SESSION max_execution_time = {}", limit.as_millis()))
    };
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *connection).await?;
    // See `engine::BEGIN`.
    sqlx::query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(connection).await?;
    Ok(system)
}
