//! The cache of finished answers: minutes long, and never stale.
//!
//! Two tiers before the catalogue: this process' memory, and Redis if there is one. Every key contains the
//! generations (see `generations.rs`) of what the answer depends on, read before the answer is
//! computed. A write raises them once it is committed, so what was computed from before it is not found any
//! more, whenever it is stored. How other processes hear of a write stands in [`relay`].

mod entry;
mod fetch;
mod flight;
mod generations;
mod lease;
mod life;
mod namespace;
mod question;
pub mod relay;
mod shared;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use farmlokal_catalog::store::{Change, Listener};

pub use entry::{Answer, Entry};
pub use fetch::{Asked, Served};
pub use namespace::Namespace;
pub use question::Question;
pub use stats::{Fill, Operation, Origin, Stats};

use crate::clock::Clock;
use flight::Flights;
use generations::Generations;
use shared::{News, Shared};

/// How long answers are kept, and how many.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For how long an answer is fresh, a tenth more or less; none is kept when zero.
    pub ttl: Duration,
    /// For how long it is known that something is not there.
    pub negative_ttl: Duration,
    /// For how long after that an answer may be given while the database is away.
    pub stale_if_error: Duration,
    /// Bytes of memory in this process.
    pub local_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { ttl: seconds(300), negative_ttl: seconds(30), stale_if_error: seconds(300), local_bytes: 64 << 20 }
    }
}

/// Why an answer could not be computed, as far as the cache has to know.
pub trait Failure: Clone + Send + Sync + 'static {
    /// Whether the database is away: then an older answer is better than none.
    fn is_outage(&self) -> bool;

    /// The computation broke.
    fn broken() -> Self;
}

/// Changes that this process has heard of, so that reading them in the log voids nothing again.
const REMEMBERED: usize = 8_192;

/// The cache; see the module.
pub struct Cache<E> {
    settings: Settings,
    clock: Clock,
    generations: Generations,
    local: moka::sync::Cache<u128, Arc<Entry>>,
    flights: Flights<Result<fetch::Found, E>>,
    /// Set once what Redis has is known to be as far as this process is.
    shared: OnceLock<Shared>,
    /// Set once this process follows the log of changes.
    live: AtomicBool,
    /// When it last had read all of it, in microseconds.
    followed_at: AtomicI64,
    heard: Mutex<Heard>,
    /// Until when the database is believed to be away, in microseconds.
    outage_until: AtomicI64,
    stats: Stats,
    /// Names this process in leases, with a number each.
    process: String,
    leases: AtomicU64,
}

#[derive(Default)]
struct Heard {
    numbers: HashSet<u64>,
    order: VecDeque<u64>,
}

impl<E: Failure> Cache<E> {
    /// An empty cache. Nothing is kept before somebody [follows](relay) the log of changes for it.
    pub fn new(settings: Settings, clock: Clock) -> Arc<Self> {
        let retention = settings.ttl.mul_f64(1.1) + settings.stale_if_error;
        let local = moka::sync::Cache::builder()
            .weigher(|_, entry: &Arc<Entry>| u32::try_from(entry.size()).unwrap_or(u32::MAX))
            .max_capacity(settings.local_bytes)
            .time_to_live(retention.max(Duration::from_millis(1)))
            .build();
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), ());
        Arc::new(Self {
            settings,
            clock,
            generations: Generations::new(1 + random % 4_096),
            local,
            flights: Flights::new(),
            shared: OnceLock::new(),
            live: AtomicBool::new(false),
            followed_at: AtomicI64::new(0),
            heard: Mutex::default(),
            outage_until: AtomicI64::new(i64::MIN),
            stats: Stats::default(),
            process: format!("{}-{random:016x}", std::process::id()),
            leases: AtomicU64::new(0),
        })
    }

    /// How it is doing.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Entries in this process' memory, and their bytes, as far as it has counted.
    pub fn local_size(&self) -> (u64, u64) {
        (self.local.entry_count(), self.local.weighted_size())
    }

    /// Whether Redis is used.
    pub fn is_shared(&self) -> bool {
        self.shared.get().is_some()
    }

    /// Whether it keeps answers yet.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// How long ago it had read all of the log of changes, once it is live.
    pub fn lag(&self) -> Option<Duration> {
        let passed = (self.clock)().micros() - self.followed_at.load(Ordering::Relaxed);
        self.is_live().then(|| Duration::from_micros(u64::try_from(passed).unwrap_or(0)))
    }

    /// Notes that all of the log of changes was read.
    fn followed(&self) {
        self.followed_at.store((self.clock)().micros(), Ordering::Relaxed);
        self.live.store(true, Ordering::Release);
    }

    /// Voids `namespace` here, and in all processes if Redis can be reached; the others hear of it when it
    /// can be again.
    pub async fn flush(&self, namespace: Namespace) {
        // A number like a change's, so that everybody does it once; none in the log is as high.
        let unique = xxhash_rust::xxh3::xxh3_64(self.token().as_bytes()) | 1 << 63;
        self.void(unique, &[namespace]).await;
    }

    /// Voids `namespaces` for the change `number` of the log, or for none when 0.
    async fn void(&self, number: u64, namespaces: &[Namespace]) {
        self.stats.voided();
        let now = u64::try_from((self.clock)().micros()).unwrap_or(0);
        // Here first, and without waiting: the caller's next request must not find what was before.
        let raised: Vec<_> =
            namespaces.iter().map(|namespace| (*namespace, self.generations.bump(*namespace, now))).collect();
        self.hear(number);
        let Some(shared) = self.shared.get() else { return };
        match shared.void(number, &raised).await {
            Ok(Some(news)) => self.adopt(&news),
            // Somebody read it in the log before; what this process raised higher goes there with the next
            // meeting, as it does after a failure.
            Ok(None) => {}
            Err(error) => tracing::debug!("Redis was not told of a change, and will be: {error}"),
        }
    }

    /// Takes over what was raised elsewhere. A change that is new here voids what was computed before it
    /// was heard of in any case: this process may be ahead of Redis, and then the number says nothing.
    fn adopt(&self, news: &News) {
        let new = self.hear(news.number);
        for (namespace, to) in &news.raised {
            if new {
                self.generations.bump(*namespace, *to);
            } else {
                self.generations.raise(*namespace, *to);
            }
        }
    }

    /// Whether `news` say anything that is not known here.
    fn is_behind(&self, news: &News) -> bool {
        let unheard = news.number != 0 && !self.has_heard(news.number);
        unheard || news.raised.iter().any(|(namespace, to)| *to > self.generations.get(*namespace))
    }

    /// Remembers the change `number`; whether it is one that was not heard of before.
    fn hear(&self, number: u64) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if number == 0 || !heard.numbers.insert(number) {
            return false;
        }
        heard.order.push_back(number);
        if heard.order.len() > REMEMBERED
            && let Some(oldest) = heard.order.pop_front()
        {
            heard.numbers.remove(&oldest);
        }
        true
    }

    fn has_heard(&self, number: u64) -> bool {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).numbers.contains(&number)
    }

    fn token(&self) -> String {
        format!("{}-{}", self.process, self.leases.fetch_add(1, Ordering::Relaxed))
    }
}

/// A write of this process: its caller hears of it after everybody who can be reached.
#[async_trait]
impl<E: Failure> Listener for Cache<E> {
    async fn committed(&self, change: &Change) {
        self.void(change.number, &Namespace::touched_by(change)).await;
    }
}
