//! From a question to its answer: from memory, from Redis, or computed by one for all.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_telemetry::note;
use futures::future::BoxFuture;
use opentelemetry::KeyValue;
use tracing::Instrument as _;

use super::entry::{Answer, Entry};
use super::lease::{Leave, Turn, take};
use super::life::Freshness;
use super::question::Key;
use super::{Cache, Failure, Fill, Namespace, Operation, Origin, Question};

/// What is asked.
pub struct Asked {
    /// For the numbers.
    pub operation: Operation,
    /// What the answer depends on, beside everything.
    pub namespace: Namespace,
    /// What the search index knows, if the answer comes from it; see `Catalogue::stamp`.
    pub stamp: Option<u64>,
    /// All else that it depends on.
    pub question: Question,
}

/// An answer, and what is to be said of it.
#[derive(Debug, Clone)]
pub struct Served {
    /// The answer.
    pub entry: Arc<Entry>,
    /// Where it came from.
    pub origin: Origin,
    /// Whether another request had begun to compute it.
    pub collapsed: bool,
    /// How old it is.
    pub age: Duration,
}

/// What computes an answer. Boxed: it is large, and most questions are answered without it.
type Load<E> = BoxFuture<'static, Result<Answer, E>>;

/// What a flight brings.
#[derive(Debug, Clone)]
pub(super) struct Found {
    entry: Arc<Entry>,
    origin: Origin,
}

impl<E: Failure> Cache<E> {
    /// The answer to `asked`. What `load` gives computes it, in a task of its own, if nobody has: it runs to its
    /// end even if the caller goes away.
    ///
    /// # Errors
    ///
    /// What `load` failed with, if no entry may be given instead.
    pub async fn fetch<F>(self: &Arc<Self>, asked: Asked, load: impl FnOnce() -> F) -> Result<Served, E>
    where
        F: Future<Output = Result<Answer, E>> + Send + 'static,
    {
        let operation = asked.operation;
        if !self.is_live() || self.settings.ttl.is_zero() {
            self.stats.loaded();
            let entry = Arc::new(self.entry(Box::default(), Box::pin(load()).await?, (self.clock)()));
            return Ok(self.serve(operation, Found { entry, origin: Origin::Bypass }, false));
        }
        let key = self.key(asked);
        let stale = match self.kept(&key) {
            Some(entry) => match self.freshness(&entry, (self.clock)()) {
                Freshness::Fresh => return Ok(self.serve(operation, Found { entry, origin: Origin::Local }, false)),
                Freshness::Soft => {
                    let found = Found { entry, origin: Origin::Local };
                    self.refresh(key, found.clone(), Box::pin(load()));
                    return Ok(self.serve(operation, found, false));
                }
                // The database was away a moment ago: no need to find out again for each request.
                Freshness::Stale if self.is_outage() => {
                    return Ok(self.serve(operation, Found { entry, origin: Origin::Stale }, false));
                }
                Freshness::Stale => Some(entry),
                Freshness::Gone => None,
            },
            None => None,
        };
        let question = key.question.clone();
        let found = Arc::clone(self).find(key, stale, Box::pin(load())).instrument(tracing::debug_span!("cache"));
        let seat = self.flights.board(&question, found);
        let joined = seat.joined;
        let found = seat.wait().await.unwrap_or_else(|| Err(E::broken()))?;
        Ok(self.serve(operation, found, joined))
    }

    /// The key that `asked` has now. The generations are read here, before anything is computed.
    pub(super) fn key(&self, asked: Asked) -> Key {
        let generations =
            [Namespace::All, asked.namespace].map(|namespace| (namespace, self.generations.get(namespace)));
        let place = asked.namespace.index() as u64;
        let question = asked.question.number(place);
        let question = question.number(generations[0].1).number(generations[1].1);
        let stamp = asked.stamp.map_or([0, 0], |stamp| [1, stamp]);
        question.number(stamp[0]).number(stamp[1]).finish(generations)
    }

    /// Whether something that the answer to `key` depends on was voided since the key was made.
    fn is_outdated(&self, key: &Key) -> bool {
        key.generations.iter().any(|(namespace, generation)| self.generations.get(*namespace) != *generation)
    }

    fn serve(&self, operation: Operation, found: Found, collapsed: bool) -> Served {
        note(|| KeyValue::new("farmlokal.cache.origin", found.origin.name()));
        self.stats.answered(operation, found.origin);
        let age = found.entry.age((self.clock)());
        Served { entry: found.entry, origin: found.origin, collapsed, age }
    }

    /// The entry in this process' memory.
    fn kept(&self, key: &Key) -> Option<Arc<Entry>> {
        self.local.get(&key.hash).filter(|entry| entry.question == key.question)
    }

    /// Finds out the answer that is not in this process' memory.
    async fn find(self: Arc<Self>, key: Key, mut stale: Option<Arc<Entry>>, load: Load<E>) -> Result<Found, E> {
        // Another flight may have landed between the look into the memory and this one's start.
        if let Some(entry) = self.kept(&key).filter(|entry| self.is_fresh(entry)) {
            return Ok(Found { entry, origin: Origin::Local });
        }
        let mut lease = None;
        if let Some(shared) = self.shared.get() {
            match shared.get(&key).await {
                Ok(Some(entry)) if self.is_fresh(&entry) => {
                    return Ok(self.keep(&key, Arc::new(entry), Origin::Shared));
                }
                Ok(Some(entry)) if self.freshness(&entry, (self.clock)()) == Freshness::Stale => {
                    stale = Some(Arc::new(entry));
                }
                Ok(_) | Err(_) => {}
            }
            match self.lease_or_entry(shared, &key).await {
                Turn::Ours(token) => lease = Some(token),
                Turn::Computed(entry) => return Ok(self.keep(&key, entry, Origin::Shared)),
                Turn::Alone => {}
            }
        }
        match self.compute(&key, lease, load).await {
            Ok(found) => Ok(found),
            Err(error) if error.is_outage() => {
                self.note_outage();
                // Kept here too, so that the next request need not ask Redis.
                stale.map(|entry| self.keep(&key, entry, Origin::Stale)).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Computes the answer and keeps it here; and in Redis, if `lease` is leave to do so.
    async fn compute(self: &Arc<Self>, key: &Key, lease: Option<String>, load: Load<E>) -> Result<Found, E> {
        // The time before: an answer is not newer than what it was computed from.
        let created = (self.clock)();
        self.stats.loaded();
        let loaded = load.await;
        let entry = loaded.map(|answer| Arc::new(self.entry(key.question.clone(), answer, created)));
        if let Some(token) = lease {
            // Nobody has to wait for Redis to take it.
            tokio::spawn(Arc::clone(self).hand_over(key.clone(), token, entry.clone().ok()));
        }
        let entry = entry?;
        self.stats.local_fills.add(if self.is_outdated(key) { Fill::Outdated } else { Fill::Stored });
        Ok(self.keep(key, entry, Origin::Computed))
    }

    async fn hand_over(self: Arc<Self>, key: Key, token: String, entry: Option<Arc<Entry>>) {
        let Some(shared) = self.shared.get() else { return };
        let done = match entry {
            Some(entry) => {
                let negative = entry.answer == Answer::Absent;
                let stale = if negative { Duration::ZERO } else { self.settings.stale_if_error };
                let filled = shared.fill(&key, &token, &entry, entry.fresh + stale).await;
                self.stats.shared_fills.add(match filled {
                    Ok(true) if self.is_outdated(&key) => Fill::Outdated,
                    Ok(true) => Fill::Stored,
                    Ok(false) => Fill::Overtaken,
                    Err(_) => Fill::Failed,
                });
                filled.map(|_| ())
            }
            None => shared.release(&key, &token).await,
        };
        if let Err(error) = done {
            tracing::debug!("an answer was not kept in Redis: {error}");
        }
    }

    fn keep(&self, key: &Key, entry: Arc<Entry>, origin: Origin) -> Found {
        self.local.insert(key.hash, Arc::clone(&entry));
        Found { entry, origin }
    }

    /// Computes `found` anew in the background, unless somebody does so already, here or elsewhere.
    fn refresh(self: &Arc<Self>, key: Key, found: Found, load: Load<E>) {
        if self.flights.is_under_way(&key.question) {
            return;
        }
        let (cache, question) = (Arc::clone(self), key.question.clone());
        // Nobody waits for it, but whoever comes when the entry has gone.
        let _ = self.flights.board(&question, async move {
            let mut lease = None;
            if let Some(shared) = cache.shared.get() {
                let token = cache.token();
                match take(shared, &key, &token, |entry| entry.created > found.entry.created).await {
                    Ok(Leave::Given) => lease = Some(token),
                    Ok(Leave::Needless(entry)) => return Ok(cache.keep(&key, entry, Origin::Shared)),
                    Ok(Leave::Refused) => return Ok(found),
                    Err(_) => {}
                }
            }
            cache.stats.refreshed();
            cache.compute(&key, lease, load).await
        });
    }
}
