//! The search index and who answers searches.

use super::{By, Group};
use crate::metrics::{Label, Metric};

const SOURCES: &[&str] = &["index", "sql"];
const SOURCE: Label = Label::one_of("source", SOURCES);

/// Searches by who answered.
pub static SEARCHES: Metric = Metric::counter(
    "farmlokal.searches",
    "{search}",
    "Pages computed by the search index, or by SQL in its stead while it is not ready.",
)
.labelled(&[SOURCE], SOURCES.len());

/// Whether it follows.
pub static READY: Metric = Metric::gauge(
    "farmlokal.search.index.ready",
    "",
    "1 if the search index follows the log of changes, 0 if not. Absent where there is none (search.index is false).",
);

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
