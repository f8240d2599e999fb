//! The admin port: for the machine that runs the service, never for the public.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farmlokal_catalog::store::Store;
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Route, get};
use serde_json::json;

use crate::api::problem::Problem;
use cache::Cache;
use metrics::Exposition;
use pool::Tuner;
use search::Projection;

mod cache;
mod log;
mod metrics;
mod pool;
mod search;
mod traces;

/// How long the database may take to answer a readiness question.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// What readiness depends on.
#[derive(Clone)]
pub struct Readiness {
    /// Set when it is about to end.
    pub draining: Arc<AtomicBool>,
    /// Asked over a connection of its own.
    pub store: Arc<dyn Store>,
}

/// `/livez` says that the process runs, and asks nobody. `/readyz` says whether requests should come
/// here: 200, or 503 while draining or without a database. Both name each check. `/v1/admin/search` tells
/// how the search index is doing, and `…/rebuild` has it built anew; `/v1/admin/cache` and `…/flush` do so for
/// the cache; `/v1/admin/pool` tells how the database's pools are doing; `/v1/admin/log` shows and changes what is
/// logged; `/admin/traces` shows what recent requests took their time for; `/metrics` has the same in numbers.
pub fn endpoint(
    readiness: Readiness,
    projection: Option<Arc<Projection>>,
    cache: Arc<Cache>,
    tuner: Option<Arc<Tuner>>,
) -> impl Endpoint<Output = Response> + 'static {
    let (counted, cached) = (projection.clone(), Arc::clone(&cache));
    let routes = traces::add(log::add(cache::add(search::add(Route::new(), projection), cache)));
    pool::add(routes, Arc::clone(&readiness.store), tuner)
        .at("/metrics", get(make_sync(move |_| metrics(counted.as_deref(), &cached))))
        .at("/livez", get(make_sync(|_| answer(StatusCode::OK, &json!({"status": "ok"})))))
        .at("/readyz", get(Ready(readiness)))
        .catch_all_error(|error| async move { Problem::from_framework(&error).into_response() })
}

fn metrics(projection: Option<&Projection>, cache: &Cache) -> Response {
    let mut metrics = Exposition::default();
    if let Some(projection) = projection {
        search::expose(&mut metrics, &projection.status());
    }
    cache::expose(&mut metrics, cache);
    Response::builder().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.into_text())
}

struct Ready(Readiness);

impl Endpoint for Ready {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        let process = if self.0.draining.load(Ordering::Relaxed) { "draining" } else { "ok" };
        let database = match tokio::time::timeout(PING_TIMEOUT, self.0.store.ping()).await {
            Ok(Ok(())) => "ok",
            Ok(Err(_)) => "unavailable",
            Err(_) => "timeout",
        };
        let ready = process == "ok" && database == "ok";
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let word = if ready { "ok" } else { "unavailable" };
        Ok(answer(status, &json!({"status": word, "checks": {"process": process, "database": database}})))
    }
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .header("cache-control", "no-store")
        .body(body.to_string())
}
