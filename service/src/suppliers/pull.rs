//! Pulling all that a supplier offers into the catalogue, in the background.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::store::syncs::BATCH;
use farmlokal_catalog::store::{Store, StoreError};
use farmlokal_catalog::supply::{Claim, Progress};
use farmlokal_catalog::{Catalogue, Timestamp};
use farmlokal_telemetry::{Kind, Root};
use opentelemetry::trace::SpanContext;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::page::Page;
use super::walk::{BadPaging, Walk};
use super::{Supplier, Suppliers, Synced};
use crate::clock::Clock;
use crate::outbound::Failure;

/// How often one looks for syncs that others asked for or left behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a batch is tried when the database is busy.
const STORE_TRIES: u32 = 5;

/// Why a pull ended before the last page.
#[derive(Debug, thiserror::Error)]
enum Ended {
    /// The supplier does not do its part.
    #[error("the supplier failed: {0}")]
    Supplier(#[from] Failure),
    /// Its pages lead nowhere.
    #[error("the supplier failed: {0}")]
    Paging(#[from] BadPaging),
    /// The database does not do its part: the sync stays, and goes on when its lease is over.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else has the sync now.
    #[error("it was lent to somebody else")]
    Lost,
    /// The process is ending.
    #[error("the process is ending")]
    Stopped,
}

/// Works on the syncs of all suppliers until told to end.
pub async fn run(suppliers: Arc<Suppliers>, catalogue: Catalogue, clock: Clock, stop: CancellationToken) {
    let mut loops = JoinSet::new();
    for supplier in suppliers.iter().cloned() {
        let puller = Puller { supplier, catalogue: catalogue.clone(), clock: Arc::clone(&clock), stop: stop.clone() };
        loops.spawn(puller.run());
    }
    while loops.join_next().await.is_some() {}
}

#[derive(Clone)]
struct Puller {
    supplier: Arc<Supplier>,
    catalogue: Catalogue,
    clock: Clock,
    stop: CancellationToken,
}

impl Puller {
    async fn run(self) {
        let name = self.supplier.name();
        while !self.stop.is_cancelled() {
            let now = (self.clock)();
            match self.store().claim_sync(name, now, self.until(now)).await {
                Ok(Some(claim)) => {
                    let puller = self.clone();
                    // In a task of its own: a panic is one sync's, and whoever finds it goes on with it.
                    if let Err(panic) = tokio::spawn(async move { puller.work(claim).await }).await {
                        tracing::error!(supplier = %name, "a sync broke off: {panic}");
                    }
                }
                Ok(None) => self.wait().await,
                Err(error) => {
                    tracing::warn!(supplier = %name, "cannot look for syncs: {error}");
                    self.wait().await;
                }
            }
        }
    }

    async fn wait(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.supplier.woken() => {}
            () = sleep(LOOK_EVERY) => {}
        }
    }

    /// Pulls, and says what came of it.
    async fn work(&self, claim: Claim) {
        let (id, name) = (claim.sync.id, self.supplier.name());
        let outcome = self.pull(&claim).await;
        self.supplier.syncs().add(match outcome {
            Ok(()) => Synced::Done,
            Err(Ended::Supplier(_) | Ended::Paging(_)) => Synced::Failed,
            Err(Ended::Store(_) | Ended::Lost | Ended::Stopped) => Synced::Left,
        });
        let now = (self.clock)();
        let said = match &outcome {
            Ok(()) => self.store().end_sync(&claim, None, now).await,
            Err(error @ (Ended::Supplier(_) | Ended::Paging(_))) => {
                tracing::warn!(supplier = %name, sync = %id, "a sync failed: {error}");
                self.store().end_sync(&claim, Some(&error.to_string()), now).await
            }
            Err(Ended::Stopped) => self.store().release_sync(&claim, now).await,
            Err(error @ (Ended::Store(_) | Ended::Lost)) => {
                tracing::warn!(supplier = %name, sync = %id, "a sync is left to whoever finds it: {error}");
                Ok(())
            }
        };
        if let Err(error) = said {
            tracing::warn!(supplier = %name, sync = %id, "what came of a sync cannot be kept: {error}");
        }
    }

    async fn pull(&self, claim: &Claim) -> Result<(), Ended> {
        let mut cursor = claim.sync.cursor.clone();
        let mut walk = Walk::at(cursor.as_deref());
        loop {
            let root = Root::begin(Kind::Internal, &SpanContext::NONE, None).called("sync page");
            cursor = root.run(self.page(claim, cursor, &mut walk)).await?;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Pulls the page at `cursor`, and gives the next one's.
    async fn page(&self, claim: &Claim, cursor: Option<String>, walk: &mut Walk) -> Result<Option<String>, Ended> {
        let mut page = tokio::select! {
            () = self.stop.cancelled() => return Err(Ended::Stopped),
            page = self.supplier.page(cursor.as_deref()) => page?,
        };
        let lost_way = walk.take(&mut page);
        if let Some(example) = &page.example {
            let (supplier, offers) = (self.supplier.name(), page.failed);
            tracing::warn!(%supplier, offers, "offers do not fit a product, such as one whose {example}");
        }
        let next = page.next.clone();
        self.keep(claim, page).await?;
        // What the page brought is kept all the same.
        lost_way?;
        Ok(next)
    }

    /// Keeps what a page brings: whole batches, and the last of them says that the page is in.
    async fn keep(&self, claim: &Claim, page: Page) -> Result<(), Ended> {
        let mut progress = Some(Progress { failed: page.failed, next: page.next });
        let batches = page.offers.chunks(BATCH).count().max(1);
        for number in 0..batches {
            let offers = page.offers.chunks(BATCH).nth(number).unwrap_or_default();
            let progress = if number + 1 == batches { progress.take() } else { None };
            for tried in 1.. {
                let (claim, offers, progress) = (claim.clone(), offers.to_vec(), progress.clone());
                let now = (self.clock)();
                let until = self.until(now);
                let write = move |store: Arc<dyn Store>| async move {
                    store.take_offers(&claim, offers, progress, now, until).await
                };
                match self.catalogue.to_the_end(write).await {
                    Ok(Some(_)) => break,
                    Ok(None) => return Err(Ended::Lost),
                    // A moment without the database, for example.
                    Err(error) if error.is_transient() && tried < STORE_TRIES => {
                        sleep(Duration::from_millis(100) * 2_u32.pow(tried)).await;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn store(&self) -> &dyn Store {
        self.catalogue.store()
    }

    fn until(&self, now: Timestamp) -> Timestamp {
        let lent_for = i64::try_from(self.supplier.lent_for().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(now.micros().saturating_add(lent_for)).unwrap_or(now)
    }
}
