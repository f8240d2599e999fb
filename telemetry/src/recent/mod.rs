//! The latest and the slowest traces of this process, kept in memory for people to look at.

mod trace;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use trace::Ended;
pub use trace::{RecordedSpan, RecordedTrace};

/// Traces of each of the two kinds that are kept.
const KEPT: usize = 100;
/// How long a slow trace counts as recent.
const RECENT: Duration = Duration::from_secs(15 * 60);
/// Traces whose root has not ended yet. Beyond it, the one that was heard of first is forgotten.
const OPEN: usize = 1_000;
/// Spans kept of one trace: a runaway must not fill the memory.
const SPANS: usize = 200;

static OURS: OnceLock<RecentTraces> = OnceLock::new();

/// Those of this process; `None` before telemetry is set up.
pub fn recent_traces() -> Option<&'static RecentTraces> {
    OURS.get()
}

/// What is kept. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct RecentTraces(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Spans whose root has not ended, and in which order their traces were heard of.
    open: HashMap<TraceId, Vec<SpanData>>,
    order: VecDeque<TraceId>,
    /// The last one first.
    latest: VecDeque<Arc<Ended>>,
    /// In no order.
    slowest: Vec<Arc<Ended>>,
}

impl RecentTraces {
    /// The traces that ended last, the last one first.
    #[must_use]
    pub fn latest(&self) -> Vec<RecordedTrace> {
        let latest: Vec<_> = self.kept().latest.iter().cloned().collect();
        latest.iter().map(|ended| ended.show()).collect()
    }

    /// The slowest traces of the last 15 minutes before `now`, the slowest first.
    #[must_use]
    pub fn slowest(&self, now: SystemTime) -> Vec<RecordedTrace> {
        let mut slowest: Vec<_> = self.kept().slowest.iter().filter(|ended| is_recent(ended, now)).cloned().collect();
        slowest.sort_by_key(|ended| std::cmp::Reverse(ended.duration()));
        slowest.iter().map(|ended| ended.show()).collect()
    }

    pub(crate) fn publish(self) {
        // Set once: a second set-up has failed before it comes here.
        let _ = OURS.set(self);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_recent(ended: &Ended, now: SystemTime) -> bool {
    now.duration_since(ended.at()).unwrap_or_default() <= RECENT
}

impl Kept {
    fn ended(&mut self, span: SpanData) {
        let trace = span.span_context.trace_id();
        // Whoever caused a root is in another process, if anywhere.
        if span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote {
            let below = self.open.remove(&trace).unwrap_or_default();
            if !below.is_empty() {
                self.order.retain(|open| *open != trace);
            }
            return self.keep(Arc::new(Ended { root: span, below }));
        }
        let spans = self.open.entry(trace).or_insert_with(|| {
            self.order.push_back(trace);
            Vec::new()
        });
        if spans.len() < SPANS {
            spans.push(span);
        }
        if self.order.len() > OPEN
            && let Some(first) = self.order.pop_front()
        {
            self.open.remove(&first);
        }
    }

    fn keep(&mut self, trace: Arc<Ended>) {
        self.latest.push_front(Arc::clone(&trace));
        self.latest.truncate(KEPT);
        self.slowest.retain(|kept| is_recent(kept, trace.at()));
        self.slowest.push(trace);
        if self.slowest.len() > KEPT {
            let fastest = self.slowest.iter().enumerate().min_by_key(|(_, trace)| trace.duration());
            if let Some((place, _)) = fastest {
                self.slowest.swap_remove(place);
            }
        }
    }
}

impl SpanProcessor for RecentTraces {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.kept().ended(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
