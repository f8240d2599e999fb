//! `cargo xtask test`: all that a contributor or a build server needs to know.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use farmlokal_testkit::{kubernetes, mariadb};

use crate::command::{cargo, line, run as run_command};
use crate::report::Report;
use crate::{charts, control_plane, e2e, packages, validator, versions};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Leave out formatting, clippy and the documentation
    #[arg(long)]
    no_lint: bool,
    /// Leave out the node with the whole system on it, which needs root
    #[arg(long)]
    no_node: bool,
    /// For `cargo test`: `-p farmlokal-catalog cursor`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo_test: Vec<String>,
}

/// What the test binaries counted.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: usize,
    failed: usize,
}

/// Runs every step, those after a failed one included, and prints `N passed, M failed` at last. `M`
/// counts tests, and steps that failed without a test's fault, so that it is 0 only if all is well.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut report = Report::default();
    let mut counts = Counts::default();
    report.step("packages", || packages::ensure().and_then(|()| validator::ensure()));
    report.step("versions", versions::check);
    if !arguments.no_lint {
        lint(&mut report);
    }
    report.step("charts", charts::check);
    let mariadb = report.step("mariadb", mariadb::Server::start);
    let kubernetes = report.step("kubernetes", || control_plane::ensure().and_then(|()| kubernetes::Server::start()));
    // Before the tests: they make the definition too.
    match &kubernetes {
        Some(kubernetes) => _ = report.step("cluster", || charts::check_on(kubernetes.kubeconfig())),
        None => report.skip("cluster"),
    }
    match (&mariadb, &kubernetes) {
        (Some(mariadb), Some(kubernetes)) => {
            let mut command = cargo("test --no-fail-fast");
            command
                .env(mariadb::URL_VARIABLE, mariadb.url(""))
                .env(kubernetes::CONFIG_VARIABLE, kubernetes.kubeconfig());
            report.step("test", || test(command, &arguments.cargo_test, &mut counts));
        }
        _ => report.skip("test"),
    }
    // With the programs that the tests have built; a part of the tests builds a part of them.
    if !arguments.no_node && arguments.cargo_test.is_empty() {
        report.step("node", || e2e::run(&e2e::Arguments::short()));
    }
    report.print();
    let by_tests = usize::from(counts.failed > 0);
    let failed = counts.failed + report.failed() - by_tests;
    println!("\n{} passed, {failed} failed", counts.passed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn lint(report: &mut Report) {
    let fmt = "fmt --all --check";
    report.step("fmt", || run_command(&mut cargo(fmt)));
    let clippy = "clippy --workspace --all-targets -- -D warnings";
    report.step("clippy", || run_command(&mut cargo(clippy)));
    let doc = "doc --workspace --no-deps --document-private-items";
    report.step("doc", || run_command(cargo(doc).env("RUSTDOCFLAGS", "-D warnings")));
}

/// Runs `cargo test`, passes its output on and counts along.
fn test(mut command: Command, arguments: &[String], counts: &mut Counts) -> Result<(), String> {
    let selects = |it: &String| it.starts_with("-p") || it.starts_with("--package");
    if !arguments.iter().any(selects) {
        command.arg("--workspace");
    }
    command.args(arguments).stdout(Stdio::piped());
    let fail = |error| format!("cargo test: {error}");
    let mut child = command.spawn().map_err(fail)?;
    let output = child.stdout.take().into_iter();
    for said in output.flat_map(|it| BufReader::new(it).split(b'\n')) {
        let said = said.map_err(fail)?;
        let said = String::from_utf8_lossy(&said);
        println!("{said}");
        if let Some(of_binary) = parse(&said) {
            counts.passed += of_binary.passed;
            counts.failed += of_binary.failed;
        }
    }
    let status = child.wait().map_err(fail)?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", line(&command))) }
}

/// The counts of `test result: ok. 8 passed; 0 failed; 0 ignored; …`; `None` for any other line.
fn parse(line: &str) -> Option<Counts> {
    let (_verdict, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = counts.split("; ");
    let mut next = |unit| counts.next()?.strip_suffix(unit)?.parse().ok();
    Some(Counts { passed: next(" passed")?, failed: next(" failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered \
                    out; finished in 0.02s";
        assert_eq!(parse(line), Some(Counts { passed: 12, failed: 3 }));
    }

    #[test]
    fn other_lines_are_not() {
        for line in ["", "running 8 tests", "test result: ok", "test result: ok. many passed"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
