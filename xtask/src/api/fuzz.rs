//! The running service against its description: schemathesis makes up requests, valid and
//! invalid, and compares the answers.

use std::process::Command;

use super::tools;
use crate::command;
use crate::instance::Instance;
use crate::openapi::document;

/// Enough for pages and filters, and seeded in a moment by a debug build.
const ROWS: u32 = 2000;
/// How long schemathesis goes on fuzzing.
const SECONDS: &str = "45";

/// Runs schemathesis with `arguments` added; they win.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let schemathesis = tools::schemathesis()?;
    let instance = Instance::start(ROWS)?;
    // A directory to run in, for whatever the tool leaves behind.
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut command = Command::new(schemathesis);
    command
        .current_dir(scratch.path())
        .arg("--config-file")
        .arg(config())
        .arg("run")
        .arg(document())
        .args(["--url", &instance.url(), "--checks=all", "--continue-on-failure"])
        .args(["--header", &format!("Authorization: Bearer {}", instance.token()?)])
        .args(["--phases=examples,coverage,fuzzing", "--seed=42", "--max-time", SECONDS])
        .args(arguments);
    command::run(&mut command)
}

/// What valid requests may be answered beside success: see the file.
fn config() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("api/schemathesis.toml")
}
