//! `cargo xtask api`: the API's description against a public linter, and the API against its
//! description.

mod fuzz;
mod lint;
mod tools;

use clap::Args;

use crate::report::Report;

#[derive(Args)]
pub(crate) struct Arguments {
    /// For `schemathesis run`: `--include-path /v1/products --max-examples 1000`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    schemathesis: Vec<String>,
}

/// Lints, then fuzzes, whatever the linter said.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let mut report = Report::default();
    report.step("lint", lint::run);
    report.step("fuzz", || fuzz::run(&arguments.schemathesis));
    report.print();
    match report.failed() {
        0 => Ok(()),
        failed => Err(format!("{failed} of 2 steps failed")),
    }
}
