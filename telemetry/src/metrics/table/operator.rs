//! The operator: reconciles, what it writes, and what it decides of pools.

use super::{By, Group, WORK};
use crate::metrics::{Label, Metric};

const RESULT: Label = Label::one_of("result", RESULTS);
const RESULTS: &[&str] = &["ok", "error"];
const CHANGES: &[&str] = &["created", "changed", "unchanged", "deleted", "failed"];
const DECISIONS: &[&str] = &["raise", "lower", "keep", "freeze"];
const PURPOSES: &[&str] = &["read", "watch", "write", "lead"];
const KIND: Label = Label::few("kind", "a Kubernetes kind that the operator makes");

/// How long reconciles took.
pub static RECONCILE_DURATION: Metric =
    Metric::duration("farmlokal.operator.reconcile.duration", WORK, "Time of a reconcile, by how it ended.")
        .labelled(&[RESULT], RESULTS.len());

/// Errors.
pub static ERRORS: Metric = Metric::counter(
    "farmlokal.operator.reconcile.errors",
    "{error}",
    "Reconciles that failed, by the step and the category of what went wrong.",
)
.labelled(&[Label::few("category", "the step's name and its error's, such as `Apply/Conflict`")], 100);

/// Objects that were to be written.
pub static PATCHES: Metric = Metric::counter(
    "farmlokal.operator.patches",
    "{object}",
    "Objects that were to be written, by kind and by what came of it; unchanged ones cost no write.",
)
.labelled(&[KIND, Label::one_of("outcome", CHANGES)], 200);

/// Objects that are looked after.
pub static INSTANCES: Metric = Metric::gauge(
    "farmlokal.operator.instances",
    "{object}",
    "FarmLokal objects that are looked after, by whether they are ready.",
)
.labelled(&[Label::one_of("ready", &["true", "false"])], 2);

/// Objects whose last reconcile failed.
pub static RETRYING: Metric = Metric::gauge(
    "farmlokal.operator.retrying",
    "{object}",
    "FarmLokal objects that wait to be tried again after a failure.",
);

/// Decisions on pools.
pub static DECISIONS_MADE: Metric = Metric::counter(
    "farmlokal.operator.tuning.decisions",
    "{decision}",
    "Decisions on the size of pools; freezing ones were made without knowing enough.",
)
.labelled(&[Label::one_of("decision", DECISIONS)], DECISIONS.len());

/// The size decided on.
pub static POOL_LIMIT: Metric = Metric::gauge(
    "farmlokal.operator.tuning.pool_limit",
    "{connection}",
    "Connections that each pod of an instance may open, as last decided.",
)
.labelled(&[Label::few("namespace", "the instance's namespace"), Label::few("name", "the instance's name")], 1_000);

/// Who leads.
pub static LEADER: Metric =
    Metric::gauge("farmlokal.operator.leader", "", "1 if this process is the one that writes, 0 if it stands by.");

/// Calls to the API server.
pub static API_REQUESTS: Metric = Metric::counter(
    "farmlokal.operator.api.requests",
    "{request}",
    "Requests to the Kubernetes API, by what they are for: where all is as asked, leading and the renewal of watches.",
)
.labelled(&[Label::one_of("purpose", PURPOSES)], PURPOSES.len());

/// Calls to the API server that failed.
pub static API_ERRORS: Metric = Metric::counter(
    "farmlokal.operator.api.errors",
    "{error}",
    "Calls to the Kubernetes API that failed, by status; 0 where there was no answer.",
)
.labelled(&[Label::few("status", "the HTTP status; 0 for none")], 100);

/// The operator.
pub static GROUP: Group = Group {
    title: "Operator",
    by: By::Operator,
    metrics: &[
        &RECONCILE_DURATION,
        &ERRORS,
        &PATCHES,
        &INSTANCES,
        &RETRYING,
        &DECISIONS_MADE,
        &POOL_LIMIT,
        &LEADER,
        &API_REQUESTS,
        &API_ERRORS,
    ],
};
