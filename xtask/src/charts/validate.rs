//! The charts by Helm's own linter, and what they render by Kubernetes' own schemas, strictly, in the oldest and the
//! newest version.

use std::fs;
use std::process::Command;

use farmlokal_testkit::kubernetes::validator;

use super::helm::{self, Helm};
use super::{CHARTS, OLDEST, cases, directory, render, yaml};

const VERSIONS: [&str; 2] = ["1.33", "1.37"];

/// Fails on warnings too.
pub(super) fn all(helms: &[Helm; 2]) -> Result<(), String> {
    let [three, four] = helms;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut files = Vec::new();
    for chart in CHARTS {
        for values in cases(chart)? {
            for helm in [three, four] {
                let mut lint = helm.command();
                lint.args(["lint", "--strict", "--kube-version", OLDEST]).arg(directory(chart));
                helm::output(lint.arg("--values").arg(&values))?;
            }
            let text = render(four, chart, &values)?;
            let documents: Vec<_> = yaml::documents(&text).filter(|document| is_of_kubernetes(document)).collect();
            let name = format!("{chart}-{}", values.file_name().unwrap_or_default().to_string_lossy());
            let file = folder.path().join(name);
            fs::write(&file, documents.join("---\n")).map_err(|error| error.to_string())?;
            files.push(file);
        }
    }
    for version in VERSIONS {
        let mut validate = Command::new(validator::home()?.join("bin/kubernetes-validate"));
        validate.args(["--strict", "--quiet", "--kubernetes-version", version]);
        let said = helm::output(validate.args(&files))?;
        print!("{said}");
    }
    Ok(())
}

/// Others' kinds have no schema there; ours is asked of an API server.
fn is_of_kubernetes(document: &str) -> bool {
    !["apiVersion: monitoring.coreos.com/", "apiVersion: farmlokal.dev/"].iter().any(|others| document.contains(others))
}
