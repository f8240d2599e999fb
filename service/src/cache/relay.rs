//! How a process hears of writes: its own at once, others' from Redis in a moment, and all of them from
//! the log of changes within a second, whoever failed to tell.
//!
//! The log is written with each change in one transaction. A process that crashes between its commit and
//! the telling leaves the change there, and every process that follows the log tells it then; Redis sees to
//! it that this voids only once. How far the log was followed is kept beside the generations in Redis: a
//! process that starts goes on from there, so what was committed while nobody ran is not missed.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::store::{Store, StoreError, Tail};
use futures::StreamExt as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::shared::{News, Shared, Snapshot};
use super::{Cache, Failure, Namespace};
use crate::redis::{LinkError, Redis};

/// How often the log is read and Redis is met: the bound on hearing of a write when the news are lost.
const POLL: Duration = Duration::from_millis(250);
/// Changes read at once.
const PIECE: u32 = 1_000;
/// How long to wait before listening again.
const BACKOFF: Duration = Duration::from_secs(1);

/// Follows the log of changes for a cache.
pub struct Relay<E> {
    cache: Arc<Cache<E>>,
    store: Arc<dyn Store>,
    redis: Option<Arc<Redis>>,
}

/// Why a turn did not succeed; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// How far a process has come.
#[derive(Default)]
struct Progress {
    /// What has been read of the log, and from which number on.
    read: Option<(Tail, u64)>,
    /// Redis before it is trusted.
    candidate: Option<Shared>,
    /// The last failure, so that each is said once.
    said: Option<String>,
}

impl<E: Failure> Relay<E> {
    /// A relay from the log of `store` to `cache`, which shares what it has in `redis`.
    pub fn new(cache: Arc<Cache<E>>, store: Arc<dyn Store>, redis: Option<Arc<Redis>>) -> Self {
        Self { cache, store, redis }
    }

    /// Follows until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let follow = async {
            let mut progress = Progress::default();
            loop {
                let outcome = self.turn(&mut progress).await;
                note(outcome, &mut progress.said);
                sleep(POLL).await;
            }
        };
        let listen = async {
            loop {
                // An end is not worth a word: the log is read all the same.
                let _ = self.listen().await;
                sleep(BACKOFF).await;
            }
        };
        stop.run_until_cancelled(async { tokio::join!(follow, listen) }).await;
    }

    /// Reads on in the log, and meets Redis.
    async fn turn(&self, progress: &mut Progress) -> Result<(), RelayError> {
        let read = self.read_on(progress).await;
        // Also when the database is away: others may have heard of what this process cannot read.
        let met = self.meet(progress).await;
        read.and(met)
    }

    /// Voids what the changes touch that this process has not heard of.
    async fn read_on(&self, progress: &mut Progress) -> Result<(), RelayError> {
        let (tail, _) = match &mut progress.read {
            Some(read) => read,
            none => none.insert(self.begin(&mut progress.candidate).await?),
        };
        loop {
            let changes = self.store.changes(tail.high(), &tail.gaps(), PIECE).await?;
            for change in changes.iter().filter(|change| !self.cache.has_heard(change.number)) {
                self.store.wrote_elsewhere();
                self.cache.void(change.number, &Namespace::touched_by(change)).await;
            }
            tail.saw(changes.iter().map(|change| change.number), Instant::now());
            if changes.len() < PIECE as usize {
                break;
            }
        }
        self.cache.followed();
        Ok(())
    }

    /// Where to begin to read: where the processes before stopped, if Redis knows and the log reaches back
    /// so far; else behind what can no longer change.
    async fn begin(&self, candidate: &mut Option<Shared>) -> Result<(Tail, u64), RelayError> {
        let bounds = self.store.log_bounds().await?;
        let mut position = bounds.settled;
        if let Some(redis) = &self.redis {
            let shared = candidate.insert(Shared::new(Arc::clone(redis), &self.store.identity().await?));
            let known = shared.meet(0, &[]).await.ok().and_then(|snapshot| snapshot.position);
            let reaches_back = |known: &u64| known.saturating_add(1) >= bounds.first && *known <= bounds.last;
            position = known.filter(reaches_back).unwrap_or(position);
        }
        Ok((Tail::at(position), position))
    }

    /// Raises in Redis what is higher here, and here what is higher there.
    async fn meet(&self, progress: &mut Progress) -> Result<(), RelayError> {
        let Some((tail, began)) = &progress.read else { return Ok(()) };
        let Some(shared) = progress.candidate.as_ref().or(self.cache.shared.get()) else { return Ok(()) };
        let known = shared.meet(0, &[]).await?;
        let continues = |position: &u64| (*began..=tail.high()).contains(position);
        if progress.candidate.is_some() && !known.position.as_ref().is_some_and(continues) {
            // Changes between there and here have been told by nobody for certain, or the log is another.
            self.cache.void(0, &[Namespace::All]).await;
        }
        self.adopt(&known);
        // Whatever is read is raised here; once that is raised there, the position is true.
        let higher = self.cache.generations.above(|namespace| known.of(namespace));
        if !higher.is_empty() || known.position.is_none_or(|position| position < tail.settled()) {
            self.adopt(&shared.meet(tail.settled(), &higher).await?);
        }
        if let Some(shared) = progress.candidate.take() {
            // From here on its entries are as true as ours. Set once: nobody else does.
            let _ = self.cache.shared.set(shared);
            tracing::info!("the cache is shared in Redis");
        }
        Ok(())
    }

    fn adopt(&self, snapshot: &Snapshot) {
        let raised = (0..Namespace::COUNT).filter_map(Namespace::at).map(|it| (it, snapshot.of(it))).collect();
        self.hear(&News { number: 0, raised });
    }

    fn hear(&self, news: &News) {
        // In this order: what is computed under the new generation must not be read from a replica that
        // does not have the write yet.
        if self.cache.is_behind(news) {
            self.store.wrote_elsewhere();
        }
        self.cache.adopt(news);
    }

    /// Hears what is published, until the connection ends.
    async fn listen(&self) -> Result<(), LinkError> {
        let (Some(redis), Some(shared)) = (&self.redis, self.cache.shared.get()) else { return Ok(()) };
        let pubsub = redis.subscribe(&shared.channel()).await?;
        let mut messages = pubsub.into_on_message();
        while let Some(message) = messages.next().await {
            if let Some(news) = message.get_payload::<String>().ok().as_deref().and_then(News::read) {
                self.hear(&news);
            }
        }
        Ok(())
    }
}

/// Says each failure once, and its end.
fn note(outcome: Result<(), RelayError>, said: &mut Option<String>) {
    match (outcome.map_err(|error| error.to_string()), said.as_deref()) {
        (Ok(()), Some(_)) => {
            tracing::info!("the cache follows the changes again");
            *said = None;
        }
        (Err(error), last) if last != Some(&error) => {
            tracing::warn!("the cache cannot follow the changes: {error}; trying again");
            *said = Some(error);
        }
        _ => {}
    }
}
