//! A body of JSON as the bytes that arrived: a signature is one of bytes, not of what they mean.

use bytes::Bytes;
use poem::{FromRequest as _, Request, RequestBody, Result};
use poem_openapi::ApiRequest;
use poem_openapi::payload::{Json, ParsePayload, Payload};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use serde_json::json;

/// A body that is JSON by its content type.
#[derive(ApiRequest)]
pub enum RawBody {
    /// The event: `{type, timestamp, data}`.
    Json(RawJson),
}

impl RawBody {
    /// The bytes, unread.
    pub fn bytes(&self) -> &Bytes {
        let Self::Json(RawJson(bytes)) = self;
        bytes
    }
}

/// The bytes, unread.
pub struct RawJson(pub Bytes);

impl Payload for RawJson {
    const CONTENT_TYPE: &'static str = "application/json";

    fn check_content_type(content_type: &str) -> bool {
        Json::<serde_json::Value>::check_content_type(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        let mut schema = MetaSchema::new("object");
        schema.description = Some("The event: its type, when it happened, and what.");
        schema.example = Some(json!({
            "type": "price.changed",
            "timestamp": "2026-01-02T06:30:00Z",
            "data": {"externalId": "MANGO-7", "price": "249.50"},
        }));
        MetaSchemaRef::Inline(Box::new(schema))
    }
}

impl ParsePayload for RawJson {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        Ok(Self(Bytes::from_request(request, body).await?))
    }
}
