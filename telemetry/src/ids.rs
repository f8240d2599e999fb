//! Names for traces and spans: random, and for a trace the one that was drawn when it was decided about.

use std::cell::Cell;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

thread_local! {
    static DRAWN: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// A trace nobody had before.
pub(crate) fn trace() -> TraceId {
    // Zero is no id.
    TraceId::from(fastrand::u128(1..))
}

/// A span nobody had before.
pub(crate) fn span() -> SpanId {
    SpanId::from(fastrand::u64(1..))
}

/// Runs `start`, in which the trace that is begun is called `trace`. The SDK has no parameter for that.
pub(crate) fn with_trace<T>(trace: TraceId, start: impl FnOnce() -> T) -> T {
    DRAWN.set(Some(trace));
    let started = start();
    DRAWN.set(None);
    started
}

/// The SDK's source of ids.
#[derive(Debug)]
pub(crate) struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        DRAWN.take().unwrap_or_else(trace)
    }

    fn new_span_id(&self) -> SpanId {
        span()
    }
}
