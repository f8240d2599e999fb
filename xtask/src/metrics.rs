//! `cargo xtask metrics`: writes the page of the documentation that lists all metrics.

use std::fs;

use farmlokal_telemetry::metrics;

use crate::command::root;

/// Writes what the table of metrics says to `docs/metrics.md`.
pub(crate) fn run() -> Result<(), String> {
    let file = root().join("docs/metrics.md");
    fs::write(&file, metrics::page()).map_err(|error| format!("{}: {error}", file.display()))
}
