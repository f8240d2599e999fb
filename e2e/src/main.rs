//! `farmlokal-e2e`: measurements of the whole system, and the service that they start.

#![allow(clippy::print_stderr, reason = "a command line tool speaks to its terminal")]

use std::process::ExitCode;

use clap::Parser;
use farmlokal_e2e::{closed_loop, cluster};

#[derive(Parser)]
#[command(about = "Measurements of the whole system")]
enum Command {
    /// Compare the tuner with static pools and with growing on wait, on a real database under load
    ClosedLoop(closed_loop::Arguments),
    /// Install and run everything on a Kubernetes; `cargo xtask e2e` prepares what this needs
    Cluster(cluster::Arguments),
    /// Write the images that a cluster needs for that and does not have
    Images(cluster::Images),
    /// What `farmlokal` does: tests and measurements start the service from here, so that it is never an older one
    #[command(hide = true)]
    Farmlokal(farmlokal::cli::Cli),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::ClosedLoop(arguments) => closed_loop::run(&arguments),
        Command::Cluster(arguments) => cluster::run(&arguments),
        Command::Images(arguments) => match cluster::export(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
        Command::Farmlokal(cli) => farmlokal::commands::run(cli),
    }
}
