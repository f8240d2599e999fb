//! Load shedding: what finds no place is answered 503 at once, so that the rest is answered well.

use std::sync::Arc;
use std::time::Duration;

use poem::http::header;
use poem::{Endpoint, IntoResponse as _, Request, Response};

use super::problem::{Kind, Problem};
use crate::limits::Load;
use crate::server::Pause;

/// For those who do not wait as they are told: the shortest `Retry-After`.
const PAUSE: Pause = Pause(Duration::from_secs(1));

/// Lets `inner` work on so many requests at once.
pub(super) struct Shedding<E> {
    inner: E,
    load: Arc<Load>,
}

impl<E> Shedding<E> {
    pub(super) fn new(inner: E, load: Arc<Load>) -> Self {
        Self { inner, load }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Shedding<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        match self.load.enter().await {
            Ok(_place) => self.inner.call(request).await,
            Err(full) => {
                let detail = format!("More is asked than can be answered; try again in {} s.", full.retry_after);
                let mut response = Problem::new(Kind::Busy, detail).into_response();
                response.headers_mut().insert(header::RETRY_AFTER, full.retry_after.into());
                response.extensions_mut().insert(PAUSE);
                Ok(response)
            }
        }
    }
}
