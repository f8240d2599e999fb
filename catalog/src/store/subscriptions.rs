//! Who is told of changes.

use async_trait::async_trait;

use super::StoreError;
use crate::idempotency::{Claim, KeptAnswer};
use crate::subscription::{Delivery, NewSubscription, Render, Subscription, SubscriptionId};
use crate::{Limit, Timestamp};

/// Subscriptions, and what their subscribers want to know of them.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    /// Keeps a new subscription, made `now`. Every change that is committed after this returns is passed on to it.
    async fn subscribe(&self, new: NewSubscription, now: Timestamp) -> Result<Subscription, StoreError>;

    /// The same with the answer that `render` makes of it, in one transaction, if `claim` still holds
    /// ([`StoreError::Overtaken`]).
    async fn subscribe_once(
        &self,
        claim: &Claim,
        new: NewSubscription,
        now: Timestamp,
        render: &Render,
    ) -> Result<KeptAnswer, StoreError>;

    /// Up to `limit` subscriptions that were made before `before`, newest first, and whether there are more.
    async fn subscriptions(
        &self,
        before: Option<SubscriptionId>,
        limit: Limit,
    ) -> Result<(Vec<Subscription>, bool), StoreError>;

    /// The subscription `id`.
    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, StoreError>;

    /// Up to `limit` deliveries to `id`, newest first.
    async fn deliveries(&self, id: SubscriptionId, limit: Limit) -> Result<Vec<Delivery>, StoreError>;

    /// Removes the subscription `id`; whether there was one. Nothing more is sent to it.
    async fn unsubscribe(&self, id: SubscriptionId) -> Result<bool, StoreError>;

    /// Has the subscription `id`, if it is disabled, told again: what has failed is tried anew, and what is waiting
    /// goes on. Gives it as it is then.
    async fn enable(&self, id: SubscriptionId, now: Timestamp) -> Result<Option<Subscription>, StoreError>;
}
