//! Events that others send.

use super::{By, Group};
use crate::metrics::{Label, Metric};

const ARRIVALS: &[&str] = &["accepted", "duplicate", "conflict", "unsigned", "invalid", "failed"];
const ENDINGS: &[&str] = &["processed", "ignored", "retried", "parked", "failed"];

/// Events that arrived.
pub static RECEIVED: Metric = Metric::counter(
    "farmlokal.webhooks.received",
    "{event}",
    "Events that arrived, by what became of them at the door; unsigned ones had no signature that holds.",
)
.labelled(
    &[
        Label::few("source", "a configured source, `original` for the original contract, `_OTHER` for unknown ones"),
        Label::one_of("outcome", ARRIVALS),
    ],
    600,
);

/// Events that were tried.
pub static APPLIED: Metric = Metric::counter(
    "farmlokal.webhooks.applied",
    "{event}",
    "Tries to apply an event, by what came of them; retried ones are pending again, failed ones were our fault.",
)
.labelled(&[Label::one_of("outcome", ENDINGS)], ENDINGS.len());

/// Events to be applied.
pub static PENDING: Metric = Metric::gauge(
    "farmlokal.webhooks.pending",
    "{event}",
    "Events in the inbox that are to be applied, counted up to 10,000. The same from every replica.",
);

/// Events given up.
pub static PARKED: Metric = Metric::gauge(
    "farmlokal.webhooks.parked",
    "{event}",
    "Events in the inbox that were given up until somebody replays them, counted up to 10,000. The same from every \
     replica.",
);

/// How late they are.
pub static LAG: Metric = Metric::gauge(
    "farmlokal.webhooks.lag",
    "s",
    "How long the event that is due the longest has been due. The same from every replica.",
);

/// Webhooks.
pub static GROUP: Group =
    Group { title: "Webhooks", by: By::Service, metrics: &[&RECEIVED, &APPLIED, &PENDING, &PARKED, &LAG] };
