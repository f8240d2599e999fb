//! The latest and the slowest traces of this process, kept in memory for people to look at.

mod trace;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanId, TraceContextExt as _, TraceId};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};

use crate::sampling::Pace;
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
pub struct RecentTraces {
    kept: Arc<Mutex<Kept>>,
    /// How many traces are open: mostly none, where only some are looked at.
    open: Arc<AtomicUsize>,
    /// How many traces a second are looked at; all, without it.
    pace: Option<Arc<Pace>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Spans of those traces whose root has begun and not ended, and in which order they began.
    open: HashMap<TraceId, Vec<SpanData>>,
    order: VecDeque<TraceId>,
    /// The last one first.
    latest: VecDeque<Arc<Ended>>,
    /// In no order.
    slowest: Vec<Arc<Ended>>,
}

impl RecentTraces {
    /// Those of `per_second` traces a second: where everything is recorded for a collector, looking at everything here too
    /// would cost more than it shows.
    #[must_use]
    pub fn paced(per_second: u32) -> Self {
        Self { pace: Some(Arc::new(Pace::new(per_second))), ..Self::default() }
    }

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

    /// Whether `trace` is open.
    fn wants(&self, trace: TraceId) -> bool {
        self.open.load(Ordering::Acquire) > 0 && self.kept().open.contains_key(&trace)
    }

    fn changed(&self, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.kept();
        change(&mut kept);
        self.open.store(kept.open.len(), Ordering::Release);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_recent(ended: &Ended, now: SystemTime) -> bool {
    now.duration_since(ended.at()).unwrap_or_default() <= RECENT
}

impl Kept {
    fn begun(&mut self, trace: TraceId) {
        if self.open.insert(trace, Vec::new()).is_none() {
            self.order.push_back(trace);
        }
        if self.order.len() > OPEN
            && let Some(first) = self.order.pop_front()
        {
            self.open.remove(&first);
        }
    }

    fn ended(&mut self, span: SpanData) {
        let trace = span.span_context.trace_id();
        // Whoever caused a root is in another process, if anywhere.
        if span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote {
            let Some(below) = self.open.remove(&trace) else { return };
            self.order.retain(|open| *open != trace);
            self.keep(Arc::new(Ended { root: span, below }));
        } else if let Some(spans) = self.open.get_mut(&trace)
            && spans.len() < SPANS
        {
            spans.push(span);
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

/// Looks at what begins and ends, and hands it on. One processor rather than two: the SDK would copy each span for a second.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) recent: RecentTraces,
    /// On the way to the collector, if there is one.
    pub(crate) next: Option<BatchSpanProcessor>,
}

impl SpanProcessor for Watched {
    fn on_start(&self, span: &mut Span, context: &Context) {
        let caller = context.span().span_context().clone();
        let root = !caller.is_valid() || caller.is_remote();
        if root && self.recent.pace.as_ref().is_none_or(|pace| pace.admits(Instant::now())) {
            self.recent.changed(|kept| kept.begun(span.span_context().trace_id()));
        }
        if let Some(next) = &self.next {
            next.on_start(span, context);
        }
    }

    fn on_end(&self, span: SpanData) {
        let wanted = self.recent.wants(span.span_context.trace_id());
        match &self.next {
            Some(next) => {
                if wanted {
                    self.recent.changed(|kept| kept.ended(span.clone()));
                }
                next.on_end(span);
            }
            None if wanted => self.recent.changed(|kept| kept.ended(span)),
            None => {}
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.as_ref().map_or(Ok(()), SpanProcessor::force_flush)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.as_ref().map_or(Ok(()), |next| next.shutdown_with_timeout(timeout))
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(next) = &mut self.next {
            next.set_resource(resource);
        }
    }
}

#[cfg(test)]
mod tests;
