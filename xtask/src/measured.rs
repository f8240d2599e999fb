//! Chores that are a program of another package, which measures: `cargo xtask closed-loop`, `cargo xtask operator-bench`.

use clap::Args;

use crate::command::{cargo, run as run_command};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Not optimised: quick to build, and its figures are only printed
    #[arg(long)]
    debug: bool,
    /// For the program that measures: `--windows 4`, `--objects 50`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Arguments {
    /// Builds the program that cargo calls `program` (`--package …`) and runs its `command`.
    pub(crate) fn run(&self, program: &str, command: &str) -> Result<(), String> {
        let mut run = cargo(&format!("run {program}"));
        if !self.debug {
            run.arg("--release");
        }
        run_command(run.args(["--", command]).args(&self.arguments))
    }
}
