//! Each request is the root of what is done for it: a span named by method and route if its trace is recorded, and in
//! any case the name under which the log speaks of it. Nothing of a query is ever said, nor who asks.

use std::time::{Duration, Instant};

use farmlokal_telemetry::{Kind, RequestId, Root, propagation};
use opentelemetry::trace::{SpanBuilder, Status};
use opentelemetry::{KeyValue, Value};
use poem::http::{HeaderName, HeaderValue, Method, StatusCode};
use poem::{Endpoint, Request, Response};

use super::contract::RouteTemplate;
use super::{problem, request_id};

/// The recorded span that answered, in the form of `traceparent` (W3C Trace Context, level 2).
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Of a request, at its beginning, at its end and on its way.
const ATTRIBUTES: usize = 8;

/// The target of the lines about requests.
const LOG: &str = "farmlokal::request";

/// Begins and ends each request's root around `inner`.
pub(super) struct Traced<E>(pub(super) E);

impl<E: Endpoint<Output = Response>> Endpoint for Traced<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let began = Instant::now();
        let parent = propagation::extract(request.headers());
        // A trace may have many requests; one that begins with this request names it too.
        let fresh = || if parent.is_valid() { HeaderValue::try_from(request_id::fresh()).ok() } else { None };
        let name = request_id::sent(request.headers()).or_else(fresh);
        let method = method(request.method());
        let known = || SpanBuilder::from_name(method).with_attributes(asked(&request, method));
        let root = Root::begin_with(Kind::Server, &parent, name.clone().map(RequestId), known);
        let work = async {
            let response = self.0.call(request).await.unwrap_or_else(|error| error.into_response());
            log(method, &response, began);
            response
        };
        let mut response = root.run(work).await;
        if let Some(id) = name.or_else(|| HeaderValue::from_bytes(&propagation::name(root.trace_id())).ok()) {
            response.headers_mut().insert(request_id::FIELD, id);
        }
        if root.is_recorded() {
            describe(&root, method, &response);
            tell(&root, &mut response, began.elapsed());
        }
        Ok(response)
    }
}

/// The method as the semantic conventions want it: one of a few, whatever was sent.
fn method(method: &Method) -> &'static str {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::PUT,
        Method::CONNECT,
        Method::TRACE,
    ];
    const NAMES: [&str; 9] = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT", "CONNECT", "TRACE"];
    KNOWN.iter().zip(NAMES).find(|(known, _)| *known == method).map_or("_OTHER", |(_, name)| name)
}

/// What is known of a request from the beginning. By which name a client calls us (`server.address`) is only recommended,
/// and every attribute is made, copied and sent for each request.
fn asked(request: &Request, method: &'static str) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(ATTRIBUTES);
    attributes.extend([
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("url.path", request.uri().path().to_owned()),
    ]);
    attributes
}

/// What is known of it in the end.
fn describe(root: &Root, method: &'static str, response: &Response) {
    let (span, status) = (root.span(), response.status());
    let route = response.extensions().get().map(|RouteTemplate(route)| *route);
    if let Some(route) = route {
        // The conventions' name for a method of its own.
        let method = if method == "_OTHER" { "HTTP" } else { method };
        span.update_name([method, " ", route].concat());
    }
    let route = route.map(|route| KeyValue::new("http.route", route));
    let status_code = KeyValue::new("http.response.status_code", i64::from(status.as_u16()));
    span.set_attributes(route.into_iter().chain([status_code]));
    if status.is_server_error() {
        let kind = response.extensions().get::<problem::Kind>();
        let kind = kind.map_or_else(|| Value::from(status.as_u16().to_string()), |kind| Value::from(kind.code()));
        span.set_attribute(KeyValue::new("error.type", kind));
        span.set_status(Status::error(""));
    }
}

/// Tells the client where to look.
fn tell(root: &Root, response: &mut Response, took: Duration) {
    let fields = [(TRACERESPONSE, root.traceparent()), (SERVER_TIMING, Some(server_timing(took)))];
    for (name, value) in fields {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// The whole, in milliseconds (W3C Server Timing, 3). For every recorded request, so without `core::fmt`.
fn server_timing(took: Duration) -> String {
    // A division of 128 bits is a call, and there would be four.
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let mut text = String::with_capacity(32);
    text.push_str("total;dur=");
    text.push_str(itoa::Buffer::new().format(micros / 1_000));
    text.push('.');
    // The leading 1 keeps the zeros.
    text.push_str(&itoa::Buffer::new().format(1_000 + micros % 1_000)[1..]);
    text
}

/// The line of a request, for those who want one; and in any case of one that we failed. That we are busy, or the
/// database away, is said elsewhere, once and not by every request that meets it.
fn log(method: &'static str, response: &Response, began: Instant) {
    // Asked for only where there is to be a line.
    let route = || response.extensions().get().map_or("", |RouteTemplate(route)| *route);
    let ms = || began.elapsed().as_secs_f64() * 1_000.0;
    let status = response.status();
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::warn!(target: LOG, method, route = route(), status = status.as_u16(), ms = ms(), "failed");
    } else {
        tracing::debug!(target: LOG, method, route = route(), status = status.as_u16(), ms = ms(), "answered");
    }
}

#[cfg(test)]
mod tests {
    use farmlokal_catalog::store::StoreError;
    use farmlokal_telemetry::{Settings, start_with};
    use opentelemetry_sdk::trace::InMemorySpanExporter;
    use poem::{EndpointExt as _, IntoResponse as _};

    use super::*;
    use crate::api::problem::Problem;

    #[tokio::test]
    async fn a_request_is_answered_under_the_name_it_came_with_or_its_traces() {
        let inside = poem::endpoint::make_sync(|_| propagation::current().unwrap_or_default());
        let endpoint = Traced(inside.map_to_response());
        let answer = async |fields: &[(&str, &str)]| {
            let mut request = Request::builder();
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let answer = endpoint.get_response(request.finish()).await;
            let id = answer.headers()[request_id::FIELD].to_str().unwrap().to_owned();
            (id, answer.into_body().into_string().await.unwrap())
        };
        let (id, trace) = answer(&[]).await;
        assert_eq!((id.len(), trace.split('-').nth(1)), (32, Some(&*id)), "the trace's");
        assert_ne!(answer(&[]).await.0, id);
        assert_eq!(answer(&[("x-request-id", "support-4711")]).await.0, "support-4711");
        assert_eq!(answer(&[("x-request-id", "x\"} forged")]).await.0.len(), 32);

        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        let (first, trace) = answer(&[("traceparent", parent)]).await;
        assert_eq!(trace, parent, "it is passed on");
        assert_eq!(first.len(), 32);
        assert_ne!(answer(&[("traceparent", parent)]).await.0, first, "two requests of one trace are told apart");
    }

    #[tokio::test]
    async fn a_failure_of_ours_is_on_the_span_with_its_cause() {
        let finished = InMemorySpanExporter::default();
        let (log, format) = ("off".parse().unwrap(), farmlokal_telemetry::log::Format::Json);
        let (service, version, traces_per_second) = ("farmlokal-test", "0", 1_000_000_000);
        let settings = Settings { service, version, log, format, traces_per_second };
        start_with(settings, |provider| provider.with_simple_exporter(finished.clone())).unwrap();
        let failing = poem::endpoint::make_sync(|_| {
            let mut response = Problem::from(StoreError::Corrupt { id: 7, field: "price".into() }).into_response();
            response.extensions_mut().insert(RouteTemplate("/v1/products/{id}"));
            response
        });
        let request = Request::builder().uri_str("/v1/products/7").finish();
        let answer = Traced(failing).get_response(request).await;
        let told = answer.headers()[TRACERESPONSE].to_str().unwrap().to_owned();
        let spans = finished.get_finished_spans().unwrap();
        let span = spans.iter().find(|span| told.contains(&span.span_context.span_id().to_string())).unwrap();
        assert_eq!((&*span.name, &span.status), ("GET /v1/products/{id}", &Status::error("")));
        let of = |key: &str| span.attributes.iter().find(|it| it.key.as_str() == key).map(|it| it.value.to_string());
        assert_eq!([of("error.type"), of("http.response.status_code")], [Some("internal".into()), Some("500".into())]);
        let events: Vec<_> = span.events.iter().map(|event| &*event.name).collect();
        assert!(
            events.iter().any(|event| event.starts_with("internal error:") && event.contains("price")),
            "{events:?}"
        );
    }

    #[test]
    fn a_duration_is_in_milliseconds() {
        for (micros, expected) in [(0, "0.000"), (7, "0.007"), (1_020, "1.020"), (61_234_567, "61234.567")] {
            assert_eq!(server_timing(Duration::from_micros(micros)), format!("total;dur={expected}"));
        }
        assert!(server_timing(Duration::MAX).starts_with("total;dur="));
    }

    #[test]
    fn methods_are_few() {
        for (given, expected) in [("GET", "GET"), ("PATCH", "PATCH"), ("BREW", "_OTHER"), ("get", "_OTHER")] {
            assert_eq!(method(&given.parse().unwrap()), expected);
        }
    }

    #[test]
    fn nothing_of_a_query_or_a_token_is_said() {
        let request =
            Request::builder().uri_str("/v1/products?search=secret").header("authorization", "Bearer secret").finish();
        let said = format!("{:?}", asked(&request, "GET"));
        assert!(said.contains("/v1/products"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
