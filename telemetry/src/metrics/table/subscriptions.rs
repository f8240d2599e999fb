//! Deliveries to those who are told of changes.

use super::{By, Group};
use crate::metrics::{Label, Metric};

const TRIES: &[&str] = &["delivered", "retried", "given_up", "lost"];

/// Tries to deliver.
pub static DELIVERIES: Metric = Metric::counter(
    "farmlokal.deliveries.attempts",
    "{delivery}",
    "Tries to deliver a change, by what came of them; of lost ones the outcome could not be noted, and they are made \
     again.",
)
.labelled(&[Label::one_of("outcome", TRIES)], TRIES.len());

/// Deliveries to be made.
pub static PENDING: Metric = Metric::gauge(
    "farmlokal.deliveries.pending",
    "{delivery}",
    "Deliveries to active subscriptions that are to be made, counted up to 10,000. The same from every replica.",
);

/// How late they are.
pub static LAG: Metric = Metric::gauge(
    "farmlokal.deliveries.lag",
    "s",
    "How long the delivery that is due the longest has been due. The same from every replica.",
);

/// Changes that are no deliveries yet.
pub static CHANGES: Metric = Metric::gauge(
    "farmlokal.changes.unpassed",
    "{change}",
    "Changes in the log that have not been passed on to subscriptions yet. The same from every replica.",
);

/// Subscriptions.
pub static GROUP: Group =
    Group { title: "Subscriptions", by: By::Service, metrics: &[&DELIVERIES, &PENDING, &LAG, &CHANGES] };
