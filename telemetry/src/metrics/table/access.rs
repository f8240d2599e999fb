//! Who may do what, how often: tokens, quotas, load, idempotency keys; and what is left alone after failures.

use super::{By, Group};
use crate::metrics::{Label, Metric};

const ISSUE: &[&str] =
    &["issued", "invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope", "failed"];
const CHECK: &[&str] = &["accepted", "missing", "invalid", "insufficient_scope", "failed"];
const CLASSES: &[&str] = &["read", "search", "write", "token", "webhook"];
const KEYS: &[&str] = &["done", "replayed", "under_way", "mismatch"];
const CALLS: &[&str] = &["answered", "refused", "timeout", "down", "open"];
const STATES: &[&str] = &["closed", "open", "half_open"];

/// Requests for tokens.
pub static TOKENS: Metric =
    Metric::counter("farmlokal.tokens.requests", "{request}", "Requests for access tokens by what came of them.")
        .labelled(&[Label::one_of("outcome", ISSUE)], ISSUE.len());

/// Tokens that were brought.
pub static CHECKS: Metric = Metric::counter(
    "farmlokal.tokens.checks",
    "{check}",
    "Access tokens at the door of protected operations, by what was found.",
)
.labelled(&[Label::one_of("outcome", CHECK)], CHECK.len());

/// Requests beyond a quota.
pub static REFUSED: Metric = Metric::counter(
    "farmlokal.limits.refused",
    "{request}",
    "Requests refused since their client's quota was used up, by class.",
)
.labelled(&[Label::one_of("class", CLASSES)], CLASSES.len());

/// Whether replicas share quotas.
pub static ALONE: Metric = Metric::gauge(
    "farmlokal.limits.alone",
    "",
    "1 if this replica counts its clients' requests alone though there is a Redis, 0 if not.",
);

/// Requests shed.
pub static SHED: Metric = Metric::counter(
    "farmlokal.load.shed",
    "{request}",
    "Requests turned away since all places and the queue were taken.",
);

/// Places taken.
pub static IN_FLIGHT: Metric =
    Metric::up_down("farmlokal.load.in_flight", "{request}", "Requests that have a place among those worked on.");

/// Places there are.
pub static PLACES: Metric =
    Metric::up_down("farmlokal.load.places", "{request}", "Requests that may be worked on at once.");

/// Requests with an idempotency key.
pub static IDEMPOTENCY: Metric = Metric::counter(
    "farmlokal.idempotency.requests",
    "{request}",
    "Requests with an Idempotency-Key: done, answered again as before, still under way, or another request.",
)
.labelled(&[Label::one_of("outcome", KEYS)], KEYS.len());

/// Calls to Redis.
pub static REDIS: Metric = Metric::counter(
    "farmlokal.redis.calls",
    "{call}",
    "Calls to Redis by what came of them; open ones were not made, since it is left alone.",
)
.labelled(&[Label::one_of("outcome", CALLS)], CALLS.len());

/// Breakers.
pub static BREAKERS: Metric =
    Metric::gauge("farmlokal.breaker.state", "", "1 for the state that a circuit breaker is in, 0 for the others.")
        .labelled(
            &[
                Label::few("breaker", "`redis`, and `supplier:` with the name of each supplier"),
                Label::one_of("state", STATES),
            ],
            600,
        );

/// Access and protection.
pub static GROUP: Group = Group {
    title: "Access and protection",
    by: By::Service,
    metrics: &[&TOKENS, &CHECKS, &REFUSED, &ALONE, &SHED, &IN_FLIGHT, &PLACES, &IDEMPOTENCY, &REDIS, &BREAKERS],
};
