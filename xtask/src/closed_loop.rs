//! `cargo xtask closed-loop`: the tuner against other laws on a real database, into `docs/pool-tuning.md`.

use clap::Args;

use crate::command::{cargo, run as run_command};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Not optimised: quick to build, and its figures are only printed
    #[arg(long)]
    debug: bool,
    /// For `farmlokal-e2e closed-loop`: `--windows 4`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the program that measures, which is the service too, and runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let mut command = cargo("run --package farmlokal-e2e");
    if !arguments.debug {
        command.arg("--release");
    }
    run_command(command.args(["--", "closed-loop"]).args(&arguments.arguments))
}
