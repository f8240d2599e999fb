//! What the command line offers, one command a file.

mod crd;
mod explain;
mod render;
mod run;

use std::io::Write as _;
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::telemetry;

pub use self::crd::crd_yaml;
pub use self::render::render;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Nothing can be done without threads.
    #[error("cannot start: {0}")]
    Runtime(#[source] std::io::Error),
    /// An `OTEL_*` variable is wrong.
    #[error(transparent)]
    Telemetry(#[from] farmlokal_telemetry::StartError),
    /// Metrics cannot be set up.
    #[error(transparent)]
    Metrics(#[from] farmlokal_telemetry::metrics::MetricsError),
    /// Metrics cannot be pushed where the environment says.
    #[error(transparent)]
    Push(#[from] farmlokal_telemetry::metrics::OtlpError),
    /// A file cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not the YAML it should be.
    #[error("{0}")]
    Yaml(String),
    /// The object asks for what cannot be had.
    #[error(transparent)]
    Invalid(#[from] crate::controller::validate::InvalidSpec),
    /// There is no way to the cluster.
    #[error("cannot reach the cluster: {0}")]
    Kube(#[from] kube::Error),
    /// Nobody said where the cluster is.
    #[error("cannot find the cluster: {0}; set KUBECONFIG, or run in a pod")]
    Config(#[from] kube::config::InferConfigError),
    /// The admin port is taken.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Another replica may work now; starting anew is the safe way on.
    #[error("the lease was lost; this replica ends, so that no two work at once")]
    LeaseLost,
    /// The output was closed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// Runs the command, and says on standard error why it failed if it did.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "farmlokal-operator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<(), CommandError> {
    match command {
        Command::Run(options) => {
            let telemetry = telemetry::start(options.log.clone())?;
            let ended = runtime()?.block_on(run::run(*options, telemetry.resource().clone()));
            telemetry::end(telemetry);
            ended
        }
        Command::Crd => print(&crd_yaml()?),
        Command::Render(options) => print(&render::run(&options)?),
        Command::Explain(options) => print(&runtime()?.block_on(explain::run(options))?),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    // Two, so that on one processor a lease is renewed while a thread is busy.
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 4));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(CommandError::Runtime)
}

fn print(text: &str) -> Result<(), CommandError> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn yaml(error: &dyn std::fmt::Display) -> CommandError {
    CommandError::Yaml(error.to_string())
}
