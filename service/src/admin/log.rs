//! What is logged, for those who run the service.

use farmlokal_telemetry::log::{Directives, Levels, levels};
use poem::endpoint::{make, make_sync};
use poem::http::StatusCode;
use poem::{IntoResponse as _, Request, Response, Route, get};
use serde_json::json;

use super::answer;
use crate::api::problem::{Kind, Problem};

/// Directives for every module we have.
const MAX_BODY: usize = 4_096;

/// Adds `/v1/admin/log`: `GET` shows what is logged, `PUT` with a body such as `info,farmlokal=debug` changes it until
/// the process ends.
pub(super) fn add(routes: Route) -> Route {
    routes.at("/v1/admin/log", get(make_sync(|_| show(levels()))).put(make(|request| change(levels(), request))))
}

fn show(levels: Option<&Levels>) -> Response {
    let Some(levels) = levels else { return switched_off() };
    answer(StatusCode::OK, &json!({"filter": levels.get().to_string()}))
}

async fn change(levels: Option<&Levels>, mut request: Request) -> Result<Response, poem::Error> {
    let Some(levels) = levels else { return Ok(switched_off()) };
    let body = request.take_body().into_bytes_limit(MAX_BODY).await?;
    let text = String::from_utf8_lossy(&body);
    let directives: Directives = text
        .trim()
        .parse()
        .map_err(|error| Problem::new(Kind::InvalidBody, format!("The body {error}.")).field("body"))?;
    tracing::warn!("the log is set to {directives}; it was {}", levels.get());
    levels.set(directives);
    Ok(show(Some(levels)))
}

fn switched_off() -> Response {
    Problem::new(Kind::NoSuchPath, "The log is not ours: somebody else has set it up.").into_response()
}
