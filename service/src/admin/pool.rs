//! The database's pools, for those who run the service.

use std::sync::Arc;

use farmlokal_catalog::store::{PoolStatus, Store};
use poem::endpoint::make_sync;
use poem::http::StatusCode;
use poem::{Response, Route, get};
use serde_json::{Value, json};

use super::answer;
pub(super) use crate::tuning::Tuner;

/// Adds `/v1/admin/pool`.
pub(super) fn add(routes: Route, store: Arc<dyn Store>, tuner: Option<Arc<Tuner>>) -> Route {
    routes.at("/v1/admin/pool", get(make_sync(move |_| status(&*store, tuner.as_deref()))))
}

fn status(store: &dyn Store, tuner: Option<&Tuner>) -> Response {
    // First what has become of the file: what it says has been done is then seen in the pools.
    let tuning = tuner.map(tuning);
    let pools: Vec<Value> = store.pools().iter().map(pool).collect();
    answer(StatusCode::OK, &json!({"pools": pools, "tuning": tuning}))
}

fn pool(status: &PoolStatus) -> Value {
    json!({
        "pool": status.pool.name(),
        "limit": status.limit,
        "applied": status.applied,
        "open": status.open,
        "inUse": status.in_use,
        "waiting": status.waiting,
        "inUseSeconds": status.in_use_time.as_secs_f64(),
    })
}

fn tuning(tuner: &Tuner) -> Value {
    let status = tuner.status();
    json!({
        "file": status.file,
        "generation": status.generation,
        "appliedAt": status.applied_at.map(|at| at.to_utc().to_rfc3339()),
        "error": status.error,
    })
}
