//! Logs and traces of the operator itself.

use tracing_subscriber::EnvFilter;

/// Begins to log what `filter` lets through, as JSON on standard error.
pub fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call, as in tests, changes nothing.
    let _ = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
