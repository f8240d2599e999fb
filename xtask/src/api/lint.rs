//! The description against spectral's rules for OpenAPI.

use std::process::Command;

use super::tools;
use crate::command;
use crate::openapi::document;

/// Fails on warnings as well: each is a gap that a reader of the documentation would meet.
pub(crate) fn run() -> Result<(), String> {
    let mut spectral = Command::new(tools::spectral()?);
    spectral
        .args(["lint", "--fail-severity=warn", "--ruleset"])
        .arg(command::root().join("xtask/api/spectral.yaml"))
        .arg(document());
    command::run(&mut spectral)
}
