//! What is written here is what the library writes.

use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use super::*;

fn value() -> impl Strategy<Value = Value> {
    let text = || ".{0,200}";
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        // One that is no number is not equal to itself.
        (-1e300_f64..1e300).prop_map(Value::F64),
        text().prop_map(|text| Value::String(text.into())),
        vec(any::<bool>(), 0..3).prop_map(|values| Value::Array(Array::Bool(values))),
        vec(any::<i64>(), 0..3).prop_map(|values| Value::Array(Array::I64(values))),
        vec(-1e300_f64..1e300, 0..3).prop_map(|values| Value::Array(Array::F64(values))),
        vec(text().prop_map(StringValue::from), 0..3).prop_map(|values| Value::Array(Array::String(values))),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(("[a-z.]{0,40}", value()).prop_map(|(key, value)| KeyValue::new(key, value)), 0..5)
}

fn context() -> impl Strategy<Value = SpanContext> {
    let state = prop_oneof![
        Just(TraceState::NONE),
        Just(TraceState::from_key_value([("shop", "1"), ("other", "2")]).unwrap()),
    ];
    (any::<(u128, u64, u8, bool)>(), state).prop_map(|((trace, span, flags, remote), state)| {
        SpanContext::new(TraceId::from(trace), SpanId::from(span), TraceFlags::new(flags), remote, state)
    })
}

fn scope() -> impl Strategy<Value = InstrumentationScope> {
    prop_oneof![
        Just(InstrumentationScope::default()),
        Just(InstrumentationScope::builder("farmlokal").build()),
        attributes().prop_map(|attributes| {
            let scope = InstrumentationScope::builder("other").with_version("1.2").with_schema_url("https://schema");
            scope.with_attributes(attributes).build()
        }),
    ]
}

fn events() -> impl Strategy<Value = SpanEvents> {
    let event = (".{0,200}", any::<u64>(), attributes(), any::<u32>());
    let event = event.prop_map(|(name, at, attributes, dropped)| {
        Event::new(name, UNIX_EPOCH + Duration::from_nanos(at), attributes, dropped)
    });
    (vec(event, 0..3), any::<u32>()).prop_map(|(events, dropped)| {
        let mut all = SpanEvents::default();
        (all.events, all.dropped_count) = (events, dropped);
        all
    })
}

fn links() -> impl Strategy<Value = SpanLinks> {
    let link = (context(), attributes(), any::<u32>());
    let link = link.prop_map(|(context, attributes, dropped)| Link::new(context, attributes, dropped));
    (vec(link, 0..3), any::<u32>()).prop_map(|(links, dropped)| {
        let mut all = SpanLinks::default();
        (all.links, all.dropped_count) = (links, dropped);
        all
    })
}

fn span() -> impl Strategy<Value = SpanData> {
    let kinds = [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    let statuses = [Status::Unset, Status::Ok, Status::error(""), Status::error("away")];
    let kind = prop::sample::select(kinds.to_vec());
    let status = prop::sample::select(statuses.to_vec());
    let parent = prop_oneof![Just(0), any::<u64>()];
    let what = (context(), parent, any::<bool>(), kind, ".{0,200}", status);
    let more = (any::<(u64, u64, u32)>(), attributes(), events(), links(), scope());
    (what, more).prop_map(|(what, more)| {
        let (span_context, parent, parent_span_is_remote, span_kind, name, status) = what;
        let ((start, end, dropped_attributes_count), attributes, events, links, instrumentation_scope) = more;
        let [start_time, end_time] = [start, end].map(|since| UNIX_EPOCH + Duration::from_nanos(since));
        let (name, parent_span_id) = (name.into(), SpanId::from(parent));
        SpanData {
            span_context,
            parent_span_id,
            parent_span_is_remote,
            span_kind,
            name,
            start_time,
            end_time,
            attributes,
            dropped_attributes_count,
            events,
            links,
            status,
            instrumentation_scope,
        }
    })
}

/// What the library writes.
fn reference(batch: Vec<SpanData>) -> Vec<u8> {
    let resource = Resource::builder_empty().with_attribute(KeyValue::new("service.name", "shop"));
    let resource = ResourceAttributesWithSchema::from(&resource.build());
    let resource_spans = group_spans_by_resource_and_scope(batch, &resource);
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

proptest! {
    #[test]
    fn a_batch_is_written_as_the_library_writes_it(batch in vec(span(), 0..6)) {
        let under_way = UnderWay::default();
        under_way.put(batch.clone());
        let written = under_way.complete(&reference(vec![])).unwrap();
        let written = ExportTraceServiceRequest::decode(&*written).unwrap();
        prop_assert_eq!(written, ExportTraceServiceRequest::decode(&*reference(batch)).unwrap());
    }
}
