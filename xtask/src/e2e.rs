//! `cargo xtask e2e`: images, charts and objects on a cluster, by the program of `e2e/`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use farmlokal_testkit::kubernetes::Namespaces;

use crate::charts::helm;
use crate::command::{cargo, root, run as run_command};
use crate::{control_plane, image, packages};

/// What `docs/performance.md` is about.
const WHOLE: u64 = 1_000_000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Products of the catalogue on MariaDB and Redis
    #[arg(long, default_value_t = WHOLE)]
    pub(crate) rows: u64,
    /// Requests a second while things go wrong
    #[arg(long, default_value_t = 500)]
    pub(crate) rate: u32,
    /// Images of programs that are not optimised, which the tests have built anyway
    #[arg(long)]
    pub(crate) debug: bool,
    /// Take the programs that are built
    #[arg(long)]
    pub(crate) skip_build: bool,
    /// A cluster that is there, instead of a node made for the run
    #[arg(long, requires = "registry")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Where it pulls images from: what `cargo xtask image` and `farmlokal-e2e images` write, the service's as 0.1.0-next
    /// too. The node has them by these names without pulling
    #[arg(long)]
    pub(crate) registry: Option<String>,
}

impl Arguments {
    /// The short run, with what the tests have built.
    pub(crate) fn short() -> Self {
        Self { rows: 50_000, rate: 100, debug: true, skip_build: true, kubeconfig: None, registry: None }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let Arguments { rows, rate, debug, skip_build, kubeconfig, registry } = arguments;
    packages::ensure_node()?;
    // The later one is that of people who install this today.
    let [_, helm] = helm::all()?;
    if !skip_build {
        image::build(*debug)?;
        if !debug {
            run_command(&mut cargo("build --locked --package farmlokal-e2e"))?;
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    let charts = root().join("charts");
    let mut words = vec!["cluster".to_owned(), format!("--rows={rows}"), format!("--rate={rate}")];
    words.push(format!("--next={version}-next"));
    words.extend([format!("--charts={}", charts.display()), format!("--helm={}", helm.program().display())]);
    words.push(format!("--kubectl={}", helm.kubectl_program().display()));
    let program = env::current_exe().map_err(|error| format!("xtask: {error}"))?.with_file_name("farmlokal-e2e");
    words.extend(registry.iter().map(|registry| format!("--registry={registry}")));
    if let Some(kubeconfig) = kubeconfig {
        words.push(format!("--kubeconfig={}", kubeconfig.display()));
        return run_command(Command::new(program).args(words));
    }
    control_plane::ensure_node()?;
    if !debug && *rows == WHOLE {
        words.push(format!("--document={}", root().join("docs/performance.md").display()));
    }
    let images = root().join("target/images");
    let archives = [image::write(&images, *debug, "")?, image::write(&images, *debug, "-next")?].concat();
    words.extend(archives.iter().map(|archive| format!("--image={}", archive.display())));
    let namespaces = Namespaces::new()?;
    run_command(namespaces.command(&program, &words).envs(helm.folders()))
}
