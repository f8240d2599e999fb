//! What becomes a span, and whose child it is. One set-up serves all tests: it is the process'.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::LazyLock;

use farmlokal_telemetry::log::Format;
use farmlokal_telemetry::{Kind, RequestId, Root, Settings, Telemetry, carry, note, propagation, start_with};
use http::HeaderValue;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceId};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use tracing::{Instrument as _, Span};

const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// What our own crates are called, beginning so.
const OURS: &str = "farmlokal_test";

static FINISHED: LazyLock<InMemorySpanExporter> = LazyLock::new(InMemorySpanExporter::default);
static TELEMETRY: LazyLock<Telemetry> = LazyLock::new(|| {
    let settings = Settings {
        service: "farmlokal-test",
        version: "0",
        log: "off".parse().unwrap(),
        format: Format::Json,
        traces_per_second: 1_000_000_000,
    };
    start_with(settings, |provider| provider.with_simple_exporter(FINISHED.clone())).unwrap()
});

fn begin(parent: &SpanContext) -> Root {
    LazyLock::force(&TELEMETRY);
    Root::begin(Kind::Server, parent, None)
}

/// The finished spans of `trace`, by name.
fn finished(trace: TraceId) -> Vec<SpanData> {
    let spans = FINISHED.get_finished_spans().unwrap();
    spans.into_iter().filter(|span| span.span_context.trace_id() == trace).collect()
}

fn span<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_below_a_root_are_its_children_in_other_tasks_too() {
    let root = begin(&SpanContext::NONE).called("GET /milk");
    let trace = root.trace_id();
    let work = async {
        // Below the root itself, in a task of its own.
        tokio::spawn(carry(async { tracing::debug_span!(target: OURS, "flight").in_scope(|| {}) })).await.unwrap();
        let query = async {
            tokio::task::yield_now().await;
            // By `tracing` alone, as who knows nothing of us does it.
            tokio::spawn(async { tracing::debug_span!(target: OURS, "wait").in_scope(|| {}) }.in_current_span())
                .await
                .unwrap();
            tracing::error!(target: OURS, "the barn is on fire");
            tracing::info!(target: OURS, "nothing to see here");
        };
        query
            .instrument(tracing::debug_span!(target: OURS, "query", otel.name = "SELECT milk", otel.kind = "client"))
            .await;
        tracing::debug_span!(target: "hyper", "foreign").in_scope(|| {});
        tracing::trace_span!(target: OURS, "detail").in_scope(|| {});
        note(|| KeyValue::new("cows", 7));
        tracing::warn!(target: OURS, "little milk");
    };
    root.run(work).await;
    drop(root);
    let spans = finished(trace);
    assert_eq!(spans.len(), 4, "{spans:#?}");
    let root = span(&spans, "GET /milk");
    let id = |span: &SpanData| span.span_context.span_id();
    assert_eq!((root.parent_span_id, root.status.clone()), (SpanId::INVALID, Status::Unset));
    let attribute = root.attributes.iter().find(|attribute| attribute.key.as_str() == "cows").unwrap();
    assert_eq!(attribute.value, Value::I64(7));
    let query = span(&spans, "SELECT milk");
    assert_eq!([span(&spans, "flight"), query].map(|span| span.parent_span_id), [id(root); 2]);
    assert_eq!(span(&spans, "wait").parent_span_id, id(query));
    let events = |span: &SpanData| span.events.iter().map(|event| event.name.to_string()).collect::<Vec<_>>();
    assert_eq!((events(query), events(root)), (vec!["the barn is on fire".to_owned()], vec!["little milk".to_owned()]));
    assert!(span(&spans, "flight").span_context.is_sampled());
}

#[tokio::test]
async fn who_calls_decides_and_is_the_parent() {
    let parent = propagation::parse(SAMPLED);
    let root = begin(&parent).called("called");
    let sent = root.run(async { propagation::current().unwrap() }).await;
    assert!(root.is_recorded() && root.trace_id() == parent.trace_id() && sent != SAMPLED, "{sent}");
    assert_eq!(root.traceparent(), Some(sent));
    drop(root);
    let spans = finished(parent.trace_id());
    assert_eq!((span(&spans, "called").parent_span_id, spans[0].parent_span_is_remote), (parent.span_id(), true));

    let root = begin(&propagation::parse(NOT_SAMPLED));
    let inside = async { (tracing::debug_span!(target: OURS, "query").is_disabled(), propagation::current()) };
    assert_eq!(root.run(inside).await, (true, Some(NOT_SAMPLED.to_owned())), "passed on as it came");
    assert!(!root.is_recorded());
}

#[tokio::test]
async fn without_a_root_nothing_is_made() {
    LazyLock::force(&TELEMETRY);
    assert!(tracing::debug_span!(target: OURS, "poll").is_disabled() && Span::current().is_disabled());
    assert_eq!(propagation::current(), None);
    note(|| panic!("there is nothing to add to"));
    let named = Root::begin(Kind::Consumer, &SpanContext::NONE, Some(RequestId(HeaderValue::from_static("a"))));
    assert!(named.trace_id() != TraceId::INVALID);
}
