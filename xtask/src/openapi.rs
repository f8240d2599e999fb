//! `cargo xtask openapi`: writes the API's description.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use crate::command::{cargo, line, root};

/// The API's description, checked in.
pub(crate) fn document() -> PathBuf {
    root().join("docs/openapi.json")
}

/// Writes what `farmlokal openapi` prints to `docs/openapi.json`.
pub(crate) fn run() -> Result<(), String> {
    let mut command = cargo("run --quiet --package farmlokal -- openapi");
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("{}: {error}", line(&command)))?;
    if !output.status.success() {
        return Err(format!("{}: {}", line(&command), output.status));
    }
    let file = document();
    fs::write(&file, output.stdout).map_err(|error| format!("{}: {error}", file.display()))
}
