//! `cargo xtask charts`: what is made from the charts' values and from the definition, and whether the charts hold.

mod cluster;
pub(crate) mod helm;
mod monitoring;
mod readme;
mod refusals;
mod renders;
mod resource;
mod schema;
mod validate;
mod values;
mod yaml;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use farmlokal_testkit::kubernetes;

use crate::command::root;
use crate::{control_plane, validator};
use helm::Helm;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Write nothing: check that all is as it would be written, and install and upgrade on a control plane
    #[arg(long)]
    check: bool,
}

/// The operator's chart; the first, since the other one's objects need its definition.
const OPERATOR: &str = "farmlokal-operator";
/// The chart of one instance.
const INSTANCE: &str = "farmlokal";
const CHARTS: [&str; 2] = [OPERATOR, INSTANCE];
/// The oldest Kubernetes that the charts name, which renders are made for.
const OLDEST: &str = "1.33.0";

/// A file and the text that it should have.
struct Generated {
    file: PathBuf,
    text: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    if !arguments.check {
        return write();
    }
    check()?;
    control_plane::ensure()?;
    let server = kubernetes::Server::start()?;
    check_on(server.kubeconfig())
}

/// Checks everything that needs no cluster; an error names the files that are not what they would be now.
pub(crate) fn check() -> Result<(), String> {
    validator::ensure()?;
    let helms = helm::all()?;
    versions()?;
    let made = sources()?.into_iter().chain(renders::all(&helms)?);
    let other: Vec<_> = made.filter(|it| fs::read_to_string(&it.file).unwrap_or_default() != it.text).collect();
    if !other.is_empty() {
        let files: Vec<_> = other.iter().map(|it| it.file.display().to_string()).collect();
        return Err(format!("not what `cargo xtask charts` would write:\n{}", files.join("\n")));
    }
    validate::all(&helms)?;
    refusals::all(&helms)
}

/// Checks what only a cluster can tell, with each Helm in turn.
pub(crate) fn check_on(kubeconfig: &Path) -> Result<(), String> {
    helm::all()?.iter().try_for_each(|helm| cluster::check(helm, kubeconfig))
}

fn write() -> Result<(), String> {
    // Renders need the schemas, so they come second.
    sources()?.iter().try_for_each(Generated::write)?;
    renders::all(&helm::all()?)?.iter().try_for_each(Generated::write)
}

/// What is made without Helm.
fn sources() -> Result<Vec<Generated>, String> {
    let mut made = vec![schema::instance()?, resource::page()?];
    for chart in CHARTS {
        made.push(readme::of(chart)?);
    }
    Ok(made)
}

/// Charts are released with the programs, under one version.
fn versions() -> Result<(), String> {
    for chart in CHARTS {
        let about = yaml::read(&directory(chart).join("Chart.yaml"))?;
        if about["version"] != env!("CARGO_PKG_VERSION") || about["appVersion"] != env!("CARGO_PKG_VERSION") {
            return Err(format!(
                "version and appVersion in charts/{chart}/Chart.yaml must be {}",
                env!("CARGO_PKG_VERSION")
            ));
        }
    }
    Ok(())
}

fn directory(chart: &str) -> PathBuf {
    root().join("charts").join(chart)
}

/// The definition, as the operator's code makes it.
fn definition() -> Result<serde_json::Value, String> {
    yaml::read(&directory(OPERATOR).join("files/crd.yaml"))
}

/// Files of values to try, sorted: `ci/NAME-values.yaml`.
fn cases(chart: &str) -> Result<Vec<PathBuf>, String> {
    let folder = directory(chart).join("ci");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.to_string_lossy().ends_with("-values.yaml"))
        .collect();
    files.sort();
    Ok(files)
}

impl Generated {
    fn write(&self) -> Result<(), String> {
        fs::write(&self.file, &self.text).map_err(|error| format!("{}: {error}", self.file.display()))
    }
}

/// What a chart makes of a file of values.
fn render(helm: &Helm, chart: &str, values: &Path) -> Result<String, String> {
    let mut command = helm.command();
    command.args(["template", "shop"]).arg(directory(chart)).args(["--namespace", "farm", "--kube-version", OLDEST]);
    helm::output(command.arg("--values").arg(values))
}
