//! `GET /external-sync`: what the original's clients know it by.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::answer::Rendered;
use super::{Context, Tag};

/// The original's operation.
pub struct OriginalSyncApi(pub Arc<Context>);

/// What the original said when the supplier failed.
#[derive(Object)]
#[oai(rename = "OriginalSyncFailure")]
pub struct OriginalFailure {
    /// What went wrong.
    error: String,
}

/// The supplier's answer.
#[derive(ApiResponse)]
pub enum OriginalSyncAnswer {
    /// What the first supplier, by name, offers first, as it wrote it.
    #[oai(status = 200)]
    Offers(Rendered<serde_json::Value>),
    /// The supplier did not answer as it should, or there is none.
    #[oai(status = 504)]
    Failed(Json<OriginalFailure>),
}

#[OpenApi(tag = "Tag::Original")]
impl OriginalSyncApi {
    /// Ask the supplier as the original did
    ///
    /// Passes the first page of the first supplier's offers on; nothing is kept. `/v1/suppliers` does that.
    #[oai(path = "/external-sync", method = "get", operation_id = "externalSyncOriginal")]
    async fn external_sync(&self) -> OriginalSyncAnswer {
        match self.0.suppliers.passed_on().await {
            Some(Ok(body)) => OriginalSyncAnswer::Offers(Rendered::finished(body)),
            Some(Err(_)) | None => OriginalSyncAnswer::Failed(Json(OriginalFailure {
                error: "External API timed out or failed".to_owned(),
            })),
        }
    }
}
