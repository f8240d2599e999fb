//! How much a request may take: the URL's length, the body's, and the time until the answer.

use std::time::Duration;

use poem::error::ReadBodyError;
use poem::{Body, Endpoint, IntoResponse as _, Request, Response};

use super::problem::{Kind, Problem};
use crate::config;

/// Enough for ten times the longest cursor we make.
const MAX_URL_BYTES: usize = 16 * 1024;

/// Guards `inner`.
pub(super) struct Limits<E> {
    inner: E,
    max_body_bytes: usize,
    timeout: Duration,
}

impl<E> Limits<E> {
    pub(super) fn new(inner: E, limits: &config::Http) -> Self {
        Self { inner, max_body_bytes: limits.max_body_bytes, timeout: limits.request_timeout }
    }
}

impl<E: Endpoint> Endpoint for Limits<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if request.uri().path_and_query().is_some_and(|url| url.as_str().len() > MAX_URL_BYTES) {
            let detail = format!("The URL may have {MAX_URL_BYTES} bytes; shorten its parameters.");
            return Err(Problem::new(Kind::UrlTooLong, detail).field("url").into());
        }
        let deadline = tokio::time::Instant::now() + self.timeout;
        if !request.headers().contains_key("content-length") && !request.headers().contains_key("transfer-encoding") {
            // No body announced, none to be read (RFC 9112, 6.3).
            return self.answer(deadline, request).await;
        }
        // Read before anything is parsed, and never more than allowed, whatever the length announced.
        let read = request.take_body().into_bytes_limit(self.max_body_bytes);
        let body = match tokio::time::timeout_at(deadline, read).await {
            Ok(Ok(body)) => body,
            Ok(Err(ReadBodyError::PayloadTooLarge)) => {
                let detail = format!("The body may have {} bytes.", self.max_body_bytes);
                return Err(Problem::new(Kind::BodyTooLarge, detail).field("body").into());
            }
            Ok(Err(_)) => {
                return Err(Problem::new(Kind::MalformedRequest, "The body ended early.").field("body").into());
            }
            Err(_) => {
                return Err(Problem::new(Kind::RequestTimeout, "The body did not arrive in time.")
                    .field("body")
                    .into());
            }
        };
        request.set_body(Body::from_bytes(body));
        self.answer(deadline, request).await
    }
}

impl<E: Endpoint> Limits<E> {
    async fn answer(&self, deadline: tokio::time::Instant, request: Request) -> poem::Result<Response> {
        match tokio::time::timeout_at(deadline, self.inner.call(request)).await {
            Ok(answer) => Ok(answer?.into_response()),
            Err(_) => Err(Problem::new(Kind::Busy, "The answer took too long; try again in a second.").into()),
        }
    }
}
