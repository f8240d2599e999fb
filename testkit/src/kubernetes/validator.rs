//! The checker of objects against Kubernetes' own schemas: kubernetes-validate, which works without a cluster.

use std::path::PathBuf;

use crate::cache;

/// Its version on PyPI.
pub const VERSION: &str = "1.37.0";

/// Where `cargo xtask test` installs it: a virtual environment.
///
/// # Errors
///
/// When nothing says where the user's cache is.
pub fn home() -> Result<PathBuf, String> {
    Ok(cache::directory()?.join(format!("kubernetes-validate-{VERSION}")))
}

/// The program.
///
/// # Panics
///
/// When it is not installed; the message says what installs it.
#[must_use]
pub fn program() -> PathBuf {
    let home = home().unwrap_or_else(|error| panic!("{error}"));
    let program = home.join("bin/kubernetes-validate");
    assert!(program.is_file(), "{} is not there; cargo xtask test installs it", program.display());
    program
}
