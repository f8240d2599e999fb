//! What applying an event does, in this engine's SQL.

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;

use super::row::datetime;
use super::{external, read, write};
use crate::inbox::{Aspect, ProductRef, Seen, SourceName, Stamp};
use crate::store::StoreError;
use crate::store::changes::{Change, Written};
use crate::store::inbox::Applying;
use crate::{ExternalId, NewProduct, Product, ProductId, ProductPatch, Timestamp};

/// A connection inside the transaction that applies an event.
pub(super) struct Transaction<'a>(pub(super) &'a mut MySqlConnection);

#[async_trait]
impl Applying for Transaction<'_> {
    async fn locate(&mut self, source: &SourceName, product: &ProductRef) -> Result<Option<Product>, StoreError> {
        let id = match product {
            ProductRef::Id(id) => Some(*id),
            ProductRef::External(external) => external::lock(self.0, source, external).await?,
        };
        let Some(id) = id else { return Ok(None) };
        match read::get_locked(self.0, id).await {
            Ok(product) => Ok(Some(product)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn seen(&mut self, source: &SourceName, key: &str) -> Result<Seen, StoreError> {
        let rows = sqlx::query("SELECT aspect, at, number FROM applied_events WHERE source = ? AND product_key = ?")
            .bind(source.as_str())
            .bind(key)
            .fetch_all(&mut *self.0)
            .await?;
        let mut seen = Seen::default();
        for row in &rows {
            let (name, number): (&str, i64) = (row.try_get(0)?, row.try_get(2)?);
            let at = Timestamp::from(row.try_get::<chrono::DateTime<chrono::Utc>, _>(1)?);
            if let Some(aspect) = Aspect::ALL.into_iter().find(|aspect| aspect.as_str() == name) {
                seen.note(aspect, Stamp { at, number: number.cast_unsigned() });
            }
        }
        Ok(seen)
    }

    async fn note(&mut self, source: &SourceName, key: &str, aspect: Aspect, stamp: Stamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO applied_events (source, product_key, aspect, at, number) VALUES (?, ?, ?, ?, ?) \
             ON DUPLICATE KEY UPDATE at = VALUES (at), number = VALUES (number)",
        )
        .bind(source.as_str())
        .bind(key)
        .bind(aspect.as_str())
        .bind(datetime(stamp.at))
        .bind(stamp.number.cast_signed())
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    async fn create(&mut self, details: NewProduct, now: Timestamp) -> Result<(Product, Change), StoreError> {
        write::create_in(self.0, details, now).await
    }

    async fn update(
        &mut self,
        before: Product,
        patch: ProductPatch,
        now: Timestamp,
    ) -> Result<Written<Product>, StoreError> {
        write::update_in(self.0, before, patch, now).await
    }

    async fn delete(&mut self, before: &Product) -> Result<Change, StoreError> {
        write::delete_in(self.0, before).await
    }

    async fn point(
        &mut self,
        source: &SourceName,
        external: &ExternalId,
        product: Option<ProductId>,
    ) -> Result<(), StoreError> {
        external::point(self.0, source, external, product).await
    }
}
