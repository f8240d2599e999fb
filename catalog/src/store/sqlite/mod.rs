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
mod reader;
mod row;
mod subscriptions;
mod syncs;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::changes::{Change, ChangeLog, Listeners, LogBounds};
use super::{DatabaseUrl, Options, Store, StoreError};
use crate::once::{Claim, KeptAnswer, Render};
use crate::{
    Category, Filter, Limit, NewProduct, Page, Position, Product, ProductId, ProductPatch, Query, SearchText,
    Timestamp, Total, Version,
};
use reader::Reader;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite");

/// How long a writer waits for another process' transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct SqliteStore {
    readers: SqlitePool,
    /// SQLite has one writer at a time; a queue here is fairer than retries on a busy file.
    writer: SqlitePool,
    /// For [`Store::ping`] alone.
    probe: SqlitePool,
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
        Ok(Self {
            readers: pool(options.max_connections).connect_lazy_with(query_only.clone()),
            writer,
            probe: pool(1).connect_lazy_with(query_only),
            statement_timeout: options.statement_timeout,
            listeners: options.listeners.clone(),
        })
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        Reader::take(&self.readers, self.statement_timeout).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn list(&self, query: &Query, after: Option<&Position>, limit: Limit) -> Result<Page, StoreError> {
        read::list(&mut *self.reader().await?, query, after, limit).await
    }

    async fn total(&self, filter: &Filter, search: Option<&SearchText>) -> Result<Total, StoreError> {
        read::total(&mut *self.reader().await?, filter, search).await
    }

    async fn get(&self, id: ProductId) -> Result<Product, StoreError> {
        read::get(&mut *self.reader().await?, id).await
    }

    async fn get_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        read::get_all(&mut *self.reader().await?, ids).await
    }

    async fn create(&self, details: NewProduct, now: Timestamp) -> Result<Product, StoreError> {
        Ok(self.listeners.tell(write::create(&self.writer, details, now).await?).await)
    }

    async fn create_once(
        &self,
        claim: &Claim,
        details: NewProduct,
        now: Timestamp,
        render: &Render,
    ) -> Result<KeptAnswer, StoreError> {
        Ok(self.listeners.tell(write::create_once(&self.writer, claim, details, now, render).await?).await)
    }

    async fn update(
        &self,
        id: ProductId,
        patch: ProductPatch,
        expected: Option<&[Version]>,
        now: Timestamp,
    ) -> Result<Product, StoreError> {
        Ok(self.listeners.tell(write::update(&self.writer, id, patch, expected, now).await?).await)
    }

    async fn delete(&self, id: ProductId, expected: Option<&[Version]>) -> Result<(), StoreError> {
        self.listeners.tell(write::delete(&self.writer, id, expected).await?).await;
        Ok(())
    }

    async fn categories(&self) -> Result<Vec<(Category, u64)>, StoreError> {
        read::categories(&mut *self.reader().await?).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT id FROM products LIMIT 1").fetch_optional(&self.probe).await?;
        Ok(())
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
        changes::identity(&mut *self.reader().await?).await
    }

    async fn log_bounds(&self) -> Result<LogBounds, StoreError> {
        changes::bounds(&mut *self.reader().await?).await
    }

    async fn changes(&self, after: u64, _missing: &[u64], limit: u32) -> Result<Vec<Change>, StoreError> {
        changes::read(&mut *self.reader().await?, after, limit).await
    }

    async fn scan(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>, StoreError> {
        changes::scan(&mut *self.reader().await?, after, limit).await
    }

    async fn current(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.get_all(ids).await
    }

    async fn prune_log(&self) -> Result<u64, StoreError> {
        let bounds = self.log_bounds().await?;
        changes::prune(&mut *self.writer.acquire().await?, bounds.first, bounds.last).await
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
