//! `cargo xtask operator-bench`: what the operator costs with many objects; the table of `docs/operations.md`.

use clap::Args;

use crate::command::{cargo, run as run_command};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Not optimised: quick to build, and its figures of the processor say nothing
    #[arg(long)]
    debug: bool,
    /// For the example `crowd`: `--objects 50`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the program that measures, which is the operator too, and runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let mut command = cargo("run --package farmlokal-operator --example crowd");
    if !arguments.debug {
        command.arg("--release");
    }
    run_command(command.args(["--", "measure"]).args(&arguments.arguments))
}
