//! What is made of spans: nothing, except while a recorded [`Root`](crate::Root) is under way. Where none is, a span of
//! ours costs a look at the thread's context, and others' cost nothing.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer};

/// What the targets of our own spans and events begin with.
const OURS: &str = "farmlokal";
/// Finer spans are for whoever debugs their own part.
pub(crate) const FINEST: Level = Level::DEBUG;

/// Whether a place in the code is ours.
pub(crate) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(OURS)
}

/// Whether what is under way here is recorded.
pub(crate) fn is_recorded_here() -> bool {
    Context::map_current(is_recorded)
}

/// Whether the span of `context` is.
pub(crate) fn is_recorded(context: &Context) -> bool {
    context.has_active_span() && context.span().span_context().is_sampled()
}

/// Stands before all other layers. A filter of one layer would not do: the span would be made, and only not be seen.
pub(crate) struct Recorded;

impl<S: Subscriber> Layer<S> for Recorded {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match metadata.is_span() {
            false => Interest::always(),
            true if is_ours(metadata) && *metadata.level() <= FINEST => Interest::sometimes(),
            true => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: LayerContext<'_, S>) -> bool {
        metadata.is_event() || is_recorded_here()
    }
}
