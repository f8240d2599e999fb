//! The cache of finished answers.

use super::{By, Group};
use crate::metrics::{Label, Metric};

const OPERATIONS: &[&str] = &["listProducts", "getProduct", "listCategories", "suggest", "listProductsOriginal"];
const ORIGINS: &[&str] = &["local", "redis", "computed", "stale", "bypass"];
const OUTCOMES: &[&str] = &["stored", "outdated", "overtaken", "failed"];
const OPERATION: Label = Label::one_of("operation", OPERATIONS);
const ORIGIN: Label = Label::one_of("origin", ORIGINS);
const TIER: Label = Label::one_of("tier", &["local", "redis"]);
const OUTCOME: Label = Label::one_of("outcome", OUTCOMES);

/// Answers by origin.
pub static ANSWERS: Metric = Metric::counter(
    "farmlokal.cache.answers",
    "{answer}",
    "Answers by where they came from: this process' memory, Redis, computed, stale while the database is away, or past \
     a cache that does not know yet what to trust.",
)
.labelled(&[OPERATION, ORIGIN], OPERATIONS.len() * ORIGINS.len());

/// Answers computed.
pub static LOADS: Metric =
    Metric::counter("farmlokal.cache.loads", "{load}", "Answers computed. Several requests may have waited for one.");

/// Answers computed ahead of time.
pub static REFRESHES: Metric = Metric::counter(
    "farmlokal.cache.refreshes",
    "{refresh}",
    "Answers computed anew in the background before they were no longer fresh.",
);

/// Answers to be kept.
pub static FILLS: Metric = Metric::counter(
    "farmlokal.cache.fills",
    "{fill}",
    "Computed answers by what became of keeping them. Stale fills prevented: outdated ones were voided while they were \
     computed and lie where nobody looks, overtaken ones had lost their lease and were not stored.",
)
.labelled(&[TIER, OUTCOME], 2 * OUTCOMES.len());

/// Changes that voided something.
pub static VOIDS: Metric =
    Metric::counter("farmlokal.cache.voids", "{void}", "Changes and flushes that voided something.");

/// Answers in memory.
pub static ENTRIES: Metric =
    Metric::up_down("farmlokal.cache.local.entries", "{answer}", "Answers in this process' memory.");

/// Their bytes.
pub static SIZE: Metric =
    Metric::up_down("farmlokal.cache.local.size", "By", "Bytes of answers in this process' memory.");

/// Whether Redis is used.
pub static SHARED: Metric = Metric::gauge("farmlokal.cache.shared", "", "1 if answers are shared in Redis, 0 if not.");

/// Whether it keeps anything.
pub static LIVE: Metric = Metric::gauge(
    "farmlokal.cache.live",
    "",
    "1 if answers are kept, 0 before the log of changes was read for the first time.",
);

/// How late others' writes are heard of at the latest.
pub static LAG: Metric = Metric::gauge(
    "farmlokal.cache.lag",
    "s",
    "Time since the log of changes was last read to its end: others' writes are heard of that late at the worst.",
);

/// The cache.
pub static GROUP: Group = Group {
    title: "Cache",
    by: By::Service,
    metrics: &[&ANSWERS, &LOADS, &REFRESHES, &FILLS, &VOIDS, &ENTRIES, &SIZE, &SHARED, &LIVE, &LAG],
};
