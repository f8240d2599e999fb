use opentelemetry::KeyValue;
use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::trace::{TraceFlags, TraceState};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::*;

fn at(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_millis(ms)
}

fn tracer(recent: &RecentTraces) -> (SdkTracer, SdkTracerProvider) {
    let provider =
        SdkTracerProvider::builder().with_span_processor(Watched { recent: recent.clone(), next: None }).build();
    (provider.tracer("test"), provider)
}

fn begin(tracer: &SdkTracer, name: &'static str, from: u64, parent: &Context) -> Context {
    let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_start_time(at(from));
    parent.with_span(tracer.build_with_context(builder, parent))
}

fn end(context: &Context, ms: u64) {
    use opentelemetry::trace::TraceContextExt as _;
    context.span().end_with_timestamp(at(ms));
}

/// A request of `ms` with one child.
fn request(tracer: &SdkTracer, from: u64, ms: u64, parent: &Context) -> String {
    let root = begin(tracer, "GET /v1/products", from, parent);
    let child = begin(tracer, "SELECT products", from + 1, &root);
    child.span().set_attribute(KeyValue::new("db.system.name", "sqlite"));
    end(&child, from + 2);
    end(&root, from + ms);
    root.span().span_context().trace_id().to_string()
}

#[test]
fn a_trace_is_shown_when_its_root_has_ended() {
    let recent = RecentTraces::default();
    let (tracer, _provider) = tracer(&recent);
    let root = begin(&tracer, "GET /v1/products", 0, &Context::new());
    let child = begin(&tracer, "cache", 3, &root);
    end(&child, 8);
    assert!(recent.latest().is_empty());
    end(&root, 10);
    let [trace] = &recent.latest()[..] else { panic!("one trace") };
    assert_eq!((trace.name.as_str(), trace.duration_us, trace.failed), ("GET /v1/products", 10_000, false));
    let [root, child] = &trace.spans[..] else { panic!("two spans") };
    assert_eq!((&root.parent_id, child.parent_id.as_ref()), (&None, Some(&root.span_id)));
    assert_eq!((child.offset_us, child.duration_us), (3_000, 5_000));
}

#[test]
fn who_is_called_from_elsewhere_is_a_root_here() {
    let recent = RecentTraces::default();
    let (tracer, _provider) = tracer(&recent);
    let caller = SpanContext::new(7.into(), 8.into(), TraceFlags::SAMPLED, true, TraceState::NONE);
    let id = request(&tracer, 0, 10, &Context::new().with_remote_span_context(caller));
    assert_eq!(recent.latest()[0].trace_id, id);
    assert_eq!(recent.latest()[0].spans[0].parent_id, None);
}

#[test]
fn the_latest_and_the_slowest_are_kept() {
    let recent = RecentTraces::default();
    let (tracer, _provider) = tracer(&recent);
    let slow = request(&tracer, 0, 900, &Context::new());
    let ids: Vec<_> = (0..KEPT as u64 + 50).map(|n| request(&tracer, 1_000 + n, 10, &Context::new())).collect();
    let latest: Vec<_> = recent.latest().iter().map(|trace| trace.trace_id.clone()).collect();
    assert_eq!(latest, ids.iter().rev().take(KEPT).cloned().collect::<Vec<_>>());
    let slowest = recent.slowest(at(2_000));
    assert_eq!((slowest.len(), slowest[0].trace_id.as_str()), (KEPT, slow.as_str()));
    let later = at(1_000) + RECENT;
    assert!(recent.slowest(later).iter().all(|trace| trace.trace_id != slow), "not recent any more");
}

#[test]
fn what_never_ends_takes_no_memory() {
    let recent = RecentTraces::default();
    let (tracer, _provider) = tracer(&recent);
    let roots: Vec<_> = (0..OPEN + 10)
        .map(|_| {
            let root = begin(&tracer, "stuck", 0, &Context::new());
            for _ in 0..3 {
                end(&begin(&tracer, "step", 1, &root), 2);
            }
            root
        })
        .collect();
    assert!(recent.kept().open.len() <= OPEN);
    let runaway = begin(&tracer, "loop", 0, &Context::new());
    for _ in 0..2 * SPANS {
        end(&begin(&tracer, "step", 1, &runaway), 2);
    }
    end(&runaway, 5);
    assert_eq!(recent.latest()[0].spans.len(), SPANS + 1);
    drop(roots);
}

#[test]
fn so_many_a_second_are_looked_at() {
    let recent = RecentTraces::paced(20);
    let (tracer, _provider) = tracer(&recent);
    for _ in 0..KEPT {
        request(&tracer, 0, 10, &Context::new());
    }
    let kept = recent.latest();
    assert!((20..KEPT).contains(&kept.len()), "{}", kept.len());
    assert!(kept.iter().all(|trace| trace.spans.len() == 2), "whole ones");
}
