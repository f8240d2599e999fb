//! Syncs with suppliers: one at a time for each, lent to whoever works on it, and each page's products in
//! the transaction that says that the page is in.

use std::collections::HashMap;

use async_trait::async_trait;

use super::StoreError;
use super::changes::Change;
use super::inbox::Applying;
use crate::inbox::{ProductRef, SourceName};
use crate::supply::{Claim, Counts, Offer, Progress, Sync, SyncId, SyncState};
use crate::{ExternalId, Product, ProductPatch, Timestamp};

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
const ATTEMPTS: u32 = 5;
/// What fits the column.
const ERROR_CHARS: usize = 500;

/// To whom the sync of a supplier is lent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lending {
    pub(super) sync: Option<SyncId>,
    pub(super) fence: u64,
    pub(super) until: Timestamp,
}

/// What syncs need of their engine, all inside one transaction.
#[async_trait]
pub(super) trait Ledger: Applying {
    /// The lending of `supplier`, locked against others.
    async fn lending(&mut self, supplier: &SourceName, now: Timestamp) -> Result<Lending, StoreError>;
    /// Writes it.
    async fn lend(&mut self, supplier: &SourceName, lending: &Lending) -> Result<(), StoreError>;
    /// Keeps a new sync.
    async fn add(&mut self, supplier: &SourceName, now: Timestamp) -> Result<Sync, StoreError>;
    /// The sync `id`.
    async fn find(&mut self, supplier: &SourceName, id: SyncId) -> Result<Option<Sync>, StoreError>;
    /// Writes it.
    async fn put(&mut self, sync: &Sync) -> Result<(), StoreError>;
    /// The products that `supplier` offers as `offers`, as they are now, by what it calls them.
    async fn offered(
        &mut self,
        supplier: &SourceName,
        offers: &[Offer],
    ) -> Result<HashMap<ExternalId, Product>, StoreError>;
}

pub(super) async fn request(
    ledger: &mut impl Ledger,
    supplier: &SourceName,
    now: Timestamp,
) -> Result<(Sync, bool), StoreError> {
    let lending = ledger.lending(supplier, now).await?;
    if let Some(id) = lending.sync
        && let Some(sync) = ledger.find(supplier, id).await?
    {
        return Ok((sync, false));
    }
    let sync = ledger.add(supplier, now).await?;
    ledger.lend(supplier, &Lending { sync: Some(sync.id), until: now, ..lending }).await?;
    Ok((sync, true))
}

pub(super) async fn claim(
    ledger: &mut impl Ledger,
    supplier: &SourceName,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Claim>, StoreError> {
    let lending = ledger.lending(supplier, now).await?;
    let Some(id) = lending.sync.filter(|_| lending.until <= now) else { return Ok(None) };
    // Whoever had it before is shut out from here on.
    let fence = lending.fence + 1;
    let Some(mut sync) = ledger.find(supplier, id).await? else {
        ledger.lend(supplier, &Lending { sync: None, fence, until: now }).await?;
        return Ok(None);
    };
    if sync.attempts >= ATTEMPTS {
        let why = format!("it broke off {ATTEMPTS} times without a page coming in");
        finish(ledger, Lending { fence, ..lending }, sync, Some(&why), now).await?;
        return Ok(None);
    }
    sync.state = SyncState::Running;
    sync.started_at.get_or_insert(now);
    sync.attempts += 1;
    ledger.put(&sync).await?;
    ledger.lend(supplier, &Lending { sync: Some(id), fence, until }).await?;
    Ok(Some(Claim { sync, fence }))
}

/// The lending behind `claim` and its sync, if it still holds.
async fn held(ledger: &mut impl Ledger, claim: &Claim, now: Timestamp) -> Result<Option<(Lending, Sync)>, StoreError> {
    let Sync { supplier, id, .. } = &claim.sync;
    let lending = ledger.lending(supplier, now).await?;
    if lending.fence != claim.fence || lending.sync != Some(*id) {
        return Ok(None);
    }
    Ok(ledger.find(supplier, *id).await?.map(|sync| (lending, sync)))
}

pub(super) async fn take(
    ledger: &mut impl Ledger,
    claim: &Claim,
    (offers, progress): (Vec<Offer>, Option<Progress>),
    now: Timestamp,
    until: Timestamp,
) -> Result<(Option<Sync>, Vec<Change>), StoreError> {
    let Some((lending, mut sync)) = held(ledger, claim, now).await? else { return Ok((None, Vec::new())) };
    let (counts, changes) = apply(ledger, &sync.supplier, offers, now).await?;
    sync.counts += counts;
    if let Some(progress) = progress {
        sync.counts.failed += progress.failed;
        sync.pages += 1;
        sync.cursor = progress.next;
        sync.attempts = 0;
    }
    ledger.put(&sync).await?;
    ledger.lend(&sync.supplier, &Lending { until, ..lending }).await?;
    Ok((Some(sync), changes))
}

/// Makes the products as offered.
async fn apply(
    ledger: &mut impl Ledger,
    supplier: &SourceName,
    mut offers: Vec<Offer>,
    now: Timestamp,
) -> Result<(Counts, Vec<Change>), StoreError> {
    let (mut counts, mut changes) = (Counts::default(), Vec::new());
    // Most offers are as they were: one look at all of them, without a lock, finds the others.
    let known = ledger.offered(supplier, &offers).await?;
    // In one order for all writers, so that two of them do not wait for each other.
    offers.sort_by(|a, b| a.external.cmp(&b.external));
    for Offer { external, details } in offers {
        if known.get(&external).is_some_and(|product| product.details == details) {
            counts.unchanged += 1;
            continue;
        }
        let product = ProductRef::External(external.clone());
        match ledger.locate(supplier, &product).await? {
            Some(before) => match ledger.update(before, ProductPatch::from(details), now).await? {
                (_, Some(change)) => {
                    counts.changed += 1;
                    changes.push(change);
                }
                (_, None) => counts.unchanged += 1,
            },
            None => {
                let (made, change) = ledger.create(details, now).await?;
                ledger.point(supplier, &external, Some(made.id)).await?;
                counts.made += 1;
                changes.push(change);
            }
        }
    }
    Ok((counts, changes))
}

pub(super) async fn end(
    ledger: &mut impl Ledger,
    claim: &Claim,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match held(ledger, claim, now).await? {
        Some((lending, sync)) => finish(ledger, lending, sync, error, now).await,
        None => Ok(()),
    }
}

async fn finish(
    ledger: &mut impl Ledger,
    lending: Lending,
    mut sync: Sync,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sync.state = if error.is_some() { SyncState::Failed } else { SyncState::Done };
    sync.error = error.unwrap_or_default().chars().take(ERROR_CHARS).collect();
    sync.finished_at = Some(now);
    ledger.put(&sync).await?;
    ledger.lend(&sync.supplier, &Lending { sync: None, until: now, ..lending }).await
}

pub(super) async fn release(ledger: &mut impl Ledger, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
    let Some((lending, mut sync)) = held(ledger, claim, now).await? else { return Ok(()) };
    // It did not break off.
    sync.attempts = sync.attempts.saturating_sub(1);
    ledger.put(&sync).await?;
    ledger.lend(&sync.supplier, &Lending { until: now, ..lending }).await
}
