//! What begins in this process: the work on one request, one event, one delivery.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Instant;

use http::HeaderValue;
use opentelemetry::context::{FutureExt as _, WithContext};
use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanKind, SpanRef, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

use crate::ids;
use crate::recorded::is_recorded;
use crate::sampling::Sampler;

/// Decides about roots, and makes those that are recorded. Before the set-up none is.
static MAKER: OnceLock<(Sampler, SdkTracer)> = OnceLock::new();

/// Has roots sampled by `sampler` and made by `tracer` from now on.
pub(crate) fn make_by(sampler: Sampler, tracer: SdkTracer) {
    // Set once: a second set-up has failed before it comes here.
    let _ = MAKER.set((sampler, tracer));
}

/// The part a root plays between processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It answers somebody who waits.
    Server,
    /// It works on what somebody left.
    Consumer,
    /// Nobody outside has asked for it.
    Internal,
}

/// The name under which a client speaks of its request, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub HeaderValue);

/// Something this process does from its beginning to its end, which is when this is dropped.
///
/// Sampled, it is a span. Otherwise it only has a name, for logs and for those who are called meanwhile. A root is made
/// by OpenTelemetry itself and not by way of `tracing`, which costs four times as much; what is below it is rarer.
#[derive(Debug)]
pub struct Root {
    context: Context,
    recorded: bool,
}

impl Root {
    /// Begins what `parent` has caused, if that is valid, for the request called `request`, if it has a name of its
    /// own.
    #[must_use]
    pub fn begin(kind: Kind, parent: &SpanContext, request: Option<RequestId>) -> Self {
        Self::begin_with(kind, parent, request, || SpanBuilder::from_name("root"))
    }

    /// The same with what is known from the beginning, which is asked for where it is recorded. Room for attributes
    /// that will be known in the end saves copying them.
    #[must_use]
    pub fn begin_with(
        kind: Kind,
        parent: &SpanContext,
        request: Option<RequestId>,
        known: impl FnOnce() -> SpanBuilder,
    ) -> Self {
        let trace = if parent.is_valid() { parent.trace_id() } else { ids::trace() };
        let context = request.map_or_else(Context::new, |request| Context::new().with_value(request));
        let maker = MAKER.get().filter(|(sampler, _)| sampler.decide(parent, trace, Instant::now));
        let Some((_, tracer)) = maker else {
            return Self { context: context.with_remote_span_context(unrecorded(parent, trace)), recorded: false };
        };
        let context = if parent.is_valid() { context.with_remote_span_context(parent.clone()) } else { context };
        let kind = match kind {
            Kind::Server => SpanKind::Server,
            Kind::Consumer => SpanKind::Consumer,
            Kind::Internal => SpanKind::Internal,
        };
        let span = ids::with_trace(trace, || tracer.build_with_context(known().with_kind(kind), &context));
        Self { context: context.with_span(span), recorded: true }
    }

    /// Does `work` as a part of this.
    pub fn run<F: Future>(&self, work: F) -> WithContext<F> {
        work.with_context(self.context.clone())
    }

    /// Whether it is recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// The trace that it is a part of.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.context.span().span_context().trace_id()
    }

    /// Its name as a `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        crate::propagation::format(self.context.span().span_context())
    }

    /// The span, for attributes and status; without effect where it is not recorded.
    #[must_use]
    pub fn span(&self) -> SpanRef<'_> {
        self.context.span()
    }

    /// Calls it by a name that says what kind of work it is, of few values.
    #[must_use]
    pub fn called(self, name: impl Into<Cow<'static, str>>) -> Self {
        if self.recorded {
            self.span().update_name(name);
        }
        self
    }
}

/// Work in tasks of its own may go on; it has its own spans.
impl Drop for Root {
    fn drop(&mut self) {
        if self.recorded {
            self.span().end();
        }
    }
}

/// What is passed on by a root that is not recorded: its parent, or a name of its own.
fn unrecorded(parent: &SpanContext, trace: TraceId) -> SpanContext {
    let (span, state) = match parent.is_valid() {
        true => (parent.span_id(), parent.trace_state().clone()),
        false => (ids::span(), TraceState::NONE),
    };
    SpanContext::new(trace, span, TraceFlags::default(), parent.is_valid(), state)
}

/// `work` as a part of what is under way here, in a task of its own. A span that is under way does not wait for it.
pub fn carry<F: Future>(work: F) -> WithContext<F> {
    work.with_current_context()
}

/// Adds an attribute to the span that is under way here, if it is recorded.
pub fn note(attribute: impl FnOnce() -> KeyValue) {
    Context::map_current(|context| {
        if is_recorded(context) {
            context.span().set_attribute(attribute());
        }
    });
}
