//! How long requests take, by route, method and status.

use std::sync::Arc;
use std::time::Instant;

use poem::{Endpoint, Request, Response};

use super::contract::RouteTemplate;
use crate::metrics::Requests;

/// Measures the requests that `inner` answers. One whose client goes away before is counted while it lasts only.
pub(super) struct Measured<E> {
    pub(super) inner: E,
    pub(super) requests: Arc<Requests>,
}

impl<E: Endpoint<Output = Response>> Endpoint for Measured<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let begun = Instant::now();
        let active = self.requests.begin(request.method().as_str());
        let response = self.inner.call(request).await.unwrap_or_else(|error| error.into_response());
        let route = response.extensions().get::<RouteTemplate>().map(|template| template.0);
        active.end(route, response.status().as_u16(), begun.elapsed());
        Ok(response)
    }
}
