//! The admin port: for the machine that runs the service, never for the public.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farmlokal_catalog::store::Store;
use farmlokal_telemetry::metrics::Metrics;
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Route, get};
use serde_json::json;

use crate::api::problem::{Kind, Problem};
use cache::Cache;
use pool::Tuner;
use search::Projection;

mod cache;
mod log;
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
    /// The search index.
    pub projection: Arc<Projection>,
    /// Set to wait for the first search index; cleared by it, since an index that is lost later is no reason to serve
    /// no listings.
    pub waits_for_index: Arc<AtomicBool>,
}

/// `/livez` says that the process runs, and asks nobody. `/readyz` says whether requests should come
/// here: 200, or 503 while draining, without a database, or before the first search index. Both name each check. `/v1/admin/search` tells
/// how the search index is doing, and `…/rebuild` has it built anew; `/v1/admin/cache` and `…/flush` do so for
/// the cache; `/v1/admin/pool` tells how the database's pools are doing; `/v1/admin/log` shows and changes what is
/// logged; `/admin/traces` shows what recent requests took their time for; `/metrics` has all numbers.
pub fn endpoint(
    readiness: Readiness,
    cache: Arc<Cache>,
    tuner: Option<Arc<Tuner>>,
    metrics: Metrics,
) -> impl Endpoint<Output = Response> + 'static {
    let projection = Arc::clone(&readiness.projection);
    let routes = traces::add(log::add(cache::add(search::add(Route::new(), projection), cache)));
    pool::add(routes, Arc::clone(&readiness.store), tuner)
        .at("/metrics", get(make_sync(move |_| scrape(&metrics))))
        .at("/livez", get(make_sync(|_| answer(StatusCode::OK, &json!({"status": "ok"})))))
        .at("/readyz", get(Ready(readiness)))
        .catch_all_error(|error| async move { Problem::from_framework(&error).into_response() })
}

fn scrape(metrics: &Metrics) -> Response {
    match metrics.text() {
        Ok(text) => Response::builder().content_type(Metrics::CONTENT_TYPE).body(text),
        Err(error) => {
            tracing::error!("{error}");
            Problem::new(Kind::Internal, "The metrics could not be written.").into_response()
        }
    }
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
        let search = if self.0.projection.index().is_some() { "ok" } else { "building" };
        if search == "ok" {
            self.0.waits_for_index.store(false, Ordering::Relaxed);
        }
        let waits = self.0.waits_for_index.load(Ordering::Relaxed);
        let ready = process == "ok" && database == "ok" && !waits;
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let word = if ready { "ok" } else { "unavailable" };
        let checks = json!({"process": process, "database": database, "search": search});
        Ok(answer(status, &json!({"status": word, "checks": checks})))
    }
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .header("cache-control", "no-store")
        .body(body.to_string())
}
