//! Writing through the catalogue.

use std::sync::Arc;

use tracing::Instrument as _;

use crate::store::{Store, StoreError};
use crate::{Catalogue, NewProduct, Product, ProductId, ProductPatch, Timestamp, Version};

/// Each call goes to its end, also when its caller goes away: between a commit and what has to be told
/// of it there must be nobody who can hang up.
impl Catalogue {
    /// Keeps a new product, made `now`; see [`Store::create`].
    pub async fn create(&self, details: NewProduct, now: Timestamp) -> Result<Product, StoreError> {
        self.to_the_end(|store| async move { store.create(details, now).await }).await
    }

    /// Changes the product `id`; see [`Store::update`].
    pub async fn update(
        &self,
        id: ProductId,
        patch: ProductPatch,
        expected: Option<Vec<Version>>,
        now: Timestamp,
    ) -> Result<Product, StoreError> {
        self.to_the_end(move |store| async move { store.update(id, patch, expected.as_deref(), now).await }).await
    }

    /// Removes the product `id`; see [`Store::delete`].
    pub async fn delete(&self, id: ProductId, expected: Option<Vec<Version>>) -> Result<(), StoreError> {
        self.to_the_end(move |store| async move { store.delete(id, expected.as_deref()).await }).await
    }

    /// Runs `write` in a task of its own.
    pub async fn to_the_end<T, F>(&self, write: impl FnOnce(Arc<dyn Store>) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        // Made here, where it is a part of what is under way; the task has no other way to know.
        let span = tracing::debug_span!("write");
        match tokio::spawn(write(self.shared_store()).instrument(span)).await {
            Ok(outcome) => outcome,
            // It panicked, or the runtime is ending.
            Err(_) => Err(StoreError::broke_off()),
        }
    }
}
