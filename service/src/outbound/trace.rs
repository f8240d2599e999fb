//! The span of a call, and what the other side is told of it (W3C Trace Context).

use farmlokal_telemetry::propagation;
use http::Request;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

/// Makes the call `exchange` with `request`, as a span that ends with the status that `status` finds in what it brings.
/// Neither path nor query is said: a receiver's address may be all that protects it.
pub(crate) async fn call<B, T, F: Future<Output = T>>(
    mut request: Request<B>,
    exchange: impl FnOnce(Request<B>) -> F,
    status: impl FnOnce(&T) -> Option<u16>,
) -> T {
    let span = tracing::debug_span!(
        "call",
        otel.name = request.method().as_str(),
        otel.kind = "client",
        otel.status_code = Empty,
        error.type = Empty,
        http.request.method = request.method().as_str(),
        http.response.status_code = Empty,
        server.address = request.uri().host(),
        server.port = request.uri().port_u16(),
    );
    let work = async {
        propagation::inject(request.headers_mut());
        let mut ending = Ending(Span::current(), None);
        let outcome = exchange(request).await;
        ending.1 = Some(status(&outcome));
        outcome
    };
    work.instrument(span).await
}

/// Says how a call ended, also when who made it did not wait for the end.
struct Ending(Span, Option<Option<u16>>);

impl Drop for Ending {
    fn drop(&mut self) {
        let Self(span, ended) = self;
        let failed = match ended {
            Some(Some(status)) => {
                span.record("http.response.status_code", *status);
                (*status >= 400).then(|| status.to_string())
            }
            Some(None) => Some("no_answer".to_owned()),
            None => Some("timeout".to_owned()),
        };
        if let Some(failed) = failed {
            span.record("error.type", failed);
            span.record("otel.status_code", "error");
        }
    }
}
