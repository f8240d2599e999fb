//! Filling an empty catalogue with very many products, and going on after an interruption.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{DatabaseUrl, Engine, StoreError, mysql, sqlite};
use crate::{Category, NewProduct, ProductId, Timestamp};

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

impl SeedRun {
    /// Goes on with this seeding, if it is the one that is asked for.
    pub(super) fn resume(self, seed: u64, wanted: u64) -> Result<Self, BulkError> {
        if (self.seed, self.wanted) == (seed, wanted) { Ok(self) } else { Err(BulkError::OtherRun(self)) }
    }
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

    /// Records a new seeding in an empty catalogue, and puts secondary indexes aside: they are built at once at the
    /// end, from the definitions the database itself gives.
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

/// Where a batch begins: the number of products before it, and of those after it. Refuses a batch with gaps.
pub(super) fn span(products: &[BulkProduct]) -> Result<(i64, i64), StoreError> {
    let first = products.first().map_or(1, |product| product.id.get());
    let ids = products.iter().map(|product| product.id.get());
    if !ids.eq(first..first + products.len() as i64) {
        return Err(out_of_order());
    }
    Ok((first - 1, first - 1 + products.len() as i64))
}

/// A batch that does not follow the ones before it.
pub(super) fn out_of_order() -> StoreError {
    StoreError::Database(sqlx::Error::InvalidArgument("the batch does not go on where the seeding stands".into()))
}

/// How many of `products` each category gets, in the order in which all writers lock categories.
pub(super) fn per_category(products: &[BulkProduct]) -> BTreeMap<&Category, i64> {
    let mut counts = BTreeMap::new();
    for product in products {
        *counts.entry(&product.details.category).or_default() += 1;
    }
    counts
}
