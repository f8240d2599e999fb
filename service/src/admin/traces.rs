//! The latest and the slowest requests, as waterfalls for people and as JSON for their tools.

use std::time::SystemTime;

use farmlokal_telemetry::recent_traces;
use poem::endpoint::make_sync;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse as _, Request, Response, Route, get};
use serde_json::json;

use super::answer;
use crate::api::problem::{Kind, Problem};
use crate::api::security::page_policy;

const PAGE: &str = include_str!("traces.html");

/// Adds the page `/admin/traces`, and `/v1/admin/traces?order=slowest|latest`, which it shows.
pub(super) fn add(routes: Route) -> Route {
    let policy = HeaderValue::try_from(page_policy(PAGE)).ok();
    routes
        .at("/admin/traces", get(make_sync(move |_| page(policy.clone()))))
        .at("/v1/admin/traces", get(make_sync(|request| list(&request))))
}

fn page(policy: Option<HeaderValue>) -> Response {
    let mut response = Response::builder().content_type("text/html; charset=utf-8").body(PAGE);
    if let Some(policy) = policy {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn list(request: &Request) -> Response {
    let recent = recent_traces().cloned().unwrap_or_default();
    let traces = match request.uri().query().unwrap_or("order=slowest") {
        "order=slowest" => recent.slowest(SystemTime::now()),
        "order=latest" => recent.latest(),
        _ => {
            let detail = "order must be slowest or latest, and is the only parameter.";
            return Problem::new(Kind::InvalidParameter, detail).field("order").into_response();
        }
    };
    answer(StatusCode::OK, &json!({ "traces": traces }))
}
