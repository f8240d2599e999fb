//! What the traces' layers see: nothing, except while a recorded [`Root`](crate::Root) is under way. Where none is, a
//! span costs a look at the thread's context and is never made.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::layer::{Context as LayerContext, Filter};

use crate::root::TARGET;

/// What the targets of our own spans and events begin with.
const OURS: &str = "farmlokal";

/// Whether what is under way here is recorded.
pub(crate) fn is_recorded_here() -> bool {
    Context::map_current(|context| context.has_active_span() && context.span().span_context().is_sampled())
}

/// Lets a layer see some spans or events of ours.
#[derive(Clone, Copy)]
pub(crate) enum Recorded {
    /// Spans, to `debug`.
    Spans,
    /// Warnings and errors.
    Troubles,
}

impl Recorded {
    fn most(self) -> Level {
        match self {
            Self::Spans => Level::DEBUG,
            Self::Troubles => Level::WARN,
        }
    }

    fn concerns(self, metadata: &Metadata<'_>) -> bool {
        let kind = match self {
            Self::Spans => metadata.is_span(),
            Self::Troubles => metadata.is_event(),
        };
        kind && *metadata.level() <= self.most() && metadata.target().starts_with(OURS)
    }
}

impl<S> Filter<S> for Recorded {
    fn enabled(&self, metadata: &Metadata<'_>, _: &LayerContext<'_, S>) -> bool {
        // A root is only made once it is to be recorded.
        self.concerns(metadata) && (metadata.target() == TARGET || is_recorded_here())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.concerns(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most().into())
    }
}
