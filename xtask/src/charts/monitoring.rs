//! The definitions of what Prometheus' operator reads, from its Go module: an API server that has them knows whether our
//! monitors and alerts are right.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{helm, yaml};

const MODULE: &str = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const SUM: &str = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=";
const KINDS: [&str; 3] = ["servicemonitors", "podmonitors", "prometheusrules"];

/// Their files, in Go's own cache.
///
/// # Errors
///
/// When the module cannot be had, or is not the one that we know.
pub(super) fn definitions() -> Result<[PathBuf; 3], String> {
    let said = helm::output(Command::new("go").args(["mod", "download", "-json", MODULE]))?;
    let module = yaml::parse(&said)?;
    if module["Sum"] != SUM {
        return Err(format!("{MODULE} has the sum {}, not {SUM}", module["Sum"]));
    }
    let folder = Path::new(module["Dir"].as_str().unwrap_or_default()).join("example/prometheus-operator-crd");
    Ok(KINDS.map(|kind| folder.join(format!("monitoring.coreos.com_{kind}.yaml"))))
}
