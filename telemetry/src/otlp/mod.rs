//! Batches of spans that are sent by the exporter's library, and written by ourselves.
//!
//! The library has no place for an encoder. So it is given an empty batch, of which it makes a message that has the
//! resource only, and [`Completed`] puts the spans into that on its way: addresses, header fields, time-outs, what the
//! collector answers all remain the library's.

mod message;
mod spans;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::{Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_sdk::trace::SpanData;

use message::{Message, only_field};

/// The batch that is under way. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnderWay(Arc<Mutex<Vec<SpanData>>>);

impl UnderWay {
    /// Has the next requests carry `batch`; what the library is given instead.
    pub(crate) fn put(&self, batch: Vec<SpanData>) -> Vec<SpanData> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = batch;
        vec![]
    }

    /// An `ExportTraceServiceRequest` that says what `empty` says, and the spans; `None` if `empty` is no such message.
    fn complete(&self, empty: &[u8]) -> Option<Vec<u8>> {
        let resource = only_field(empty)?;
        let batch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut request = Message::default();
        request.message(1, |resource_spans| {
            resource_spans.raw(resource);
            spans::write(resource_spans, &batch);
        });
        Some(request.into_bytes())
    }
}

/// A client that completes what it sends.
#[derive(Debug)]
pub(crate) struct Completed<C> {
    pub(crate) client: C,
    pub(crate) batch: UnderWay,
}

#[async_trait]
impl<C: HttpClient> HttpClient for Completed<C> {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, empty) = request.into_parts();
        let body = self.batch.complete(&empty).ok_or("the exporter's library writes its messages in another way")?;
        self.client.send_bytes(Request::from_parts(head, body.into())).await
    }
}

#[cfg(test)]
mod tests;
