//! From the program that `cargo xtask` starts to the one that measures.

use std::env;
use std::process::Command;

use clap::ValueEnum as _;

use super::Arguments;
use crate::command::{cargo, run as run_command};

/// Both in one call, so that what they share is compiled once.
const BUILD: &str = "build --release --package farmlokal --package xtask --features xtask/bench";

/// Builds the optimised programs and goes on in the one that measures.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    println!("==> build (release)");
    run_command(&mut cargo(BUILD))?;
    // Cargo puts profiles side by side: target/debug/xtask, target/release/xtask.
    let here = env::current_exe().map_err(|error| format!("xtask: {error}"))?;
    let profiles = here.parent().and_then(|profile| profile.parent());
    let program = profiles.unwrap_or(&here).join("release/xtask");
    let engine = arguments.engine.to_possible_value();
    let engine = engine.as_ref().map_or("all", |value| value.get_name());
    let mut bench = Command::new(program);
    bench.args(["bench", "--engine", engine]);
    bench.args(["--rows", &arguments.rows.to_string()]);
    bench.args(["--rate", &arguments.rate.to_string()]);
    bench.args(["--seconds", &arguments.seconds.to_string()]);
    run_command(&mut bench)
}
