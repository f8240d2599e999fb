//! Cross-origin requests: which pages' scripts may read our answers (the CORS protocol of the Fetch standard).
//!
//! poem's own middleware refuses whatever has an `Origin` it does not know, our own pages' writes included, forgets
//! `Vary` where it matters, and replaces it where others have set it.

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{IntoResponse as _, Request, Response};

use super::intercept::Interceptor;
use super::problem::{Kind, Problem};
use crate::config::{Cors, Origins};

const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE";
/// What scripts may send beyond what every page may.
const REQUEST_FIELDS: &str =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, traceparent, tracestate";
/// What scripts may read beyond what every page may.
const ANSWER_FIELDS: &str = "Allow, Cache-Status, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, \
                             Retry-After, Server-Timing, traceresponse, WWW-Authenticate, X-Request-Id";

/// Answers preflights, and tells browsers who may read answers.
pub(super) struct CrossOrigin {
    origins: Origins,
    max_age: u64,
}

impl CrossOrigin {
    pub(super) fn new(cors: &Cors) -> Self {
        Self { origins: cors.origins.clone(), max_age: cors.max_age.as_secs() }
    }

    /// Whether no other origin is served at all.
    fn is_off(&self) -> bool {
        matches!(&self.origins, Origins::Listed(none) if none.is_empty())
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
}

impl Interceptor for CrossOrigin {
    /// What to say to the request's origin, if it may read.
    type Seen = Option<HeaderValue>;

    async fn before(&self, request: &mut Request) -> (Self::Seen, Option<Response>) {
        let origin = request.headers().get(header::ORIGIN).filter(|_| !self.is_off());
        let allowed = origin.and_then(|origin| self.allowed(origin));
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        // Without a preflight, a foreign page's script does not get to read the answer: its browser sees to that.
        let answer = (asks && origin.is_some()).then(|| self.preflight(allowed.as_ref()));
        (allowed, answer)
    }

    fn after(&self, allowed: Self::Seen, response: &mut Response) {
        let headers = response.headers_mut();
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_FIELDS));
        }
        // The answer depends on who asks.
        if self.origins != Origins::Any && !self.is_off() {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
    }
}
