//! Requests to the public port.

use super::{By, Group, LATENCY};
use crate::metrics::{Label, Metric};

/// The method, if it is one of HTTP's.
pub const METHOD: Label = Label::one_of("http.request.method", METHODS);
/// The methods that are told apart.
pub const METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", crate::metrics::OTHER];

const ROUTE: Label = Label::few(
    "http.route",
    "the path's template in the API's document; `_OTHER` for requests that reached no operation: unknown paths, pages \
     of the documentation, and what was refused before (quota, overload, size)",
);
const STATUS: Label = Label::few("http.response.status_code", "the status that was answered");
const SCHEME: Label = Label::one_of("url.scheme", &["http"]);
const ERROR: Label = Label::few("error.type", "the status as text where it is 500 or more; absent otherwise");

/// How long requests took.
pub static REQUEST_DURATION: Metric =
    Metric::duration("http.server.request.duration", LATENCY, "Time from a request's head to the head of its answer.")
        .labelled(&[METHOD, ROUTE, STATUS, SCHEME, ERROR], 1_000);

/// Requests under way.
pub static ACTIVE_REQUESTS: Metric =
    Metric::up_down("http.server.active_requests", "{request}", "Requests that are being answered.")
        .labelled(&[METHOD, SCHEME], METHODS.len());

/// Requests on the public port.
pub static GROUP: Group = Group { title: "Requests", by: By::Service, metrics: &[&REQUEST_DURATION, &ACTIVE_REQUESTS] };
