//! What the operator counts of itself: the instruments of the table's group `operator`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use farmlokal_telemetry::metrics::table::operator as table;
use farmlokal_telemetry::metrics::{Counter, Histogram, Metrics as Registry, MetricsError, Readings};

use crate::controller::apply::Change;
use crate::controller::kind::Kind;
use crate::tune::{Action, Decision, Reason};

/// Counters of one process.
pub struct Metrics {
    registry: Registry,
    duration: Histogram,
    errors: Counter,
    patches: Counter,
    decisions: Counter,
    api_requests: Counter,
    api_errors: Counter,
    writes: AtomicU64,
    now: Arc<Now>,
}

/// What is so at the moment; read at each scrape.
#[derive(Debug, Default)]
struct Now {
    instances: Mutex<BTreeMap<(String, String), Known>>,
    leading: AtomicBool,
    retrying: AtomicUsize,
}

/// What was last told of an instance.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    ready: bool,
    pool_max: Option<i32>,
}

/// A round under way.
pub struct Timed<'a> {
    metrics: &'a Metrics,
    began: Instant,
}

impl Metrics {
    /// Instruments of `registry`.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        let now = Arc::new(Now::default());
        observe(&registry, &now);
        Self {
            duration: registry.histogram(&table::RECONCILE_DURATION),
            errors: registry.counter(&table::ERRORS),
            patches: registry.counter(&table::PATCHES),
            decisions: registry.counter(&table::DECISIONS_MADE),
            api_requests: registry.counter(&table::API_REQUESTS),
            api_errors: registry.counter(&table::API_ERRORS),
            writes: AtomicU64::default(),
            registry,
            now,
        }
    }

    /// A round begins.
    #[must_use]
    pub fn reconciling(&self) -> Timed<'_> {
        Timed { metrics: self, began: Instant::now() }
    }

    /// What became of the objects of a round, and how often.
    pub fn applied(&self, changes: &BTreeMap<(Kind, Change), u64>) {
        for ((kind, change), count) in changes {
            self.patches.add(*count, &[&kind.to_string(), change.as_str()]);
            if *change != Change::Unchanged {
                self.writes.fetch_add(*count, Ordering::Relaxed);
            }
        }
    }

    /// What an instance is told to be.
    pub fn told(&self, namespace: &str, name: &str, ready: bool, pool_max: Option<i32>) {
        let mut instances = self.now.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.insert((namespace.to_owned(), name.to_owned()), Known { ready, pool_max });
    }

    /// An instance is gone.
    pub fn forget(&self, namespace: &str, name: &str) {
        let mut instances = self.now.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// The tuner decided. What it left alone without knowing enough counts as frozen; being switched off, as nothing.
    pub fn decided(&self, decision: &Decision, before: u32) {
        let blind = [Reason::Scaling, Reason::NoPods, Reason::StaleMetrics, Reason::Unconfirmed];
        let word = match (decision.action, decision.reason) {
            (_, Reason::Off) => return,
            (Action::Hold, reason) if blind.contains(&reason) => "freeze",
            (Action::Hold, _) => "keep",
            _ if decision.pool_max > before => "raise",
            _ => "lower",
        };
        self.decisions.add(1, &[word]);
    }

    /// So many objects wait to be tried again.
    pub fn retrying(&self, objects: usize) {
        self.now.retrying.store(objects, Ordering::Relaxed);
    }

    /// The API server is asked.
    pub fn api_asked<B>(&self, request: &http::Request<B>) {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let purpose = match *request.method() {
            _ if path.contains("/leases") => "lead",
            http::Method::GET if query.contains("watch=true") => "watch",
            http::Method::GET => "read",
            _ => "write",
        };
        self.api_requests.add(1, &[purpose]);
    }

    /// The API server answered with `status`, 0 for not at all.
    pub fn api_failed(&self, status: u16) {
        self.api_errors.add(1, &[&status.to_string()]);
    }

    /// Whether this process is the one that works.
    pub fn leads(&self, leading: bool) {
        self.now.leading.store(leading, Ordering::Relaxed);
    }

    /// Objects written so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// All of it in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// When it cannot be written, which would be a mistake of ours.
    pub fn text(&self) -> Result<String, MetricsError> {
        self.registry.text()
    }

    /// Pushes a last time, if anything is pushed. It may wait some seconds.
    pub fn end(&self) {
        self.registry.shut_down();
    }
}

fn observe(registry: &Registry, now: &Arc<Now>) {
    let put = |metric, read: fn(&Now, &Readings<'_>)| {
        let now = Arc::clone(now);
        registry.observe(metric, move |readings| read(&now, readings));
    };
    put(&table::LEADER, |now, readings| readings.put(f64::from(u8::from(now.leading.load(Ordering::Relaxed))), &[]));
    put(&table::RETRYING, |now, readings| readings.put(now.retrying.load(Ordering::Relaxed) as f64, &[]));
    put(&table::INSTANCES, |now, readings| {
        let instances = now.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = instances.values().filter(|known| known.ready).count();
        readings.put(ready as f64, &["true"]);
        readings.put((instances.len() - ready) as f64, &["false"]);
    });
    put(&table::POOL_LIMIT, |now, readings| {
        let instances = now.instances.lock().unwrap_or_else(PoisonError::into_inner);
        for ((namespace, name), known) in &*instances {
            known.pool_max.iter().for_each(|limit| readings.put(f64::from(*limit), &[namespace, name]));
        }
    });
}

impl Timed<'_> {
    /// The round is over; `failure` is what kind of failure it was, if it was one.
    pub fn ended(self, failure: Option<&str>) {
        let result = if failure.is_some() { "error" } else { "ok" };
        self.metrics.duration.record(self.began.elapsed().as_secs_f64(), &[result]);
        failure.iter().for_each(|category| self.metrics.errors.add(1, &[category]));
    }
}
