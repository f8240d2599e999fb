//! Cross-origin requests: which pages' scripts may read our answers (the CORS protocol of the Fetch standard).
//!
//! poem's own middleware refuses whatever has an `Origin` it does not know, our own pages' writes included, forgets
//! `Vary` where it matters, and replaces it where others have set it.

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse as _, Request, Response};

use super::problem::{Kind, Problem};
use crate::config::{Cors, Origins};

const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE";
/// What scripts may send beyond what every page may.
const REQUEST_FIELDS: &str =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, traceparent, tracestate";
/// What scripts may read beyond what every page may.
const ANSWER_FIELDS: &str = "Allow, Cache-Status, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, \
                             Retry-After, Search-Source, Server-Timing, traceresponse, WWW-Authenticate, X-Request-Id";

/// Answers preflights, and tells browsers who may read the answers of `inner`.
pub(super) struct CrossOrigin<E> {
    inner: E,
    origins: Origins,
    max_age: u64,
}

impl<E> CrossOrigin<E> {
    pub(super) fn new(inner: E, cors: &Cors) -> Self {
        Self { inner, origins: cors.origins.clone(), max_age: cors.max_age.as_secs() }
    }

    /// What to say of `origin`, if it may read.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match &self.origins {
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::Listed(listed) => {
                listed.iter().any(|it| it.as_bytes() == origin.as_bytes()).then(|| origin.clone())
            }
        }
    }

    fn preflight(&self, allowed: Option<&HeaderValue>) -> Response {
        if allowed.is_none() {
            let detail = "Pages of this origin may not use the API; see cors.allowed_origins.";
            return Problem::new(Kind::OriginNotAllowed, detail).field("Origin").into_response();
        }
        Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS)
            .header(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_FIELDS)
            .header(header::ACCESS_CONTROL_MAX_AGE, self.max_age)
            .finish()
    }

    /// Says who may read, and that it depends on who asks.
    fn complete(&self, headers: &mut HeaderMap, allowed: Option<HeaderValue>) {
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_FIELDS));
        }
        if self.origins != Origins::Any {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
    }
}

impl<E: Endpoint> Endpoint for CrossOrigin<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if matches!(&self.origins, Origins::Listed(none) if none.is_empty()) {
            return Ok(self.inner.get_response(request).await);
        }
        let origin = request.headers().get(header::ORIGIN);
        let allowed = origin.and_then(|origin| self.allowed(origin));
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let mut response = match origin {
            Some(_) if asks => self.preflight(allowed.as_ref()),
            // A foreign page's script does not get to read the answer: its browser sees to that.
            _ => self.inner.get_response(request).await,
        };
        self.complete(response.headers_mut(), allowed);
        Ok(response)
    }
}
