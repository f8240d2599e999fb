//! The cache, for those who run the service.

use std::sync::Arc;

use poem::endpoint::{make, make_sync};
use poem::http::StatusCode;
use poem::{IntoResponse as _, Request, Response, Route, get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer;
use super::metrics::Exposition;
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

/// The cache in numbers.
pub(super) fn expose(metrics: &mut Exposition, cache: &Cache) {
    let stats = cache.stats();
    let samples: Vec<_> = Operation::ALL
        .into_iter()
        .flat_map(|operation| Origin::ALL.map(|origin| (operation, origin)))
        .map(|(operation, origin)| {
            let labels = format!("operation=\"{}\",origin=\"{}\"", operation.name(), origin.name());
            (labels, stats.answers(operation, origin) as f64)
        })
        .collect();
    let counter = "counter";
    metrics.add("farmlokal_cache_answers_total", counter, "Answers by where they came from.", &samples);
    metrics.one("farmlokal_cache_loads_total", counter, "Answers computed.", stats.loads() as f64);
    let ahead = "Answers computed ahead of their time.";
    metrics.one("farmlokal_cache_refreshes_total", counter, ahead, stats.refreshes() as f64);
    let voids = "Changes and flushes that voided something.";
    metrics.one("farmlokal_cache_voids_total", counter, voids, stats.voids() as f64);
    let (entries, bytes) = cache.local_size();
    metrics.one("farmlokal_cache_local_entries", "gauge", "Answers in this process.", entries as f64);
    metrics.one("farmlokal_cache_local_bytes", "gauge", "Bytes of answers in this process.", bytes as f64);
    let shared = f64::from(u8::from(cache.is_shared()));
    metrics.one("farmlokal_cache_shared", "gauge", "Whether answers are shared in Redis.", shared);
}
