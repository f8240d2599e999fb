//! What every answer is made of: rendered JSON, and the documented ways to fail.

use std::marker::PhantomData;

use bytes::Bytes;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::problem::{CONTENT_TYPE, Kind, Problem, ProblemDocument};

/// A `T` as finished JSON bytes: documented by its schema, written once by serde, so that an entity
/// tag can be taken of it and a cache can keep it.
pub struct Rendered<T> {
    bytes: Bytes,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize> Rendered<T> {
    /// `value` as JSON.
    pub fn new(value: &T) -> Result<Self, Problem> {
        let bytes = serde_json::to_vec(value).map_err(|error| {
            tracing::error!("cannot render an answer: {error}");
            Problem::new(Kind::Internal, "The answer could not be written.")
        })?;
        Ok(Self { bytes: bytes.into(), of: PhantomData })
    }

    /// What is JSON already.
    pub fn finished(bytes: Bytes) -> Self {
        Self { bytes, of: PhantomData }
    }

    /// What was rendered before.
    pub fn kept(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), of: PhantomData }
    }

    /// The JSON.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl<T: Type> Payload for Rendered<T> {
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Send> IntoResponse for Rendered<T> {
    fn into_response(self) -> Response {
        Response::builder().content_type("application/json").body(self.bytes)
    }
}

/// The failures that an operation documents by status; all others are documented as `default`.
pub trait Failures: Send + Sync + 'static {
    /// The statuses, each with what it means here.
    const DOCUMENTED: &'static [(u16, &'static str)];
}

/// A problem as the answer of an operation whose failures are `F`.
pub struct Failure<F> {
    problem: Problem,
    of: PhantomData<fn() -> F>,
}

impl<F, E: Into<Problem>> From<E> for Failure<F> {
    fn from(error: E) -> Self {
        Self { problem: error.into(), of: PhantomData }
    }
}

impl<F> From<Failure<F>> for poem::Error {
    fn from(failure: Failure<F>) -> Self {
        failure.problem.into()
    }
}

impl<F: Failures> ApiResponse for Failure<F> {
    fn meta() -> MetaResponses {
        let response = |status, description| MetaResponse {
            description,
            status,
            status_range: None,
            content: vec![MetaMediaType { content_type: CONTENT_TYPE, schema: ProblemDocument::schema_ref() }],
            headers: match status {
                Some(429) => vec![retry_after("When there is quota again, in seconds.")],
                Some(503) => vec![retry_after("When it is worth trying again, in seconds.")],
                _ => vec![],
            },
        };
        let documented = F::DOCUMENTED.iter().map(|&(status, description)| response(Some(status), description));
        let throttled = response(Some(429), "The client has used up its quota of this class of operations.");
        let rest = response(None, "Any other failure, such as 405, 414, 431 or 500.");
        MetaResponses { responses: documented.chain([throttled, rest]).collect() }
    }

    fn register(registry: &mut Registry) {
        ProblemDocument::register(registry);
    }
}

fn retry_after(description: &str) -> MetaHeader {
    MetaHeader {
        name: "Retry-After".to_owned(),
        description: Some(description.to_owned()),
        required: true,
        deprecated: false,
        schema: u64::schema_ref(),
    }
}
