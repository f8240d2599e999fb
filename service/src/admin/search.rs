//! The search index, for those who run the service.

use std::sync::Arc;

pub(super) use farmlokal_catalog::projection::Projection;
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::{IntoResponse as _, Response, Route, get, post};
use serde_json::json;

use super::answer;
use crate::api::problem::{Kind, Problem};

/// Adds `/v1/admin/search` and `/v1/admin/search/rebuild`.
pub(super) fn add(routes: Route, projection: Option<Arc<Projection>>) -> Route {
    let shown = projection.clone();
    routes
        .at("/v1/admin/search", get(make_sync(move |_| status(shown.as_deref()))))
        .at("/v1/admin/search/rebuild", post(make_sync(move |_| rebuild(projection.as_deref()))))
}

fn status(projection: Option<&Projection>) -> Response {
    let Some(projection) = projection else { return switched_off() };
    let status = projection.status();
    answer(
        StatusCode::OK,
        &json!({
            "state": status.state.name(),
            "serving": projection.index().is_some(),
            "documents": status.documents,
            "bytes": status.bytes,
            "position": status.position,
            "built": status.built,
            "buildSeconds": status.build_seconds,
            "lagRows": status.lag_rows,
            "lagSeconds": status.lag_seconds,
            "error": status.error,
        }),
    )
}

fn rebuild(projection: Option<&Projection>) -> Response {
    let Some(projection) = projection else { return switched_off() };
    projection.rebuild();
    answer(StatusCode::ACCEPTED, &json!({"state": "rebuilding"}))
}

fn switched_off() -> Response {
    Problem::new(Kind::NoSuchPath, "There is no search index here: search.index is false.").into_response()
}
