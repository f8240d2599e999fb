//! How much a request may take: the URL's length, the body's, and the time until the answer.

use std::time::Duration;

use poem::error::ReadBodyError;
use poem::http::header;
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

impl<E: Endpoint<Output = Response>> Endpoint for Limits<E> {
    type Output = Response;

    /// Every error is answered as a problem, the framework's own included.
    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let deadline = tokio::time::Instant::now() + self.timeout;
        if let Err(problem) = self.read(&mut request, deadline).await {
            return Ok(problem.into_response());
        }
        Ok(match tokio::time::timeout_at(deadline, self.inner.call(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Problem::from_framework(&error).into_response(),
            Err(_) => Problem::new(Kind::Busy, "The answer took too long; try again in a second.").into_response(),
        })
    }
}

impl<E> Limits<E> {
    /// Reads the body before anything is parsed, and never more than allowed, whatever the length announced.
    async fn read(&self, request: &mut Request, deadline: tokio::time::Instant) -> Result<(), Problem> {
        if request.uri().path_and_query().is_some_and(|url| url.as_str().len() > MAX_URL_BYTES) {
            let detail = format!("The URL may have {MAX_URL_BYTES} bytes; shorten its parameters.");
            return Err(Problem::new(Kind::UrlTooLong, detail).field("url"));
        }
        let headers = request.headers();
        if !headers.contains_key(header::CONTENT_LENGTH) && !headers.contains_key(header::TRANSFER_ENCODING) {
            // No body announced, none to be read (RFC 9112, 6.3).
            return Ok(());
        }
        // Boxed: its buffer would make every request's future large, and most have no body.
        let read = Box::pin(request.take_body().into_bytes_limit(self.max_body_bytes));
        let body = tokio::time::timeout_at(deadline, read).await;
        let refuse = |kind, detail: String| Err(Problem::new(kind, detail).field("body"));
        match body {
            Ok(Ok(body)) => request.set_body(Body::from_bytes(body)),
            Ok(Err(ReadBodyError::PayloadTooLarge)) => {
                return refuse(Kind::BodyTooLarge, format!("The body may have {} bytes.", self.max_body_bytes));
            }
            Ok(Err(_)) => return refuse(Kind::MalformedRequest, "The body ended early.".to_owned()),
            Err(_) => return refuse(Kind::RequestTimeout, "The body did not arrive in time.".to_owned()),
        }
        Ok(())
    }
}
