//! The embedded engine: one file, one writer, several readers (write-ahead log).

mod applying;
mod backlog;
pub(super) mod bulk;
mod changes;
mod external;
mod idempotency;
mod inbox;
mod listing;
mod oauth;
mod outbox;
#[cfg(test)]
mod plan_tests;
mod read;
mod row;
mod subscriptions;
mod syncs;
mod time_limit;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Sqlite};

use super::bulk::SeedRun;
use super::changes::{Change, ChangeLog, Listeners, LogBounds, Written};
use super::pool::{Gated, Rules};
use super::{DatabaseUrl, Options, Pool, PoolStatus, Store, StoreError};
use crate::once::{Claim, KeptAnswer, Render};
use crate::{
    Category, Filter, Limit, NewProduct, Page, Position, Product, ProductId, ProductPatch, Query, Timestamp, Total,
    Version,
};
use time_limit::TimeLimit;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite");

/// How long a writer waits for another process' transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct SqliteStore {
    readers: Gated<Sqlite>,
    /// SQLite has one writer at a time; a queue here is fairer than retries on a busy file.
    writer: Gated<Sqlite>,
    /// For [`Store::ping`] alone.
    probe: Gated<Sqlite>,
    statement_timeout: Duration,
    listeners: Listeners,
}

impl SqliteStore {
    pub(super) async fn open(url: &DatabaseUrl, options: &Options) -> Result<Self, StoreError> {
        let connect = connect_options(url)?;
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
            listeners: options.listeners.clone(),
        })
    }

    /// Reads, no longer than a statement may take.
    async fn read<T>(
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

    /// Writes.
    async fn write<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.writer.with(summary, call).await
    }

    /// Writes, and tells the listeners what was written.
    async fn written<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut SqliteConnection) -> Result<Written<T>, StoreError>,
    ) -> Result<T, StoreError> {
        Ok(self.listeners.tell(self.write(summary, call).await?).await)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn list(&self, query: &Query, after: Option<&Position>, limit: Limit) -> Result<Page, StoreError> {
        self.read("SELECT products", async |db| read::list(db, query, after, limit).await).await
    }

    async fn total(&self, filter: &Filter) -> Result<Total, StoreError> {
        self.read("SELECT products", async |db| read::total(db, filter).await).await
    }

    async fn get(&self, id: ProductId) -> Result<Product, StoreError> {
        self.read("SELECT products", async |db| read::get(db, id).await).await
    }

    async fn get_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.read("SELECT products", async |db| read::get_all(db, ids).await).await
    }

    async fn create(&self, details: NewProduct, now: Timestamp) -> Result<Product, StoreError> {
        self.written("INSERT products", async |db| write::create(db, details, now).await).await
    }

    async fn create_once(
        &self,
        claim: &Claim,
        details: NewProduct,
        now: Timestamp,
        render: &Render,
    ) -> Result<KeptAnswer, StoreError> {
        self.written("INSERT products", async |db| write::create_once(db, claim, details, now, render).await).await
    }

    async fn update(
        &self,
        id: ProductId,
        patch: ProductPatch,
        expected: Option<&[Version]>,
        now: Timestamp,
    ) -> Result<Product, StoreError> {
        self.written("UPDATE products", async |db| write::update(db, id, patch, expected, now).await).await
    }

    async fn delete(&self, id: ProductId, expected: Option<&[Version]>) -> Result<(), StoreError> {
        self.written("DELETE products", async |db| write::delete(db, id, expected).await).await
    }

    async fn categories(&self) -> Result<Vec<(Category, u64)>, StoreError> {
        self.read("SELECT categories", async |db| read::categories(db).await).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.probe.with("SELECT products", async |db| read::ping(db).await).await
    }

    fn pools(&self) -> Vec<PoolStatus> {
        [&self.readers, &self.writer, &self.probe].map(Gated::status).into()
    }

    async fn set_limit(&self, limit: u32) -> u32 {
        self.readers.set_limit(limit).await
    }

    async fn close(&self) {
        self.probe.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[async_trait]
impl ChangeLog for SqliteStore {
    async fn identity(&self) -> Result<String, StoreError> {
        self.read("SELECT catalogue", async |db| changes::identity(db).await).await
    }

    async fn log_bounds(&self) -> Result<LogBounds, StoreError> {
        self.read("SELECT product_changes", async |db| changes::bounds(db).await).await
    }

    async fn changes(&self, after: u64, _missing: &[u64], limit: u32) -> Result<Vec<Change>, StoreError> {
        self.read("SELECT product_changes", async |db| changes::read(db, after, limit).await).await
    }

    async fn scan(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>, StoreError> {
        self.read("SELECT products", async |db| changes::scan(db, after, limit).await).await
    }

    async fn current(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.get_all(ids).await
    }

    async fn seeding(&self) -> Result<Option<SeedRun>, StoreError> {
        self.read("SELECT seed_run", async |db| bulk::recorded(db).await).await
    }

    async fn prune_log(&self) -> Result<u64, StoreError> {
        let bounds = self.log_bounds().await?;
        self.write("DELETE product_changes", async |db| changes::prune(db, bounds.first, bounds.last).await).await
    }
}

/// Applies what is missing of `migrations/sqlite`. SQLite's own locks do not cover the question
/// "what is missing", so a lock on a file beside the database does.
pub(super) async fn migrate(url: &DatabaseUrl) -> Result<(), StoreError> {
    let _lock = lock(url, "migrate").await?;
    let mut connection = connect(url).await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    Ok(())
}

/// A connection outside the pools, for work that takes its time.
pub(super) async fn connect(url: &DatabaseUrl) -> Result<SqliteConnection, StoreError> {
    // Its statements are slow by design: no warning about each.
    Ok(connect_options(url)?.disable_statement_logging().connect().await?)
}

/// Waits for the exclusive right to do `what` to the database, held until the file is dropped.
pub(super) async fn lock(url: &DatabaseUrl, what: &str) -> Result<File, StoreError> {
    let mut path = file(url)?.into_os_string();
    path.push(format!(".{what}.lock"));
    let path = PathBuf::from(path);
    let lock = move || {
        let refused = |source| StoreError::File { path: path.display().to_string(), source };
        let file = File::create(&path).map_err(refused)?;
        file.lock().map_err(refused)?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock).await.map_err(|_| StoreError::Unavailable(sqlx::Error::WorkerCrashed))?
}

/// The database's file, in a folder that is there.
fn file(url: &DatabaseUrl) -> Result<PathBuf, StoreError> {
    let options = SqliteConnectOptions::from_str(url.as_str())?;
    let path = options.get_filename();
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        std::fs::create_dir_all(folder)
            .map_err(|source| StoreError::File { path: folder.display().to_string(), source })?;
    }
    Ok(path.to_owned())
}

fn connect_options(url: &DatabaseUrl) -> Result<SqliteConnectOptions, StoreError> {
    file(url)?;
    Ok(SqliteConnectOptions::from_str(url.as_str())?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With a write-ahead log NORMAL keeps the file whole through a crash; a loss of power may
        // take the last transactions, never half of one.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        // 8 MiB each; the system's page cache holds the rest of the file for all of them.
        .pragma("cache_size", "-8192")
        .pragma("temp_store", "MEMORY"))
}
