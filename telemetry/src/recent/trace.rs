//! A trace as it is shown.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, Status, TraceId};
use opentelemetry_sdk::trace::SpanData;
use serde::Serialize;

/// What this process did of a trace, from the beginning of its root to the end of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedTrace {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// What the root is called.
    pub name: String,
    /// When the root began, in milliseconds since 1970.
    pub started_ms: u64,
    /// How long the root took, in microseconds.
    pub duration_us: u64,
    /// Whether the root failed.
    pub failed: bool,
    /// By their beginning, the root first.
    pub spans: Vec<RecordedSpan>,
    #[serde(skip)]
    ended: SystemTime,
}

/// A span of such a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedSpan {
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The span that it is a part of; `None` for the root.
    pub parent_id: Option<String>,
    /// What it is called.
    pub name: String,
    /// How long after the root it began, in microseconds.
    pub offset_us: u64,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// What failed, if something did.
    pub error: Option<String>,
    /// Its attributes, as text.
    pub attributes: Vec<(String, String)>,
    #[serde(skip)]
    started: SystemTime,
}

impl RecordedSpan {
    pub(super) fn of(span: &SpanData) -> Self {
        let inside = span.parent_span_id != SpanId::INVALID && !span.parent_span_is_remote;
        let error = match &span.status {
            Status::Error { description } => Some(description.to_string()),
            Status::Unset | Status::Ok => None,
        };
        let attributes = span.attributes.iter().map(|it| (it.key.to_string(), it.value.to_string()));
        Self {
            span_id: span.span_context.span_id().to_string(),
            parent_id: inside.then(|| span.parent_span_id.to_string()),
            name: span.name.to_string(),
            offset_us: 0,
            duration_us: micros(span.start_time, span.end_time),
            error,
            attributes: attributes.collect(),
            started: span.start_time,
        }
    }
}

impl RecordedTrace {
    /// The trace of `spans`, the last of which is the root; `None` without one.
    pub(super) fn new(id: TraceId, mut spans: Vec<RecordedSpan>) -> Option<Self> {
        let root = spans.pop()?;
        let started = root.started;
        for span in &mut spans {
            span.offset_us = micros(started, span.started);
        }
        spans.sort_by_key(|span| span.offset_us);
        let trace = Self {
            trace_id: id.to_string(),
            name: root.name.clone(),
            started_ms: micros(SystemTime::UNIX_EPOCH, started) / 1_000,
            duration_us: root.duration_us,
            failed: root.error.is_some(),
            ended: started + Duration::from_micros(root.duration_us),
            spans: std::iter::once(root).chain(spans).collect(),
        };
        Some(trace)
    }

    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.duration_us)
    }

    pub(super) fn ended(&self) -> SystemTime {
        self.ended
    }
}

/// From one time to another; none if a clock was set back between them.
fn micros(from: SystemTime, to: SystemTime) -> u64 {
    u64::try_from(to.duration_since(from).unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}
