//! The section of `docs/performance.md` that a whole run writes.

use std::fs;
use std::path::Path;

use chrono::Utc;
use farmlokal_testkit::{machine, page};

use super::{Arguments, Steps};

const CHORE: &str = "cargo xtask e2e";

/// What was run, and the table of it.
pub(super) fn section(arguments: &Arguments, steps: &Steps) -> String {
    let Arguments { rows, rate, .. } = arguments;
    format!(
        "## On a Kubernetes node\n\nMeasured on {} by `{CHORE}` on {}; the node, its control plane, MariaDB, Redis, service, \
         operator and clients share it. {rows} products, two replicas; *under load* is {rate} requests a second for single \
         products, nine tenths of them for a thousand favourites, from clients that keep their connections.\n\n{}",
        Utc::now().format("%F"),
        machine::describe(),
        steps.table()
    )
}

/// Puts `section` into `file`.
pub(super) fn write(file: &Path, section: &str) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(fail)?;
    let text = page::replaced(&text, CHORE, section)
        .ok_or_else(|| format!("{} has no lines that say where `{CHORE}` writes", file.display()))?;
    fs::write(file, text).map_err(fail)
}
