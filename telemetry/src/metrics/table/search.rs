//! The search index, and the searches that it answers.

use super::{By, Group};
use crate::metrics::{Label, Metric};

const OUTCOMES: &[&str] = &["answered", "refused"];
const OUTCOME: Label = Label::one_of("outcome", OUTCOMES);

/// Searches by outcome.
pub static SEARCHES: Metric = Metric::counter(
    "farmlokal.searches",
    "{search}",
    "Pages of searches: answered by the search index, or refused because there was none yet.",
)
.labelled(&[OUTCOME], OUTCOMES.len());

/// State of the index.
pub static READY: Metric =
    Metric::gauge("farmlokal.search.index.ready", "", "1 if the search index follows the log of changes, 0 if not.");

/// Products in it.
pub static DOCUMENTS: Metric =
    Metric::gauge("farmlokal.search.index.documents", "{product}", "Products in the search index.");

/// Its size.
pub static SIZE: Metric = Metric::gauge("farmlokal.search.index.size", "By", "Bytes of the search index on disk.");

/// Changes it does not have.
pub static LAG_ROWS: Metric =
    Metric::gauge("farmlokal.search.index.lag_rows", "{change}", "Changes that are not in the search index yet.");

/// The oldest of them.
pub static LAG: Metric =
    Metric::gauge("farmlokal.search.index.lag", "s", "Age of the oldest change that is not in the search index yet.");

/// Progress of a build.
pub static BUILT: Metric = Metric::gauge(
    "farmlokal.search.index.built_documents",
    "{product}",
    "Products read by the build under way, or by the last one.",
);

/// How long the last build took.
pub static BUILD_DURATION: Metric =
    Metric::gauge("farmlokal.search.index.build_duration", "s", "How long the last build took.");

/// Search.
pub static GROUP: Group = Group {
    title: "Search",
    by: By::Service,
    metrics: &[&SEARCHES, &READY, &DOCUMENTS, &SIZE, &LAG_ROWS, &LAG, &BUILT, &BUILD_DURATION],
};
