//! Writing through the catalogue.

use std::sync::Arc;

use tracing::Instrument as _;

use crate::idempotency::{Claim, KeptAnswer, KeyedRequest, Once, Owner, Render, Turn};
use crate::store::{Store, StoreError};
use crate::subscription::{self, NewSubscription, Subscription};
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

    /// Keeps a new product and the answer, both or neither, unless the request was done before. Goes to its end, as
    /// every write does.
    pub async fn create_once(
        &self,
        request: (KeyedRequest, Owner),
        details: NewProduct,
        now: Timestamp,
        render: Box<Render>,
    ) -> Result<Once, StoreError> {
        self.to_the_end(move |store| {
            once(store, request, now, async move |store: Arc<dyn Store>, claim| {
                store.create_once(&claim, details, now, &*render).await
            })
        })
        .await
    }

    /// Keeps a new subscription, made `now`.
    pub async fn subscribe(&self, new: NewSubscription, now: Timestamp) -> Result<Subscription, StoreError> {
        self.to_the_end(move |store| async move { store.subscribe(new, now).await }).await
    }

    /// Keeps a new subscription and the answer, both or neither, unless the request was done before.
    pub async fn subscribe_once(
        &self,
        request: (KeyedRequest, Owner),
        new: NewSubscription,
        now: Timestamp,
        render: Box<subscription::Render>,
    ) -> Result<Once, StoreError> {
        self.to_the_end(move |store| {
            once(store, request, now, async move |store: Arc<dyn Store>, claim: Claim| {
                store.subscribe_once(&claim, new, now, &*render).await
            })
        })
        .await
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

/// Has `effect` done, unless it was done or is being done. `effect` keeps its answer under the claim it is given, in
/// its own transaction.
async fn once<F>(
    store: Arc<dyn Store>,
    (request, owner): (KeyedRequest, Owner),
    now: Timestamp,
    effect: impl FnOnce(Arc<dyn Store>, Claim) -> F,
) -> Result<Once, StoreError>
where
    F: Future<Output = Result<KeptAnswer, StoreError>>,
{
    let claim = match store.begin(request, owner, now).await? {
        Turn::Yours(claim) => claim,
        Turn::Done(answer) => return Ok(Once::Replayed(answer)),
        Turn::UnderWay => return Ok(Once::UnderWay),
        Turn::Mismatch => return Ok(Once::Mismatch),
    };
    match effect(Arc::clone(&store), claim).await {
        Ok(answer) => Ok(Once::Done(answer)),
        Err(StoreError::Overtaken) => Ok(Once::UnderWay),
        Err(error) => {
            // Should that fail as well, the lease ends it.
            let _ = store.give_up(&claim).await;
            Err(error)
        }
    }
}
