//! The checker of Kubernetes objects that the operator's tests and the charts' check ask.

use std::process::Command;

use farmlokal_testkit::kubernetes::validator;

use crate::command::run;

/// Installs it for this user, in a virtual environment, if it is missing.
///
/// # Errors
///
/// When it cannot be installed.
pub(crate) fn ensure() -> Result<(), String> {
    let home = validator::home()?;
    if home.join("bin/kubernetes-validate").is_file() {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let package = format!("kubernetes-validate=={}", validator::VERSION);
    run(Command::new(home.join("bin/pip")).args(["install", "--quiet", &package]))
}
