//! `farmlokal`: reads the command line and runs one command.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    farmlokal::commands::run(farmlokal::cli::Cli::parse())
}
