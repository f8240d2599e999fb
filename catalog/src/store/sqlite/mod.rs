//! The embedded engine: one file, one writer, several readers (write-ahead log).

pub(super) mod bulk;
mod engine;
#[cfg(test)]
mod plan_tests;
mod pools;
#[allow(clippy::duplicate_mod, reason = "the statements are written once and compiled for each engine")]
#[path = "../sql/mod.rs"]
mod sql;
mod time_limit;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use super::{DatabaseUrl, Options, StoreError};
use pools::Pools;

pub(super) use sql::SqlStore as SqliteStore;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite");

/// How long a writer waits for another process' transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl SqliteStore {
    /// Opens the store at `url`, and creates its file if there is none.
    pub(super) async fn open(url: &DatabaseUrl, options: &Options) -> Result<Self, StoreError> {
        Ok(Self::new(Pools::open(connect_options(url)?, options).await?, options.listeners.clone()))
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

/// Opens a connection outside the pools, for work that takes its time.
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
