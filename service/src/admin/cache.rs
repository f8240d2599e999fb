//! The cache, for those who run the service.

use std::sync::Arc;

use poem::endpoint::{make, make_sync};
use poem::http::StatusCode;
use poem::{IntoResponse as _, Request, Response, Route, get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer;
use crate::api::problem::{Kind, Problem};
use crate::cache::{Namespace, Operation, Origin};

pub(super) type Cache = crate::cache::Cache<Problem>;

/// A body of a few words.
const MAX_BODY: usize = 1_024;

/// Adds `/v1/admin/cache` and `/v1/admin/cache/flush`.
pub(super) fn add(routes: Route, cache: Arc<Cache>) -> Route {
    let shown = Arc::clone(&cache);
    routes
        .at("/v1/admin/cache", get(make_sync(move |_| status(&shown))))
        .at("/v1/admin/cache/flush", post(make(move |request| flush(Arc::clone(&cache), request))))
}

fn status(cache: &Cache) -> Response {
    let stats = cache.stats();
    let operation = |operation: Operation| {
        let answers = Origin::ALL.map(|origin| (origin.name().to_owned(), stats.answers(operation, origin).into()));
        let mut fields: serde_json::Map<String, Value> = answers.into_iter().collect();
        fields.insert("hitRatio".to_owned(), json!((stats.hit_ratio(operation) * 10_000.0).round() / 10_000.0));
        (operation.name().to_owned(), Value::Object(fields))
    };
    let operations: serde_json::Map<String, Value> = Operation::ALL.map(operation).into_iter().collect();
    let (entries, bytes) = cache.local_size();
    answer(
        StatusCode::OK,
        &json!({
            "live": cache.is_live(),
            "shared": cache.is_shared(),
            "local": {"entries": entries, "bytes": bytes},
            "loads": stats.loads(),
            "refreshes": stats.refreshes(),
            "voids": stats.voids(),
            "operations": operations,
        }),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flush {
    namespace: String,
}

async fn flush(cache: Arc<Cache>, mut request: Request) -> Result<Response, poem::Error> {
    let wrong = |why: &str| Problem::new(Kind::InvalidBody, format!("namespace {why}.")).field("namespace");
    let body = request.take_body().into_bytes_limit(MAX_BODY).await?;
    let wanted: Flush = serde_json::from_slice(&body).map_err(|_| {
        wrong("must be given as JSON: {\"namespace\": \"all\"}, or products, category:NAME, product:ID")
    })?;
    let namespace: Namespace = wanted.namespace.parse().map_err(wrong)?;
    cache.flush(namespace).await;
    tracing::info!(namespace = wanted.namespace, "the cache was flushed");
    Ok(answer(StatusCode::OK, &json!({"flushed": wanted.namespace})).into_response())
}
