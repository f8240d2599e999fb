//! Filling an empty catalogue with very many products, and going on after an interruption.

use async_trait::async_trait;

use super::{DatabaseUrl, Engine, StoreError, mysql, sqlite};
use crate::{NewProduct, ProductId, Timestamp};

/// A product to be loaded: its number and moment are the generator's, not the database's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkProduct {
    /// Its number.
    pub id: ProductId,
    /// What it is.
    pub details: NewProduct,
    /// When it was made and last changed.
    pub created_at: Timestamp,
}

/// A seeding as the database records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedRun {
    /// The generator's seed.
    pub seed: u64,
    /// How many products it is to have in the end.
    pub wanted: u64,
    /// How many are there: the products 1 to `loaded`.
    pub loaded: u64,
    /// Whether the indexes are built as well.
    pub finished: bool,
}

/// Why a seeding cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// Somebody else's products are there.
    #[error("the catalogue already holds products that no seeding made; seed an empty database, or ask for 0 rows")]
    NotEmpty,
    /// Another seeding has begun here.
    #[error(
        "this database was seeded with --seed {} --rows {}; go on with the same values, or take an empty database",
        .0.seed, .0.wanted
    )]
    OtherRun(SeedRun),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The bulk path into one database. Holds a lock for as long as it lives: a second seeding waits.
#[async_trait]
pub trait BulkLoad: Send {
    /// The seeding that is recorded, if any.
    async fn recorded(&mut self) -> Result<Option<SeedRun>, StoreError>;

    /// Records a new seeding in an empty catalogue, and puts secondary indexes and full text aside:
    /// they are built at once at the end, from the definitions the database itself gives.
    async fn begin(&mut self, seed: u64, wanted: u64) -> Result<SeedRun, BulkError>;

    /// Keeps `products` and how far the seeding has come, in one transaction.
    async fn load(&mut self, products: &[BulkProduct]) -> Result<(), StoreError>;

    /// Builds what is still to be built and marks the seeding finished. Calls `step` with the name of
    /// each part before it is built, its number from 1, and the number of parts.
    async fn finish(&mut self, step: &(dyn for<'a> Fn(&'a str, usize, usize) + Send + Sync)) -> Result<(), StoreError>;
}

/// The bulk path into the migrated database at `url`.
pub async fn open(url: &DatabaseUrl) -> Result<Box<dyn BulkLoad>, StoreError> {
    Ok(match url.engine() {
        Engine::Sqlite => Box::new(sqlite::bulk::SqliteBulk::open(url).await?),
        Engine::Mysql => Box::new(mysql::bulk::MysqlBulk::open(url).await?),
    })
}
