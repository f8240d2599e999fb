//! MySQL 8 and later, MariaDB 10.6 and later, with an optional read replica.

mod applying;
mod backlog;
pub(super) mod bulk;
mod changes;
mod external;
mod idempotency;
mod inbox;
mod lease;
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

use super::changes::{Change, ChangeLog, Listeners, LogBounds};
use super::{DatabaseUrl, Options, Store, StoreError};
use crate::once::{Claim, KeptAnswer, Render};
use crate::{
    Category, Filter, Limit, NewProduct, Page, Position, Product, ProductId, ProductPatch, Query, SearchText,
    Timestamp, Total, Version,
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
}

#[async_trait]
impl Store for MysqlStore {
    async fn list(&self, query: &Query, after: Option<&Position>, limit: Limit) -> Result<Page, StoreError> {
        let mut lease = self.pools.read().await?;
        let page = self.pools.bounded(read::list(&mut lease, query, after, limit)).await;
        lease.end(page)
    }

    async fn total(&self, filter: &Filter, search: Option<&SearchText>) -> Result<Total, StoreError> {
        let mut lease = self.pools.read().await?;
        let total = self.pools.bounded(read::total(&mut lease, filter, search)).await;
        lease.end(total)
    }

    async fn get(&self, id: ProductId) -> Result<Product, StoreError> {
        let mut lease = self.pools.read().await?;
        let product = self.pools.bounded(read::get(&mut lease, id)).await;
        lease.end(product)
    }

    async fn get_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        let mut lease = self.pools.read().await?;
        let products = self.pools.bounded(read::get_all(&mut lease, ids)).await;
        lease.end(products)
    }

    async fn create(&self, details: NewProduct, now: Timestamp) -> Result<Product, StoreError> {
        let mut lease = self.pools.write().await?;
        let product = self.pools.bounded(write::create(&mut lease, details, now)).await;
        self.pools.wrote();
        Ok(self.listeners.tell(lease.end(product)?).await)
    }

    async fn create_once(
        &self,
        claim: &Claim,
        details: NewProduct,
        now: Timestamp,
        render: &Render,
    ) -> Result<KeptAnswer, StoreError> {
        let mut lease = self.pools.write().await?;
        let answer = self.pools.bounded(write::create_once(&mut lease, claim, details, now, render)).await;
        self.pools.wrote();
        Ok(self.listeners.tell(lease.end(answer)?).await)
    }

    async fn update(
        &self,
        id: ProductId,
        patch: ProductPatch,
        expected: Option<&[Version]>,
        now: Timestamp,
    ) -> Result<Product, StoreError> {
        let mut lease = self.pools.write().await?;
        let product = self.pools.bounded(write::update(&mut lease, id, patch, expected, now)).await;
        self.pools.wrote();
        Ok(self.listeners.tell(lease.end(product)?).await)
    }

    async fn delete(&self, id: ProductId, expected: Option<&[Version]>) -> Result<(), StoreError> {
        let mut lease = self.pools.write().await?;
        let deleted = self.pools.bounded(write::delete(&mut lease, id, expected)).await;
        self.pools.wrote();
        self.listeners.tell(lease.end(deleted)?).await;
        Ok(())
    }

    async fn categories(&self) -> Result<Vec<(Category, u64)>, StoreError> {
        let mut lease = self.pools.read().await?;
        let categories = self.pools.bounded(read::categories(&mut lease)).await;
        lease.end(categories)
    }

    fn wrote_elsewhere(&self) {
        self.pools.wrote();
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let mut lease = self.pools.probe().await?;
        let asked = self.pools.bounded(read::ping(&mut lease)).await;
        lease.end(asked)
    }

    async fn close(&self) {
        self.pools.close().await;
    }
}

#[async_trait]
impl ChangeLog for MysqlStore {
    async fn identity(&self) -> Result<String, StoreError> {
        let mut lease = self.pools.primary().await?;
        let outcome = self.pools.bounded(changes::identity(&mut lease)).await;
        lease.end(outcome)
    }

    async fn log_bounds(&self) -> Result<LogBounds, StoreError> {
        let mut lease = self.pools.primary().await?;
        let outcome = self.pools.bounded(changes::bounds(&mut lease)).await;
        lease.end(outcome)
    }

    async fn changes(&self, after: u64, missing: &[u64], limit: u32) -> Result<Vec<Change>, StoreError> {
        let mut lease = self.pools.primary().await?;
        let outcome = self.pools.bounded(changes::read(&mut lease, after, missing, limit)).await;
        lease.end(outcome)
    }

    async fn scan(&self, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>, StoreError> {
        let mut lease = self.pools.primary().await?;
        let outcome = self.pools.bounded(changes::scan(&mut lease, after, limit)).await;
        lease.end(outcome)
    }

    async fn current(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        let mut lease = self.pools.primary().await?;
        let outcome = self.pools.bounded(read::get_all(&mut lease, ids)).await;
        lease.end(outcome)
    }

    async fn prune_log(&self) -> Result<u64, StoreError> {
        let bounds = self.log_bounds().await?;
        let mut lease = self.pools.primary().await?;
        let pruned = self.pools.bounded(changes::prune(&mut lease, bounds.first, bounds.last)).await;
        lease.end(pruned)
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
    // The full text index keeps stop words: a person who types one must find it.
    sqlx::query("SET SESSION innodb_ft_enable_stopword = OFF").execute(&mut connection).await?;
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
