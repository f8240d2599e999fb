//! Where products are kept: one trait, two engines, each with its own SQL.

pub mod backlog;
pub mod bulk;
pub mod changes;
mod error;
pub mod gate;
pub mod idempotency;
pub mod inbox;
mod mysql;
pub mod oauth;
mod observed;
pub mod observer;
pub mod outbox;
#[cfg(test)]
mod plan_cases;
mod pool;
mod sqlite;
pub mod subscriptions;
pub mod syncs;
mod tail;
pub mod trace;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::once::{Claim, KeptAnswer, Render};
use crate::{
    Category, Filter, Limit, NewProduct, Page, Position, Product, ProductId, ProductPatch, Query, Timestamp, Total,
    Version,
};

pub use backlog::{Backlog, Backlogs};
pub use changes::{Change, ChangeLog, Listener, Listeners};
pub use error::StoreError;
pub use idempotency::Idempotency;
pub use inbox::Inbox;
pub use oauth::OAuthStore;
pub use observer::{Observer, Pool, PoolStatus, Unobserved};
pub use outbox::Outbox;
pub use subscriptions::Subscriptions;
pub use syncs::Syncs;
pub use tail::Tail;

/// A catalogue that lasts. Every call is bounded in time: by waiting for a connection
/// ([`StoreError::Busy`]) and by the statement time limit ([`StoreError::TimeLimit`]).
#[async_trait]
pub trait Store: ChangeLog + Inbox + Idempotency + OAuthStore + Syncs + Subscriptions + Outbox + Backlogs {
    /// The page of `query` behind `after`, or the first one. Queries with a search go to the search index instead.
    async fn list(&self, query: &Query, after: Option<&Position>, limit: Limit) -> Result<Page, StoreError>;

    /// How many products `filter` leaves, counted up to [`Total::CAP`].
    async fn total(&self, filter: &Filter) -> Result<Total, StoreError>;

    /// The product `id`.
    async fn get(&self, id: ProductId) -> Result<Product, StoreError>;

    /// The products `ids`, at most [`Limit::MAX`], in their order; what is gone is left out.
    async fn get_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError>;

    /// Keeps a new product, made `now`.
    async fn create(&self, details: NewProduct, now: Timestamp) -> Result<Product, StoreError>;

    /// Keeps a new product, made `now`, and the answer that `render` makes of it, in one transaction, if `claim`
    /// still holds ([`StoreError::Overtaken`]).
    async fn create_once(
        &self,
        claim: &Claim,
        details: NewProduct,
        now: Timestamp,
        render: &Render,
    ) -> Result<KeptAnswer, StoreError>;

    /// Changes the product `id`, if one of `expected` is its version (any, when `None`). A patch that
    /// changes nothing leaves version and time as they are.
    async fn update(
        &self,
        id: ProductId,
        patch: ProductPatch,
        expected: Option<&[Version]>,
        now: Timestamp,
    ) -> Result<Product, StoreError>;

    /// Removes the product `id`, if one of `expected` is its version (any, when `None`).
    async fn delete(&self, id: ProductId, expected: Option<&[Version]>) -> Result<(), StoreError>;

    /// Every category that has products, by name, with their number.
    async fn categories(&self) -> Result<Vec<(Category, u64)>, StoreError>;

    /// Notes that another process has written: what is read next must not come from a replica that
    /// may not have it yet.
    fn wrote_elsewhere(&self) {}

    /// Whether the catalogue can be read, asked over a connection of its own, so that a full pool does
    /// not look like a lost database.
    async fn ping(&self) -> Result<(), StoreError>;

    /// How the pools stand.
    fn pools(&self) -> Vec<PoolStatus> {
        Vec::new()
    }

    /// Lets the pool of the primary have up to `limit` connections from now on, at least 1 and at most
    /// [`Options::max_connections_ceiling`]; gives what it has become. More may be opened at once; what is too much
    /// is closed at once if nobody uses it, and as it comes back otherwise.
    async fn set_limit(&self, limit: u32) -> u32;

    /// Closes all connections, after the statements that run.
    async fn close(&self);
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections to each server at the most (SQLite: readers); see [`Store::set_limit`].
    pub max_connections: u32,
    /// What that can be raised to while serving.
    pub max_connections_ceiling: u32,
    /// Calls that may wait for a connection of a pool; further ones are refused at once ([`StoreError::Busy`]).
    pub max_waiting: usize,
    /// How long a call waits for a free connection.
    pub acquire_timeout: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// How long after a write of this process its reads go to the primary rather than the replica.
    pub replica_lag: Duration,
    /// Who is told of each write of this store.
    pub listeners: Listeners,
    /// Who watches it at work.
    pub observer: Arc<dyn Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 10,
            max_connections_ceiling: 200,
            max_waiting: 1_000,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(2),
            replica_lag: Duration::from_secs(2),
            listeners: Listeners::default(),
            observer: Arc::new(Unobserved),
        }
    }
}

impl Options {
    /// The ceiling, which is no lower than where it starts.
    fn ceiling(&self) -> u32 {
        self.max_connections_ceiling.max(self.max_connections)
    }
}

/// A database by its URL; `Debug` and `Display` hide the password.
#[derive(Clone)]
pub struct DatabaseUrl(url::Url);

/// The engines, told apart by the URL's scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// `sqlite:path/to/file.db`
    Sqlite,
    /// `mysql://` or `mariadb://user:password@host:port/database`
    Mysql,
}

impl DatabaseUrl {
    /// The engine the scheme names.
    pub fn engine(&self) -> Engine {
        if self.0.scheme() == "sqlite" { Engine::Sqlite } else { Engine::Mysql }
    }

    fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        // Never repeat the text: it may hold a password.
        let wrong = || {
            StoreError::Url(
                "must be a URL such as mysql://user:password@host:3306/farmlokal or sqlite:data/farmlokal.db".into(),
            )
        };
        let url: url::Url = text.parse().map_err(|_| wrong())?;
        let has_database = !url.path().trim_start_matches('/').is_empty();
        match url.scheme() {
            "sqlite" if has_database => Ok(Self(url)),
            "mysql" | "mariadb" if has_database && url.has_host() => Ok(Self(url)),
            _ => Err(wrong()),
        }
    }
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        if shown.password().is_some() {
            // Cannot fail: a URL that has a password can have another one.
            let _ = shown.set_password(Some("***"));
        }
        f.write_str(shown.as_str())
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Opens the store at `url`; reads may go to `replica` (MySQL only). Connects lazily: a server that
/// is away shows at the first call.
pub async fn open(
    url: &DatabaseUrl,
    replica: Option<&DatabaseUrl>,
    options: &Options,
) -> Result<Arc<dyn Store>, StoreError> {
    match (url.engine(), replica) {
        (Engine::Sqlite, None) => Ok(Arc::new(sqlite::SqliteStore::open(url, options).await?)),
        (Engine::Mysql, None) => Ok(Arc::new(mysql::MysqlStore::open(url, None, options)?)),
        (Engine::Mysql, Some(replica)) if replica.engine() == Engine::Mysql => {
            Ok(Arc::new(mysql::MysqlStore::open(url, Some(replica), options)?))
        }
        _ => Err(StoreError::Url("a read replica needs MySQL or MariaDB on both sides".into())),
    }
}

/// Brings the tables at `url` up to date. Safe to run from several processes at once, and again
/// after it was killed.
pub async fn migrate(url: &DatabaseUrl) -> Result<(), StoreError> {
    match url.engine() {
        Engine::Sqlite => sqlite::migrate(url).await,
        Engine::Mysql => mysql::migrate(url).await,
    }
}

/// Waits until the server at `url` takes connections, at most `patience`; then the last refusal.
pub async fn wait_for(url: &DatabaseUrl, patience: Duration) -> Result<(), StoreError> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let refusal = match url.engine() {
            Engine::Sqlite => return Ok(()),
            Engine::Mysql => match mysql::connect(url).await {
                Ok(_) => return Ok(()),
                Err(refusal) => refusal,
            },
        };
        if tokio::time::Instant::now() >= deadline {
            return Err(refusal);
        }
        tracing::info!(database = %url, "waiting for the database: {refusal}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Refuses to go on when `expected` names versions and `product` has none of them.
fn precondition(product: &Product, expected: Option<&[Version]>) -> Result<(), StoreError> {
    match expected {
        Some(versions) if !versions.contains(&product.version) => {
            Err(StoreError::VersionMismatch { current: product.version })
        }
        _ => Ok(()),
    }
}
