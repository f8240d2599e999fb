//! What begins in this process: the work on one request, one event, one delivery.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Instant;

use http::HeaderValue;
use opentelemetry::context::{FutureExt as _, WithContext};
use opentelemetry::trace::{SpanContext, SpanRef, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use tracing::Span;
use tracing::instrument::{Instrument as _, Instrumented};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::ids;
use crate::recorded::is_recorded_here;
use crate::sampling::Sampler;

/// The target by which the filter of the traces knows a root.
pub(crate) const TARGET: &str = "farmlokal::root";

static SAMPLER: OnceLock<Sampler> = OnceLock::new();

/// Has roots sampled by `sampler` from now on. Until then, none is.
pub(crate) fn sample_by(sampler: Sampler) {
    // Set once: a second set-up has failed before it comes here.
    let _ = SAMPLER.set(sampler);
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

/// Something this process does from its beginning to its end.
///
/// Sampled, it is a span, which ends with the last of its clones and futures. Otherwise it only has a name, for logs
/// and for those who are called meanwhile.
#[derive(Debug, Clone)]
pub struct Root {
    span: Span,
    context: Context,
}

impl Root {
    /// Begins what `parent` has caused, if that is valid, for the request called `request`, if it has a name of its
    /// own.
    #[must_use]
    pub fn begin(kind: Kind, parent: &SpanContext, request: Option<RequestId>) -> Self {
        let trace = if parent.is_valid() { parent.trace_id() } else { ids::trace() };
        let named = || request.clone().map_or_else(Context::new, |request| Context::new().with_value(request));
        let sampled = SAMPLER.get().is_some_and(|sampler| sampler.decide(parent, trace, Instant::now()));
        sampled.then(|| Self::recorded(kind, parent, trace, named())).flatten().unwrap_or_else(|| Self {
            span: Span::none(),
            context: named().with_remote_span_context(unrecorded(parent, trace)),
        })
    }

    /// `None` where nothing listens to spans.
    fn recorded(kind: Kind, parent: &SpanContext, trace: TraceId, context: Context) -> Option<Self> {
        let kind = match kind {
            Kind::Server => "server",
            Kind::Consumer => "consumer",
            Kind::Internal => "internal",
        };
        let span = tracing::info_span!(target: TARGET, parent: None, "root", otel.kind = kind);
        let context = if parent.is_valid() { context.with_remote_span_context(parent.clone()) } else { context };
        span.set_parent(context).ok()?;
        // Asking for its context starts it.
        let context = ids::with_trace(trace, || span.context());
        Some(Self { span, context })
    }

    /// Does `work` as a part of this.
    pub fn run<F: Future>(&self, work: F) -> Instrumented<WithContext<F>> {
        work.with_context(self.context.clone()).instrument(self.span.clone())
    }

    /// Whether it is recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        !self.span.is_disabled()
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
        if self.is_recorded() {
            self.span().update_name(name);
        }
        self
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
    if is_recorded_here() {
        Context::current().span().set_attribute(attribute());
    }
}
