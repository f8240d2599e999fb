//! An operation on the database as traces and metrics see it: never a value, never the text of a statement.

use std::sync::OnceLock;

use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

use super::StoreError;
use super::observer::{Observer, Pool};

/// Runs `call`, which does what `summary` says (`SELECT products`), in a span of its own, and tells `observer` of it.
///
/// Looks at the log and the inbox, several a second for nobody in particular, would make a trace each: it is up to the
/// subscriber to refuse spans while nothing that is traced is under way.
pub(super) async fn observed<T>(
    observer: &dyn Observer,
    system: &OnceLock<&'static str>,
    summary: &'static str,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let start = Instant::now();
    let span = operation(summary);
    let outcome = call.instrument(span.clone()).await;
    let error = outcome.as_ref().err().and_then(StoreError::kind);
    // MariaDB is known from MySQL by its first answer.
    span.record("db.system.name", system.get().copied().unwrap_or("mysql"));
    if let Some(error) = error {
        span.record("error.type", error).record("otel.status_code", "ERROR");
    }
    observer.operation(summary, start.elapsed(), error);
    outcome
}

fn operation(summary: &'static str) -> Span {
    debug_span!(
        "database",
        otel.name = summary,
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = Empty,
        db.query.summary = summary,
        db.operation.name = summary.split(' ').next(),
        "error.type" = Empty,
    )
}

/// The span of waiting for a place in `pool`, within that of the operation.
pub(super) fn pool_wait(pool: Pool) -> Span {
    debug_span!("pool wait", db.client.connection.pool.name = pool.name())
}
