//! The products: [`Store`] on one engine.

use async_trait::async_trait;

use super::{SqlStore, read, write};
use crate::idempotency::{Claim, KeptAnswer, Render};
use crate::store::{PoolStatus, Store, StoreError};
use crate::{
    Category, Filter, Limit, NewProduct, Page, Position, Product, ProductId, ProductPatch, Query, Timestamp, Total,
    Version,
};

#[async_trait]
impl Store for SqlStore {
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
        self.write_products("INSERT products", async |to| write::create(to, &details, now).await).await
    }

    async fn create_once(
        &self,
        claim: &Claim,
        details: NewProduct,
        now: Timestamp,
        render: &Render,
    ) -> Result<KeptAnswer, StoreError> {
        self.write_products("INSERT products", async |to| write::create_once(to, claim, &details, now, render).await)
            .await
    }

    async fn update(
        &self,
        id: ProductId,
        patch: ProductPatch,
        expected: Option<&[Version]>,
        now: Timestamp,
    ) -> Result<Product, StoreError> {
        self.write_products("UPDATE products", async |to| write::update(to, id, &patch, expected, now).await).await
    }

    async fn delete(&self, id: ProductId, expected: Option<&[Version]>) -> Result<(), StoreError> {
        self.write_products("DELETE products", async |to| write::delete(to, id, expected).await).await
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
