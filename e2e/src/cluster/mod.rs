//! The whole system on a cluster, as its users meet it: charts are installed, objects applied, conditions waited for,
//! and things go wrong on purpose. The cluster is a node of this machine, made for the run, or one that is there.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks to its terminal")]

mod chart;
mod document;
mod embedded;
mod events;
mod images;
mod operator;
mod place;
mod server;
mod steps;
mod tools;
mod traces;
mod traffic;
mod upkeep;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use farmlokal_testkit::machine;

pub use images::{Images, export};
use place::Place;
pub use steps::{Step, Steps};
pub use tools::Tools;
pub use traffic::{CLIENTS, Tally, Traffic};

/// Options of `farmlokal-e2e cluster`. `cargo xtask e2e` gives all of them.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Products of the catalogue on servers
    #[arg(long, default_value_t = 1_000_000)]
    pub rows: u64,
    /// Requests a second while things go wrong
    #[arg(long, default_value_t = 500)]
    pub rate: u32,
    /// `helm`
    #[arg(long)]
    pub helm: PathBuf,
    /// `kubectl`
    #[arg(long)]
    pub kubectl: PathBuf,
    /// The folder of the charts
    #[arg(long)]
    pub charts: PathBuf,
    /// Archives of images for the node; an existing cluster pulls them
    #[arg(long = "image")]
    pub images: Vec<PathBuf>,
    /// The tag of the service's next version
    #[arg(long)]
    pub next: String,
    /// The page to write figures to
    #[arg(long)]
    pub document: Option<PathBuf>,
    /// An existing cluster, instead of a node made for the run
    #[arg(long, requires = "registry")]
    pub kubeconfig: Option<PathBuf>,
    /// Where images come from: an existing cluster pulls them, a node made for the run has them
    #[arg(long)]
    pub registry: Option<String>,
}

impl Arguments {
    /// Where images are said to come from: the node has them already.
    fn registry(&self) -> &str {
        self.registry.as_deref().unwrap_or("localhost")
    }
}

/// Runs everything, prints a table of it, and says how it ended.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut steps = Steps::default();
    let outcome = all(arguments, &mut steps).and_then(|()| match &arguments.document {
        Some(file) => document::write(file, &document::section(arguments, &steps)),
        None => Ok(()),
    });
    println!("\n{}\n\n{}", machine::describe(), steps.table());
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn all(arguments: &Arguments, steps: &mut Steps) -> Result<(), String> {
    let place = Place::find(arguments, steps)?;
    let outcome = walk(&place, arguments, steps);
    if outcome.is_err() {
        place.tell();
    }
    outcome
}

fn walk(place: &Place, arguments: &Arguments, steps: &mut Steps) -> Result<(), String> {
    operator::install(place, arguments, steps)?;
    embedded::run(place, arguments, steps)?;
    chart::run(place, arguments, steps)?;
    server::run(place, arguments, steps)
}
