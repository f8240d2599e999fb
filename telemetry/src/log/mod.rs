//! The log: which events become lines, changeable while running, and what a line looks like.

mod directives;
mod line;

use std::io::{IsTerminal as _, stderr};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::fmt::format::{DefaultFields, Format as FmtFormat, JsonFields};
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

pub use directives::{DirectiveError, Directives};
use line::Identified;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

static LEVELS: OnceLock<Levels> = OnceLock::new();

/// What this process logs; `None` before telemetry is set up.
pub fn levels() -> Option<&'static Levels> {
    LEVELS.get()
}

/// What is logged now; clones are one.
#[derive(Debug, Clone)]
pub struct Levels(Arc<RwLock<Directives>>);

impl Levels {
    pub(crate) fn new(directives: Directives) -> Self {
        Self(Arc::new(RwLock::new(directives)))
    }

    /// Makes them the process'.
    pub(crate) fn publish(self) {
        // Set once: a second set-up has failed before it comes here.
        let _ = LEVELS.set(self);
    }

    /// What is logged.
    #[must_use]
    pub fn get(&self) -> Directives {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs by `directives` from now on.
    pub fn set(&self, directives: Directives) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = directives;
        // What each place in the code was told is remembered there.
        tracing::callsite::rebuild_interest_cache();
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && self
                .0
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .targets()
                .would_enable(metadata.target(), metadata.level())
    }
}

/// Spans are for traces. A line has the ids of what it belongs to in any case.
impl<S> Filter<S> for Levels {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::enabled(self, metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::enabled(self, metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.get().most())
    }
}

/// Writes lines to standard error.
pub(crate) fn lines<S>(format: Format) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let terminal = stderr().is_terminal();
    let json = match format {
        Format::Auto => !terminal,
        Format::Text => false,
        Format::Json => true,
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(stderr);
    if json {
        let format = FmtFormat::default().json().flatten_event(true);
        let format = format.with_current_span(false).with_span_list(false);
        Box::new(layer.fmt_fields(JsonFields::new()).event_format(Identified::json(format)))
    } else {
        let format = FmtFormat::default().with_ansi(terminal);
        Box::new(layer.fmt_fields(DefaultFields::new()).event_format(Identified::text(format)))
    }
}
