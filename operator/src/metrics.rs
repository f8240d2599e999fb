//! What the operator counts of itself, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Counters of one process.
#[derive(Debug, Default)]
pub struct Metrics {
    reconciles: AtomicU64,
    micros: AtomicU64,
    failures: Mutex<BTreeMap<&'static str, u64>>,
    writes: AtomicU64,
    leading: AtomicBool,
}

/// A round under way.
#[derive(Debug)]
pub struct Timed<'a> {
    metrics: &'a Metrics,
    began: Instant,
}

impl Metrics {
    /// A round begins.
    #[must_use]
    pub fn reconciling(&self) -> Timed<'_> {
        Timed { metrics: self, began: Instant::now() }
    }

    /// So many objects were written.
    pub fn wrote(&self, count: usize) {
        self.writes.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Whether this process is the one that works.
    pub fn leads(&self, leading: bool) {
        self.leading.store(leading, Ordering::Relaxed);
    }

    /// Rounds so far.
    #[must_use]
    pub fn reconciles(&self) -> u64 {
        self.reconciles.load(Ordering::Relaxed)
    }

    /// Objects written so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// All of it as text. `failing`: objects whose last round failed.
    #[must_use]
    pub fn text(&self, failing: usize) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, f64)]| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let plain = |value: f64| [(String::new(), value)];
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failures: Vec<_> =
            failures.iter().map(|(word, count)| (format!("{{category=\"{word}\"}}"), *count as f64)).collect();
        family("farmlokal_operator_reconciles_total", "counter", "Rounds.", &plain(self.reconciles() as f64));
        let seconds = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        family("farmlokal_operator_reconcile_seconds_total", "counter", "Time in rounds.", &plain(seconds));
        family("farmlokal_operator_reconcile_failures_total", "counter", "Rounds that ended early.", &failures);
        let writes = self.writes() as f64;
        family("farmlokal_operator_writes_total", "counter", "Objects written, statuses left out.", &plain(writes));
        let leading = f64::from(u8::from(self.leading.load(Ordering::Relaxed)));
        family("farmlokal_operator_leader", "gauge", "1 if this process works, 0 if it stands by.", &plain(leading));
        family(
            "farmlokal_operator_failing_objects",
            "gauge",
            "Objects whose last round failed.",
            &plain(failing as f64),
        );
        text
    }
}

impl Timed<'_> {
    /// The round is over; `failure` is what kind of failure it was, if it was one.
    pub fn ended(self, failure: Option<&'static str>) {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.metrics.micros.fetch_add(micros, Ordering::Relaxed);
        self.metrics.reconciles.fetch_add(1, Ordering::Relaxed);
        if let Some(word) = failure {
            *self.metrics.failures.lock().unwrap_or_else(PoisonError::into_inner).entry(word).or_default() += 1;
        }
    }
}
