//! Finished spans as OTLP has them (`opentelemetry/proto/trace/v1/trace.proto`; the names here are its own).
//!
//! The exporter's library builds a tree of owned messages first and measures each level of it again: that was two thirds of
//! what recording a request cost. A test holds what is written here to what the library writes.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanId, SpanKind, Status, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::message::Message;

/// `SpanFlags`, above those of W3C.
const CONTEXT_HAS_IS_REMOTE: u32 = 0x100;
const CONTEXT_IS_REMOTE: u32 = 0x200;

/// Writes `batch` into a `ResourceSpans`.
pub(super) fn write(resource_spans: &mut Message, batch: &[SpanData]) {
    let mut scopes: Vec<&InstrumentationScope> = Vec::new();
    for SpanData { instrumentation_scope, .. } in batch {
        if !scopes.contains(&instrumentation_scope) {
            scopes.push(instrumentation_scope);
        }
    }
    for scope in scopes {
        resource_spans.message(2, |scope_spans| {
            scope_spans.message(1, |message| instrumentation_scope(message, scope));
            for data in batch.iter().filter(|span| span.instrumentation_scope == *scope) {
                scope_spans.message(2, |message| span(message, data));
            }
            text(scope_spans, 3, scope.schema_url().unwrap_or_default());
        });
    }
}

fn instrumentation_scope(message: &mut Message, scope: &InstrumentationScope) {
    text(message, 1, scope.name());
    text(message, 2, scope.version().unwrap_or_default());
    attributes(message, 3, scope.attributes());
}

fn span(message: &mut Message, span: &SpanData) {
    let context = &span.span_context;
    message.bytes(1, &context.trace_id().to_bytes());
    message.bytes(2, &context.span_id().to_bytes());
    trace_state(message, 3, context.trace_state());
    if span.parent_span_id != SpanId::INVALID {
        message.bytes(4, &span.parent_span_id.to_bytes());
    }
    text(message, 5, &span.name);
    message.varint(6, kind(&span.span_kind));
    message.fixed64(7, nanoseconds(span.start_time));
    message.fixed64(8, nanoseconds(span.end_time));
    attributes(message, 9, &span.attributes);
    count(message, 10, span.dropped_attributes_count);
    for it in &span.events.events {
        message.message(11, |message| event(message, it));
    }
    count(message, 12, span.events.dropped_count);
    for it in &span.links.links {
        message.message(13, |message| link(message, it));
    }
    count(message, 14, span.links.dropped_count);
    message.message(15, |message| status(message, &span.status));
    message.fixed32(16, flags(context.trace_flags().to_u8(), span.parent_span_is_remote));
}

fn event(message: &mut Message, event: &Event) {
    message.fixed64(1, nanoseconds(event.timestamp));
    text(message, 2, &event.name);
    attributes(message, 3, &event.attributes);
    count(message, 4, event.dropped_attributes_count);
}

fn link(message: &mut Message, link: &Link) {
    let context = &link.span_context;
    message.bytes(1, &context.trace_id().to_bytes());
    message.bytes(2, &context.span_id().to_bytes());
    trace_state(message, 3, context.trace_state());
    attributes(message, 4, &link.attributes);
    count(message, 5, link.dropped_attributes_count);
    message.fixed32(6, flags(context.trace_flags().to_u8(), context.is_remote()));
}

fn status(message: &mut Message, status: &Status) {
    match status {
        Status::Unset => {}
        Status::Ok => message.varint(3, 1),
        Status::Error { description } => {
            text(message, 2, description);
            message.varint(3, 2);
        }
    }
}

fn attributes<'a>(message: &mut Message, field: u32, attributes: impl IntoIterator<Item = &'a KeyValue>) {
    for KeyValue { key, value, .. } in attributes {
        message.message(field, |message| {
            text(message, 1, key.as_str());
            message.message(2, |message| any_value(message, value));
        });
    }
}

fn any_value(message: &mut Message, value: &Value) {
    match value {
        Value::Bool(value) => boolean(message, *value),
        Value::I64(value) => integer(message, *value),
        Value::F64(value) => double(message, *value),
        Value::String(value) => string(message, value.as_str()),
        Value::Array(array) => message.message(5, |message| match array {
            Array::Bool(values) => each(message, values, |message, value| boolean(message, *value)),
            Array::I64(values) => each(message, values, |message, value| integer(message, *value)),
            Array::F64(values) => each(message, values, |message, value| double(message, *value)),
            Array::String(values) => each(message, values, |message, value| string(message, value.as_str())),
            // One that a later version adds: a value without a kind.
            _ => {}
        }),
        _ => {}
    }
}

fn each<T>(message: &mut Message, values: &[T], write: impl Fn(&mut Message, &T)) {
    for value in values {
        message.message(1, |message| write(message, value));
    }
}

fn string(message: &mut Message, value: &str) {
    message.bytes(1, value.as_bytes());
}

fn boolean(message: &mut Message, value: bool) {
    message.varint(2, u64::from(value));
}

fn integer(message: &mut Message, value: i64) {
    message.varint(3, value.cast_unsigned());
}

fn double(message: &mut Message, value: f64) {
    message.fixed64(4, value.to_bits());
}

fn text(message: &mut Message, field: u32, value: &str) {
    if !value.is_empty() {
        message.bytes(field, value.as_bytes());
    }
}

fn count(message: &mut Message, field: u32, value: u32) {
    if value != 0 {
        message.varint(field, u64::from(value));
    }
}

fn trace_state(message: &mut Message, field: u32, state: &TraceState) {
    if *state != TraceState::NONE {
        text(message, field, &state.header());
    }
}

fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn flags(w3c: u8, parent_is_remote: bool) -> u32 {
    u32::from(w3c) | CONTEXT_HAS_IS_REMOTE | if parent_is_remote { CONTEXT_IS_REMOTE } else { 0 }
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
