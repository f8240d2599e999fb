//! Passes the log of changes on: each change becomes an event, and each event a delivery to everybody who wants it.
//! Any number of replicas may run this; the database lends the work to one of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::idempotency::Owner;
use farmlokal_catalog::store::{Change, ChangeLog, Outbox, StoreError, Tail};
use farmlokal_catalog::subscription::{Happened, Outgoing};
use farmlokal_catalog::{Product, ProductId, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How long the work is lent at once. A replica that dies is missed for so long.
const LEASE: Duration = Duration::from_secs(10);
/// How old a lease may get before it is renewed, and how often somebody else's is asked for.
const RENEW: Duration = Duration::from_secs(3);
/// Changes passed on at once; products are read a hundred at a time.
const PIECE: u32 = 100;

/// How an event looks that tells what happened, at that time.
pub type Render = fn(&Happened, Timestamp) -> Vec<u8>;

/// Passes changes on until it is told to stop.
pub struct FanOut {
    log: Arc<dyn ChangeLog>,
    outbox: Arc<dyn Outbox>,
    clock: Clock,
    render: Render,
    poll: Duration,
    wake: Arc<Notify>,
}

impl FanOut {
    /// Passes on what is in `log`, looks there every `poll`, and wakes who sends what is in `outbox` by `wake`.
    pub fn new(
        log: Arc<dyn ChangeLog>,
        outbox: Arc<dyn Outbox>,
        clock: Clock,
        render: Render,
        poll: Duration,
        wake: Arc<Notify>,
    ) -> Self {
        Self { log, outbox, clock, render, poll, wake }
    }

    /// Works until `stop`, whenever it is this replica's turn.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.turn(&stop).await {
                Ok(()) => {}
                Err(StoreError::Overtaken) => tracing::info!("another replica passes changes on by now"),
                Err(error) => tracing::warn!("cannot pass changes on: {error}"),
            }
            pause(&stop, RENEW).await;
        }
    }

    /// Follows the log for as long as the work is lent to us; not at all if somebody else has it.
    async fn turn(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let owner = Owner::random();
        let Some(mut position) = self.lend(owner, LEASE).await? else { return Ok(()) };
        let identity = self.log.identity().await?;
        let first = self.log.log_bounds().await?.first;
        if first > position + 1 {
            tracing::warn!("the log of changes was pruned before it was passed on: subscribers miss some");
        }
        let mut tail = Tail::at(position.max(first.saturating_sub(1)));
        let mut lent = Instant::now();
        while !stop.is_cancelled() {
            if lent.elapsed() > RENEW {
                lent = Instant::now();
                self.lend(owner, LEASE).await?.ok_or(StoreError::Overtaken)?;
            }
            let changes = self.log.changes(tail.high(), &tail.gaps(), PIECE).await?;
            tail.saw(changes.iter().map(|change| change.number), Instant::now());
            if !changes.is_empty() || tail.settled() != position {
                position = tail.settled();
                let events = self.events(&identity, &changes).await?;
                self.outbox.fan_out(owner, position, &events, (self.clock)()).await?;
                self.wake.notify_one();
            }
            if changes.len() < PIECE as usize {
                pause(stop, self.poll).await;
            }
        }
        // Given back, so that nobody has to wait for the lease to end.
        self.lend(owner, Duration::ZERO).await.map(|_| ())
    }

    async fn lend(&self, owner: Owner, term: Duration) -> Result<Option<u64>, StoreError> {
        let now = (self.clock)();
        self.outbox.lend_fan_out(owner, now, (now.to_utc() + term).into()).await
    }

    /// An event a change, with the product as it is now. A bulk load is none: it would be one a product.
    async fn events(&self, identity: &str, changes: &[Change]) -> Result<Vec<Outgoing>, StoreError> {
        let touched: BTreeSet<ProductId> = changes.iter().filter_map(|change| change.product).collect();
        let touched: Vec<ProductId> = touched.into_iter().collect();
        let mut present: HashMap<ProductId, Product> = HashMap::new();
        for ids in touched.chunks(PIECE as usize) {
            present.extend(self.log.current(ids).await?.into_iter().map(|product| (product.id, product)));
        }
        let event = |change: &Change| {
            let product = change.product?;
            let happened = match present.get(&product) {
                Some(product) => Happened::Changed(Box::new(product.clone())),
                None => Happened::Deleted(product),
            };
            // Letters, digits and hyphens, and far from the longest.
            let id = format!("evt_{identity}_{}", change.number).parse().ok()?;
            Some(Outgoing { id, kind: happened.kind(), product, payload: (self.render)(&happened, change.at) })
        };
        Ok(changes.iter().filter_map(event).collect())
    }
}

async fn pause(stop: &CancellationToken, time: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep(time) => {}
    }
}

#[cfg(test)]
mod tests;
