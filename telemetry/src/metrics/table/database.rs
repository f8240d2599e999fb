//! The database: its operations, and the pools of connections to it. The operator tunes by these; see `pool`.

use super::{By, Group, LATENCY, WAIT};
use crate::metrics::{Label, Metric};

const SYSTEM: Label = Label::one_of("db.system.name", &["mysql", "sqlite"]);
const OPERATION: Label = Label::few("db.operation.name", "the first word of the summary: `SELECT`, `INSERT`, …");
const SUMMARY: Label = Label::few("db.query.summary", "what is done to which table, such as `SELECT products`");
const ERROR: Label = Label::few("error.type", "the kind of what went wrong, one of few; absent where nothing did");

/// The pool.
pub const POOL: Label = Label::one_of("db.client.connection.pool.name", POOLS);
const POOLS: &[&str] = &["primary", "replica", "writer", "probe"];
/// Whether connections are on loan.
pub const STATE: Label = Label::one_of("db.client.connection.state", &["idle", "used"]);

/// How long operations took.
pub static OPERATION_DURATION: Metric = Metric::duration(
    "db.client.operation.duration",
    LATENCY,
    "Time of an operation on the database, without the wait for a connection.",
)
.labelled(&[SYSTEM, OPERATION, SUMMARY, ERROR], 500);

/// How long callers waited.
pub static WAIT_TIME: Metric = Metric::duration(
    "db.client.connection.wait_time",
    WAIT,
    "Time a caller waited for a connection; the count is that of connections given.",
)
.labelled(&[POOL], POOLS.len());

/// How long connections were held.
pub static USE_TIME: Metric =
    Metric::duration("db.client.connection.use_time", LATENCY, "Time a connection was on loan.")
        .labelled(&[POOL], POOLS.len());

/// The integral of connections in use.
pub static IN_USE: Metric = Metric::counter(
    "farmlokal.pool.in_use",
    "s",
    "Connections on loan, summed up over time; its rate is the mean number on loan.",
)
.labelled(&[POOL], POOLS.len());

/// Callers that got no connection.
pub static TIMEOUTS: Metric = Metric::counter(
    "db.client.connection.timeouts",
    "{timeout}",
    "Callers that waited too long for a connection, or found the queue full.",
)
.labelled(&[POOL], POOLS.len());

/// Connections that the server refused.
pub static REFUSALS: Metric = Metric::counter(
    "farmlokal.pool.refusals",
    "{refusal}",
    "Connections that the database refused since it has too many (MySQL errors 1040 and 1203).",
)
.labelled(&[POOL], POOLS.len());

/// Open connections.
pub static COUNT: Metric =
    Metric::up_down("db.client.connection.count", "{connection}", "Open connections, by whether they are on loan.")
        .labelled(&[POOL, STATE], POOLS.len() * 2);

/// The limit asked for.
pub static MAX: Metric =
    Metric::up_down("db.client.connection.max", "{connection}", "Connections the pool may have, as last asked for.")
        .labelled(&[POOL], POOLS.len());

/// The limit that holds.
pub static APPLIED: Metric = Metric::gauge(
    "farmlokal.pool.applied_limit",
    "{connection}",
    "What the pool holds to by now: the larger of its limit and what is still open.",
)
.labelled(&[POOL], POOLS.len());

/// Callers that wait.
pub static PENDING: Metric =
    Metric::up_down("db.client.connection.pending_requests", "{request}", "Callers that are waiting for a connection.")
        .labelled(&[POOL], POOLS.len());

/// The tuning that was applied.
pub static GENERATION: Metric = Metric::gauge(
    "farmlokal.pool.tuning_generation",
    "{generation}",
    "Generation of the tuning file that was applied; 0 for none.",
)
.labelled(&[POOL], POOLS.len());

/// The database.
pub static GROUP: Group = Group {
    title: "Database",
    by: By::Service,
    metrics: &[
        &OPERATION_DURATION,
        &WAIT_TIME,
        &USE_TIME,
        &IN_USE,
        &TIMEOUTS,
        &REFUSALS,
        &COUNT,
        &MAX,
        &APPLIED,
        &PENDING,
        &GENERATION,
    ],
};
