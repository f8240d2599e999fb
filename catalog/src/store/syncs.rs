//! Syncs with suppliers: one at a time for each, lent to whoever works on it, and each page's products in
//! the transaction that says that the page is in.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::inbox::SourceName;
use crate::supply::{Claim, Offer, Progress, Sync, SyncId};

/// Pulls of what suppliers offer.
#[async_trait]
pub trait Syncs: Send + std::marker::Sync {
    /// The sync of `supplier` that is under way, or else a new one; whether it is new.
    async fn request_sync(&self, supplier: &SourceName, now: Timestamp) -> Result<(Sync, bool), StoreError>;

    /// Lends the sync of `supplier` that is under way until `until`, if nobody has it `now`. One that was
    /// begun too often and brought no page is ended instead.
    async fn claim_sync(
        &self,
        supplier: &SourceName,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError>;

    /// Makes the products as offered, at most [`BATCH`] of them, writing only what differs, notes in the same
    /// transaction what became of them and what `progress` says, and lends the sync until `until`. The sync
    /// as it is then; `None` when it is lent to somebody else, and nothing was written.
    async fn take_offers(
        &self,
        claim: &Claim,
        offers: Vec<Offer>,
        progress: Option<Progress>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Sync>, StoreError>;

    /// Ends the sync: done, or failed for the reason `error`. Nothing happens when it is lent to somebody else.
    async fn end_sync(&self, claim: &Claim, error: Option<&str>, now: Timestamp) -> Result<(), StoreError>;

    /// Gives the sync back, for the next one who asks. Nothing happens when it is lent to somebody else.
    async fn release_sync(&self, claim: &Claim, now: Timestamp) -> Result<(), StoreError>;

    /// The sync `id` of `supplier`.
    async fn sync(&self, supplier: &SourceName, id: SyncId) -> Result<Option<Sync>, StoreError>;

    /// The latest sync of `supplier`.
    async fn last_sync(&self, supplier: &SourceName) -> Result<Option<Sync>, StoreError>;
}

/// The offers of one transaction at the most.
pub const BATCH: usize = 100;
/// How often a sync is begun without a page coming in.
pub(super) const ATTEMPTS: u32 = 5;
/// What fits the column.
const ERROR_CHARS: usize = 500;

/// `error`, cut to what its column holds.
pub(super) fn cut(error: &str) -> String {
    error.chars().take(ERROR_CHARS).collect()
}
