//! Syncs with suppliers: one at a time for each, lent to the replica that works on it, and each page's products in the
//! transaction that says that the page is in.

use std::collections::HashMap;

use async_trait::async_trait;

use super::engine::Connection;
use super::listing::{Select, push_padded};
use super::row::Columns;
use super::sync_ledger::{self as ledger, Lending};
use super::transaction::Transaction;
use super::{SqlStore, external_ids, read, write};
use crate::inbox::{ProductRef, SourceName};
use crate::store::syncs::{ATTEMPTS, BATCH, cut};
use crate::store::{StoreError, Syncs};
use crate::supply::{Claim, Counts, Offer, Progress, Sync, SyncId, SyncState};
use crate::{ExternalId, Product, ProductId, ProductPatch, Timestamp};

#[async_trait]
impl Syncs for SqlStore {
    async fn request_sync(&self, supplier: &SourceName, now: Timestamp) -> Result<(Sync, bool), StoreError> {
        self.write("INSERT supplier_syncs", async |to| request(to.db, supplier, now).await).await
    }

    async fn claim_sync(
        &self,
        supplier: &SourceName,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        // Asked often, and so without a lock.
        let is_due = async |db: &mut Connection| ledger::is_due(db, supplier, now).await;
        if !self.pools.read_latest("SELECT supplier_leases", is_due).await? {
            return Ok(None);
        }
        self.write("UPDATE supplier_leases", async |to| claim(to.db, supplier, now, until).await).await
    }

    async fn take_offers(
        &self,
        claim: &Claim,
        offers: Vec<Offer>,
        progress: Option<Progress>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Sync>, StoreError> {
        let page = (offers.as_slice(), progress.as_ref());
        self.write_products("UPDATE supplier_syncs", async |to| take(to, claim, page, now, until).await).await
    }

    async fn end_sync(&self, claim: &Claim, error: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        self.write("UPDATE supplier_syncs", async |to| end(to.db, claim, error, now).await).await
    }

    async fn release_sync(&self, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
        self.write("UPDATE supplier_syncs", async |to| release(to.db, claim, now).await).await
    }

    async fn sync(&self, supplier: &SourceName, id: SyncId) -> Result<Option<Sync>, StoreError> {
        self.pools.read_latest("SELECT supplier_syncs", async |db| ledger::find(db, supplier, id).await).await
    }

    async fn last_sync(&self, supplier: &SourceName) -> Result<Option<Sync>, StoreError> {
        self.pools.read_latest("SELECT supplier_syncs", async |db| ledger::last(db, supplier).await).await
    }
}

async fn request(db: &mut Connection, supplier: &SourceName, now: Timestamp) -> Result<(Sync, bool), StoreError> {
    let lending = ledger::lending(db, supplier, now).await?;
    if let Some(id) = lending.sync
        && let Some(sync) = ledger::find(db, supplier, id).await?
    {
        return Ok((sync, false));
    }
    let sync = ledger::add(db, supplier, now).await?;
    ledger::lend(db, supplier, &Lending { sync: Some(sync.id), until: now, ..lending }).await?;
    Ok((sync, true))
}

async fn claim(
    db: &mut Connection,
    supplier: &SourceName,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Claim>, StoreError> {
    let lending = ledger::lending(db, supplier, now).await?;
    let Some(id) = lending.sync.filter(|_| lending.until <= now) else { return Ok(None) };
    // The borrower before is shut out from here on.
    let fence = lending.fence + 1;
    let Some(mut sync) = ledger::find(db, supplier, id).await? else {
        ledger::lend(db, supplier, &Lending { sync: None, fence, until: now }).await?;
        return Ok(None);
    };
    if sync.attempts >= ATTEMPTS {
        let why = format!("it broke off {ATTEMPTS} times without a page coming in");
        finish(db, Lending { fence, ..lending }, sync, Some(&why), now).await?;
        return Ok(None);
    }
    sync.state = SyncState::Running;
    sync.started_at.get_or_insert(now);
    sync.attempts += 1;
    ledger::put(db, &sync).await?;
    ledger::lend(db, supplier, &Lending { sync: Some(id), fence, until }).await?;
    Ok(Some(Claim { sync, fence }))
}

/// The lending behind `claim` and its sync, if it still holds.
async fn held(db: &mut Connection, claim: &Claim, now: Timestamp) -> Result<Option<(Lending, Sync)>, StoreError> {
    let Sync { supplier, id, .. } = &claim.sync;
    let lending = ledger::lending(db, supplier, now).await?;
    if lending.fence != claim.fence || lending.sync != Some(*id) {
        return Ok(None);
    }
    Ok(ledger::find(db, supplier, *id).await?.map(|sync| (lending, sync)))
}

async fn take(
    to: &mut Transaction<'_>,
    claim: &Claim,
    (offers, progress): (&[Offer], Option<&Progress>),
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Sync>, StoreError> {
    let Some((lending, mut sync)) = held(to.db, claim, now).await? else { return Ok(None) };
    sync.counts += apply(to, &sync.supplier, offers, now).await?;
    if let Some(progress) = progress {
        sync.counts.failed += progress.failed;
        sync.pages += 1;
        sync.cursor.clone_from(&progress.next);
        sync.attempts = 0;
    }
    ledger::put(to.db, &sync).await?;
    ledger::lend(to.db, &sync.supplier, &Lending { until, ..lending }).await?;
    Ok(Some(sync))
}

/// Makes the products as offered.
async fn apply(
    to: &mut Transaction<'_>,
    supplier: &SourceName,
    offers: &[Offer],
    now: Timestamp,
) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    // Most offers are as they were: one look at all of them, without a lock, finds the others.
    let known = offered(to.db, supplier, offers).await?;
    // In one order for all writers, so that two of them do not wait for each other.
    let mut offers: Vec<&Offer> = offers.iter().collect();
    offers.sort_by(|a, b| a.external.cmp(&b.external));
    for Offer { external, details } in offers {
        if known.get(external).is_some_and(|product| product.details == *details) {
            counts.unchanged += 1;
            continue;
        }
        let product = ProductRef::External(external.clone());
        match external_ids::locate(to.db, supplier, &product).await? {
            Some(before) => {
                let (_, changed) = write::replace(to, before, ProductPatch::from(details.clone()), now).await?;
                *(if changed { &mut counts.changed } else { &mut counts.unchanged }) += 1;
            }
            None => {
                let made = write::create(to, details, now).await?;
                external_ids::point(to.db, supplier, external, Some(made.id)).await?;
                counts.made += 1;
            }
        }
    }
    Ok(counts)
}

/// The products that `supplier` offers as `offers`, as they are now, by what it calls them.
async fn offered(
    db: &mut Connection,
    supplier: &SourceName,
    offers: &[Offer],
) -> Result<HashMap<ExternalId, Product>, StoreError> {
    if offers.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select =
        Select::new("SELECT product_id, external_id FROM external_products WHERE product_id IS NOT NULL AND source = ");
    select.push_bind(supplier.clone()).push(" AND external_id IN (");
    push_padded(&mut select, offers.iter().map(|offer| offer.external.clone()), BATCH);
    let rows = select.build().fetch_all(&mut *db).await?;
    let names = rows.iter().map(Columns::of).map(|row| Ok((row.get(0)?, row.get(1)?)));
    let mut names: HashMap<ProductId, ExternalId> = names.collect::<Result<_, StoreError>>()?;
    let ids: Vec<ProductId> = names.keys().copied().collect();
    let products = read::get_all(db, &ids).await?;
    Ok(products.into_iter().filter_map(|product| Some((names.remove(&product.id)?, product))).collect())
}

async fn end(db: &mut Connection, claim: &Claim, error: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
    match held(db, claim, now).await? {
        Some((lending, sync)) => finish(db, lending, sync, error, now).await,
        None => Ok(()),
    }
}

async fn finish(
    db: &mut Connection,
    lending: Lending,
    mut sync: Sync,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sync.state = if error.is_some() { SyncState::Failed } else { SyncState::Done };
    sync.error = cut(error.unwrap_or_default());
    sync.finished_at = Some(now);
    ledger::put(db, &sync).await?;
    ledger::lend(db, &sync.supplier, &Lending { sync: None, until: now, ..lending }).await
}

async fn release(db: &mut Connection, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
    let Some((lending, mut sync)) = held(db, claim, now).await? else { return Ok(()) };
    // It did not break off.
    sync.attempts = sync.attempts.saturating_sub(1);
    ledger::put(db, &sync).await?;
    ledger::lend(db, &sync.supplier, &Lending { until: now, ..lending }).await
}
