//! The search index, for those who run the service.

use std::sync::Arc;

pub(super) use farmlokal_catalog::projection::Projection;
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::{Response, Route, get, post};
use serde_json::json;

use super::answer;

/// Adds `/v1/admin/search` and `/v1/admin/search/rebuild`.
pub(super) fn add(routes: Route, projection: Arc<Projection>) -> Route {
    let shown = Arc::clone(&projection);
    routes
        .at("/v1/admin/search", get(make_sync(move |_| status(&shown))))
        .at("/v1/admin/search/rebuild", post(make_sync(move |_| rebuild(&projection))))
}

fn status(projection: &Projection) -> Response {
    let status = projection.status();
    answer(
        StatusCode::OK,
        &json!({
            "state": status.state.name(),
            "serving": projection.index().is_some(),
            "documents": status.documents,
            "bytes": status.bytes,
            "position": status.position,
            "built": status.build.built,
            "wanted": status.build.wanted,
            "buildSeconds": status.build_seconds,
            "lagRows": status.lag_rows,
            "lagSeconds": status.lag_seconds,
            "error": status.error,
        }),
    )
}

fn rebuild(projection: &Projection) -> Response {
    projection.rebuild();
    answer(StatusCode::ACCEPTED, &json!({"state": "rebuilding"}))
}
