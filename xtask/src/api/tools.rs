//! Tools of other languages, installed once, in versions of ours, in the user's cache directory.

use std::path::PathBuf;
use std::process::Command;

use farmlokal_testkit::cache;

use crate::command::run;

const SPECTRAL: &str = "6.16.3";
const SCHEMATHESIS: &str = "4.32.5";

/// The linter `spectral`, from npm.
pub(crate) fn spectral() -> Result<PathBuf, String> {
    let home = cache::directory()?.join(format!("spectral-{SPECTRAL}"));
    let program = home.join("node_modules/.bin/spectral");
    if !program.exists() {
        let package = format!("@stoplight/spectral-cli@{SPECTRAL}");
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
        run(npm.arg(&home).arg(package))?;
    }
    Ok(program)
}

/// The fuzzer `schemathesis`, from PyPI, in a virtual environment.
pub(crate) fn schemathesis() -> Result<PathBuf, String> {
    let home = cache::directory()?.join(format!("schemathesis-{SCHEMATHESIS}"));
    let program = home.join("bin/schemathesis");
    if !program.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        let package = format!("schemathesis=={SCHEMATHESIS}");
        run(Command::new(home.join("bin/pip")).args(["install", "--quiet", &package]))?;
    }
    Ok(program)
}
