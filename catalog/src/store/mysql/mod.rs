//! MySQL 8 and later, MariaDB 10.6 and later, with an optional read replica.

pub(super) mod bulk;
mod engine;
mod killer;
#[cfg(test)]
mod plan_tests;
mod pools;
#[allow(clippy::duplicate_mod, reason = "the statements are written once and compiled for each engine")]
#[path = "../sql/mod.rs"]
mod sql;

use sqlx::migrate::MigrateError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{DatabaseUrl, Options, StoreError};
use pools::Pools;

pub(super) use sql::SqlStore as MysqlStore;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/mysql");

impl MysqlStore {
    /// Opens the store at `url`. Reads may go to `replica`.
    pub(super) fn open(
        url: &DatabaseUrl,
        replica: Option<&DatabaseUrl>,
        options: &Options,
    ) -> Result<Self, StoreError> {
        let replica = replica.map(connect_options).transpose()?;
        Ok(Self::new(Pools::open(connect_options(url)?, replica, options), options.listeners.clone()))
    }
}

/// Applies what is missing of `migrations/mysql`, one process at a time (a named lock, which the
/// server gives back when the connection ends, however it ends). MySQL cannot undo half a migration,
/// so ours can all be run again: one that was cut short is.
pub(super) async fn migrate(url: &DatabaseUrl) -> Result<(), StoreError> {
    let mut connection = connect(url).await?;
    // The name of a lock has at most 64 characters, and so has that of a database.
    let lock = sqlx::query_scalar("SELECT GET_LOCK(LEFT(CONCAT('farmlokal-migrate-', DATABASE()), 64), 3600)");
    let locked: Option<i64> = lock.fetch_one(&mut connection).await?;
    if locked != Some(1) {
        return Err(StoreError::Busy);
    }
    let mut result = MIGRATIONS.run_direct(None, &mut connection, false).await;
    if let Err(MigrateError::Dirty(version)) = result {
        tracing::warn!(version, "a migration was cut short; running it again");
        sqlx::query("DELETE FROM _sqlx_migrations WHERE version = ? AND NOT success")
            .bind(version)
            .execute(&mut connection)
            .await?;
        result = MIGRATIONS.run_direct(None, &mut connection, false).await;
    }
    connection.close().await?;
    Ok(result?)
}

/// Opens a connection outside the pools and without a time limit, for work that takes its time.
pub(super) async fn connect(url: &DatabaseUrl) -> Result<MySqlConnection, StoreError> {
    // Its statements are slow by design: no warning about each.
    Ok(connect_options(url)?.disable_statement_logging().connect().await?)
}

fn connect_options(url: &DatabaseUrl) -> Result<MySqlConnectOptions, StoreError> {
    url.as_str()
        .parse()
        .map_err(|_| StoreError::Url("the database URL has a part that MySQL connections do not know".into()))
}
