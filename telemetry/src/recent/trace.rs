//! A trace as it is shown.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, Status};
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
}

/// A trace as it is kept: it becomes text only when somebody looks at it.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) root: SpanData,
    pub(super) below: Vec<SpanData>,
}

impl Ended {
    pub(super) fn at(&self) -> SystemTime {
        self.root.end_time
    }

    pub(super) fn duration(&self) -> Duration {
        self.root.end_time.duration_since(self.root.start_time).unwrap_or_default()
    }

    pub(super) fn show(&self) -> RecordedTrace {
        let started = self.root.start_time;
        let mut below: Vec<_> = self.below.iter().map(|span| show(span, started)).collect();
        below.sort_by_key(|span| span.offset_us);
        RecordedTrace {
            trace_id: self.root.span_context.trace_id().to_string(),
            name: self.root.name.to_string(),
            started_ms: micros(SystemTime::UNIX_EPOCH, started) / 1_000,
            duration_us: micros(started, self.root.end_time),
            failed: matches!(self.root.status, Status::Error { .. }),
            spans: std::iter::once(show(&self.root, started)).chain(below).collect(),
        }
    }
}

fn show(span: &SpanData, root_started: SystemTime) -> RecordedSpan {
    let inside = span.parent_span_id != SpanId::INVALID && !span.parent_span_is_remote;
    let error = match &span.status {
        Status::Error { description } => Some(description.to_string()),
        Status::Unset | Status::Ok => None,
    };
    RecordedSpan {
        span_id: span.span_context.span_id().to_string(),
        parent_id: inside.then(|| span.parent_span_id.to_string()),
        name: span.name.to_string(),
        offset_us: micros(root_started, span.start_time),
        duration_us: micros(span.start_time, span.end_time),
        error,
        attributes: span.attributes.iter().map(|it| (it.key.to_string(), it.value.to_string())).collect(),
    }
}

/// From one time to another; none if a clock was set back between them.
fn micros(from: SystemTime, to: SystemTime) -> u64 {
    u64::try_from(to.duration_since(from).unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}
