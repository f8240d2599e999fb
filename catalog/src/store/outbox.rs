//! From the log of changes to the subscribers: each change becomes one delivery to each of them, in the
//! transaction that notes how far the log has been passed on.
//!
//! Who is subscribed is asked in that transaction, after the changes were read: a change that was committed after a
//! subscription is read after it, so the subscription is seen.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::idempotency::Owner;
use crate::subscription::{Due, Kinds, Outgoing, Settled, Subscription, SubscriptionId};

/// Deliveries, and how far the log of changes has become such.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Lends the passing on to `owner` until `until`, unless somebody else has it `now`: how far the log has been
    /// passed on. Its owner may ask again, to keep it, or to give it back.
    async fn lend_fan_out(&self, owner: Owner, now: Timestamp, until: Timestamp) -> Result<Option<u64>, StoreError>;

    /// Makes deliveries of `events` to those who want them, except of those that are deliveries already, and notes that
    /// the log has been passed on up to `position`. [`StoreError::Overtaken`] when it is not lent to `owner`: then
    /// nothing happens.
    async fn fan_out(&self, owner: Owner, position: u64, events: &[Outgoing], now: Timestamp)
    -> Result<(), StoreError>;

    /// The active subscriptions to which something is to be sent `now`.
    async fn waiting(&self, now: Timestamp) -> Result<Vec<SubscriptionId>, StoreError>;

    /// Puts up to `limit` deliveries to `id` that are due `now` into the hands of `owner` until `until`, longest due
    /// first; none if it is not active, or wants to be left alone.
    async fn take_deliveries(
        &self,
        id: SubscriptionId,
        owner: Owner,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Option<(Subscription, Vec<Due>)>, StoreError>;

    /// Notes what a try came to, if the delivery is still in the hands of `owner`; whether it is.
    async fn settle(&self, due: &Due, owner: Owner, settled: &Settled) -> Result<bool, StoreError>;

    /// Forgets deliveries that were made before `before`, a bounded number at a time; not those that are still to be
    /// sent to an active subscription.
    async fn prune_deliveries(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// Deliveries forgotten by one pruning.
pub(super) const PRUNE: u32 = 1_000;
/// Deliveries made by one statement.
pub(super) const CHUNK: usize = 200;
/// What fits the columns of outcomes and reasons.
const TEXT_CHARS: usize = 500;

/// Which of `events` go to which of `subscribers`: in the order of the events, since deliveries are made in it.
pub(super) fn addressed<'a>(subscribers: &[(i64, Kinds)], events: &'a [Outgoing]) -> Vec<(i64, &'a Outgoing)> {
    let mut addressed = Vec::new();
    for event in events {
        let wanting = subscribers.iter().filter(|(_, kinds)| kinds.include(event.kind));
        addressed.extend(wanting.map(|(id, _)| (*id, event)));
    }
    addressed
}

/// `text`, cut to what a column holds.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}
