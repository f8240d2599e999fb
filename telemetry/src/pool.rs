//! The pool's metrics, which the operator tunes by: their names as Prometheus has them on `/metrics`.
//!
//! All have the label [`POOL`]; the tuner reads those of the pool [`PRIMARY`]. Names in OpenTelemetry's form are those
//! of its semantic conventions (`db.client.connection.*`) where there is one.

/// The label that tells pools apart: `db.client.connection.pool.name`.
pub const POOL: &str = "db_client_connection_pool_name";
/// The pool of connections to the primary, which is the one that is tuned.
pub const PRIMARY: &str = "primary";

/// Histogram, seconds: how long a caller waited for a connection; its count is the number of acquires.
pub const WAIT_TIME: &str = "db_client_connection_wait_time_seconds";
/// Histogram, seconds: how long connections were held; its sum over a span of time is the mean in use.
pub const USE_TIME: &str = "db_client_connection_use_time_seconds";
/// Counter, seconds: the integral of connections in use over time, those still held included.
pub const IN_USE_TIME: &str = "farmlokal_pool_in_use_seconds_total";
/// Counter: callers that waited too long or found the queue full.
pub const TIMEOUTS: &str = "db_client_connection_timeouts_total";
/// Counter: connections that the database refused because it has too many (MySQL error 1040, 1203).
pub const REFUSALS: &str = "farmlokal_pool_refusals_total";
/// Gauge: connections, by the label [`STATE`].
pub const COUNT: &str = "db_client_connection_count";
/// The label of [`COUNT`]: `idle` or `used`.
pub const STATE: &str = "db_client_connection_state";
/// Gauge: callers that wait.
pub const PENDING: &str = "db_client_connection_pending_requests";
/// Gauge: the limit that holds now: the larger of what is open and what may be opened.
pub const APPLIED: &str = "farmlokal_pool_applied_limit";
/// Gauge: the limit asked for.
pub const MAX: &str = "db_client_connection_max";
/// Gauge: the generation of the tuning file that was applied; 0 for none.
pub const GENERATION: &str = "farmlokal_pool_tuning_generation";
