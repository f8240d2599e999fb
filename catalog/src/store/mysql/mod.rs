//! MySQL 8 and later, MariaDB 10.6 and later, with an optional read replica.

mod applying;
mod backlog;
pub(super) mod bulk;
mod changes;
mod external;
mod idempotency;
mod inbox;
mod killer;
mod listing;
mod oauth;
mod outbox;
#[cfg(test)]
mod plan_tests;
mod pools;
mod read;
mod row;
mod subscriptions;
mod syncs;
mod write;

use async_trait::async_trait;
use sqlx::migrate::MigrateError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::bulk::SeedRun;
use super::changes::{Change, ChangeLog, Listeners, LogBounds, Written};
use super::{DatabaseUrl, Options, PoolStatus, Store, StoreError};
use crate::once::{Claim, KeptAnswer, Render};
use crate::{
    Category, Filter, Limit, NewProduct, Page, Position, Product, ProductId, ProductPatch, Query, Timestamp, Total,
    Version,
};
use pools::Pools;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/mysql");

pub(super) struct MysqlStore {
    pools: Pools,
    listeners: Listeners,
}

impl MysqlStore {
    pub(super) fn open(
        url: &DatabaseUrl,
        replica: Option<&DatabaseUrl>,
        options: &Options,
    ) -> Result<Self, StoreError> {
        let replica = replica.map(connect_options).transpose()?;
        let pools = Pools::open(connect_options(url)?, replica, options);
        Ok(Self { pools, listeners: options.listeners.clone() })
    }

    /// Writes, and tells the listeners what was written.
    async fn written<T>(
        &self,
        summary: &'static str,
        call: impl AsyncFnOnce(&mut MySqlConnection) -> Result<Written<T>, StoreError>,
    ) -> Result<T, StoreError> {
        Ok(self.listeners.tell(self.pools.write(summary, call).await?).await)
    }
}

#[async_trait]
impl Store for MysqlStore {
    async fn list(&self, query: &Query, after: Option<&Position>, limit: Limit) -> Result<Page, StoreError> {
        self.pools.read("SELECT products", async |db| read::list(db, query, after, limit).await).await
    }

    async fn total(&self, filter: &Filter) -> Result<Total, StoreError> {
        self.pools.read("SELECT products", async |db| read::total(db, filter).await).await
    }

    async fn get(&self, id: ProductId) -> Result<Product, StoreError> {
        self.pools.read("SELECT products", async |db| read::get(db, id).await).await
    }

    async fn get_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.pools.read("SELECT products", async |db| read::get_all(db, ids).await).await
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
        self.pools.read("SELECT categories", async |db| read::categories(db).await).await
    }

    fn wrote_elsewhere(&self) {
        self.pools.wrote();
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.pools.probe("SELECT products", async |db| read::ping(db).await).await
    }

    fn pools(&self) -> Vec<PoolStatus> {
        self.pools.status()
    }

    async fn set_limit(&self, limit: u32) -> u32 {
        self.pools.set_limit(limit).await
    }

    async fn close(&self) {
        self.pools.close().await;
    }
}

#[async_trait]
impl ChangeLog for MysqlStore {
    async fn identity(&self) -> Result<String, StoreError> {
        self.pools.primary("SELECT catalogue", async |db| changes::identity(db).await).await
    }

    async fn log_bounds(&self) -> Result<LogBounds, StoreError> {
        self.pools.primary("SELECT product_changes", async |db| changes::bounds(db).await).await
    }

    async fn changes(&self, after: u64, missing: &[u64], limit: u32) -> Result<Vec<Change>, StoreError> {
        self.pools.primary("SELECT product_changes", async |db| changes::read(db, after, missing, limit).await).await
    }

    async fn scan(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>, StoreError> {
        self.pools.primary("SELECT products", async |db| changes::scan(db, after, limit).await).await
    }

    async fn current(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.pools.primary("SELECT products", async |db| read::get_all(db, ids).await).await
    }

    async fn seeding(&self) -> Result<Option<SeedRun>, StoreError> {
        self.pools.primary("SELECT seed_run", async |db| bulk::recorded(db).await).await
    }

    async fn prune_log(&self) -> Result<u64, StoreError> {
        let bounds = self.log_bounds().await?;
        self.pools
            .primary("DELETE product_changes", async |db| changes::prune(db, bounds.first, bounds.last).await)
            .await
    }
}

/// Applies what is missing of `migrations/mysql`, one process at a time (a named lock, which the
/// server gives back when the connection ends, however it ends). MySQL cannot undo half a migration,
/// so ours can all be run again: one that was cut short is.
pub(super) async fn migrate(url: &DatabaseUrl) -> Result<(), StoreError> {
    let mut connection = connect(url).await?;
    // A lock's name is 64 characters long at the most, and so is a database's.
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

/// A connection outside the pools and without a time limit, for work that takes its time.
pub(super) async fn connect(url: &DatabaseUrl) -> Result<MySqlConnection, StoreError> {
    // Its statements are slow by design: no warning about each.
    Ok(connect_options(url)?.disable_statement_logging().connect().await?)
}

fn connect_options(url: &DatabaseUrl) -> Result<MySqlConnectOptions, StoreError> {
    url.as_str()
        .parse()
        .map_err(|_| StoreError::Url("the database URL has a part that MySQL connections do not know".into()))
}
