//! `farmlokal-operator`: reads the command line and runs one command.

use std::process::ExitCode;

use clap::Parser as _;
use farmlokal_operator::{cli::Cli, commands};

fn main() -> ExitCode {
    commands::run(Cli::parse())
}
