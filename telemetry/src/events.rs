//! Warnings and errors of ours, as events of the span in which they happen: why something failed.

use std::fmt::{self, Write as _};

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context as LayerContext, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::recorded::{is_ours, is_recorded_here};

/// Writes events into spans.
struct SpanEvents;

/// Writes warnings and errors of ours into spans.
pub(crate) fn layer<S: Subscriber + for<'span> LookupSpan<'span>>() -> impl Layer<S> {
    let troubles = filter_fn(|place| place.is_event() && *place.level() <= Level::WARN && is_ours(place));
    SpanEvents.with_filter(troubles.with_max_level_hint(Level::WARN))
}

impl<S: Subscriber> Layer<S> for SpanEvents {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        if is_recorded_here() {
            let mut message = Message::default();
            event.record(&mut message);
            let level = event.metadata().level().as_str();
            Context::current().span().add_event(message.0, vec![KeyValue::new("level", level)]);
        }
    }
}

/// An event's message.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string never fails.
            let _ = write!(self.0, "{value:?}");
        }
    }
}
