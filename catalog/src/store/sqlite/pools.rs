//! The connections: one writer, several readers, and one to ask whether the file can be read.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePoolOptions};

use super::time_limit::TimeLimit;
use crate::store::observer::{Pool, PoolStatus};
use crate::store::pool::{Gated, Rules};
use crate::store::{Options, StoreError};

pub(super) struct Pools {
    readers: Gated<Sqlite>,
    /// SQLite has one writer at a time; a queue here is fairer than retries on a busy file.
    writer: Gated<Sqlite>,
    probe: Gated<Sqlite>,
    statement_timeout: Duration,
}

impl Pools {
    pub(super) async fn open(connect: SqliteConnectOptions, options: &Options) -> Result<Self, StoreError> {
        let pool = |size: u32| {
            SqlitePoolOptions::new()
                .max_connections(size)
                .acquire_timeout(options.acquire_timeout)
                .max_lifetime(None)
                .idle_timeout(None)
                .test_before_acquire(false)
        };
        // The writer first: it makes the file and the log that readers need.
        let writer = pool(1).connect_with(connect.clone()).await?;
        let query_only = connect.pragma("query_only", "ON");
        // A statement is ended where it runs, and a connection that was left alone can be used again.
        let long = Duration::MAX;
        let system = Arc::new(OnceLock::from("sqlite"));
        let gated = |name, connections, limit| {
            let rules = Rules {
                system: Arc::clone(&system),
                call_within: long,
                returns_within: long,
                survives: true,
                lives_at_most: long,
                rests_at_most: long,
                server: None,
            };
            Gated::new(name, connections, limit, rules, options)
        };
        let readers = pool(options.ceiling()).connect_lazy_with(query_only.clone());
        Ok(Self {
            readers: gated(Pool::Primary, readers, options.max_connections),
            writer: gated(Pool::Writer, writer, 1),
            probe: gated(Pool::Probe, pool(1).connect_lazy_with(query_only), 1),
            statement_timeout: options.statement_timeout,
        })
    }

    /// Runs `call`, which reads, no longer than a statement may take.
    pub(super) async fn read<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let limited = async |db: &mut SqliteConnection| {
            let _limit = TimeLimit::set(db, self.statement_timeout).await?;
            call(db).await
        };
        self.readers.with(summary, limited).await
    }

    /// Runs `call`, which reads what every committed write has left: any reader does.
    pub(super) async fn read_latest<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read(summary, call).await
    }

    /// Runs `call`, which writes.
    pub(super) async fn write<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.writer.with(summary, call).await
    }

    /// Runs `call` on the connection of readiness checks, which does nothing else.
    pub(super) async fn probe<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.probe.with(summary, call).await
    }

    /// Notes a write: every reader has it.
    pub(super) fn wrote(&self) {}

    pub(super) async fn set_limit(&self, limit: u32) -> u32 {
        self.readers.set_limit(limit).await
    }

    pub(super) fn status(&self) -> Vec<PoolStatus> {
        [&self.readers, &self.writer, &self.probe].map(Gated::status).into()
    }

    pub(super) async fn close(&self) {
        self.probe.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}
