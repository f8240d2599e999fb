//! The trace that a message belongs to, in the form of W3C Trace Context: `traceparent` and `tracestate`.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceFlags, TraceId};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::environment::variable;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The span that sent `headers`; [`SpanContext::NONE`] when they name none, or name it wrongly.
pub fn extract(headers: &HeaderMap) -> SpanContext {
    // Most requests have none.
    if headers.contains_key(TRACEPARENT) { read(&HeaderExtractor(headers)) } else { SpanContext::NONE }
}

/// The same of a `traceparent` that was kept.
pub fn parse(traceparent: &str) -> SpanContext {
    struct Kept<'a>(&'a str);
    impl Extractor for Kept<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == "traceparent").then_some(self.0)
        }

        fn keys(&self) -> Vec<&str> {
            vec!["traceparent"]
        }
    }
    read(&Kept(traceparent))
}

/// The span that started this process, as the variable `TRACEPARENT` says; [`SpanContext::NONE`] without one.
pub fn inherited() -> SpanContext {
    variable("TRACEPARENT").map_or(SpanContext::NONE, |parent| parse(&parent))
}

/// The span that is under way here as a `traceparent`, to be sent or kept; `None` where there is none.
pub fn current() -> Option<String> {
    Context::map_current(|context| format(context.span().span_context()))
}

/// The same, if it is recorded: to be kept by what will be followed by many, and mostly is not recorded.
pub fn recorded() -> Option<String> {
    if crate::recorded::is_recorded_here() { current() } else { None }
}

/// Adds to `headers` which span sends them, if one does.
pub fn inject(headers: &mut HeaderMap) {
    let Some(parent) = current().and_then(|parent| HeaderValue::try_from(parent).ok()) else { return };
    headers.insert(TRACEPARENT, parent);
    let state = Context::map_current(|context| context.span().span_context().trace_state().header());
    if let Some(state) = HeaderValue::try_from(state).ok().filter(|state| !state.is_empty()) {
        headers.insert(TRACESTATE, state);
    }
}

/// `span` as a `traceparent`.
pub fn format(span: &SpanContext) -> Option<String> {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(&span.trace_id().to_bytes(), &mut text[3..35]);
    write_hex(&span.span_id().to_bytes(), &mut text[36..52]);
    write_hex(&[(span.trace_flags() & TraceFlags::SAMPLED).to_u8()], &mut text[53..]);
    str::from_utf8(&text).ok().filter(|_| span.is_valid()).map(str::to_owned)
}

/// `trace` as it stands in a `traceparent`.
pub fn name(trace: TraceId) -> [u8; 32] {
    let mut text = [0; 32];
    write_hex(&trace.to_bytes(), &mut text);
    text
}

/// For every request: by `core::fmt` it was a fifth of a microsecond of a recorded one.
fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    // Two digits a byte, as all who call have room for.
    let _ = hex::encode_to_slice(bytes, digits);
}

fn read(carrier: &dyn Extractor) -> SpanContext {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), carrier);
    context.span().span_context().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn only_what_is_one_is_taken_over() {
        assert_eq!(format(&parse(PARENT)).as_deref(), Some(PARENT));
        assert_eq!(name(parse(PARENT).trace_id()), *b"0af7651916cd43dd8448eb211c80319c");
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(parse(bad), SpanContext::NONE, "{bad}");
        }
    }

    #[test]
    fn what_came_in_goes_out() {
        let mut came = HeaderMap::new();
        came.insert(TRACEPARENT, HeaderValue::from_static(PARENT));
        came.insert(TRACESTATE, HeaderValue::from_static("shop=1"));
        let mut sent = HeaderMap::new();
        inject(&mut sent);
        assert!(sent.is_empty(), "outside of any span");
        let _attached = Context::new().with_remote_span_context(extract(&came)).attach();
        inject(&mut sent);
        assert_eq!(sent, came);
        assert_eq!(current().as_deref(), Some(PARENT));
    }
}
