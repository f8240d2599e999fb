//! `farmlokal`: reads the command line and runs one command.

use std::process::ExitCode;

use clap::Parser as _;

/// A request allocates and frees some dozens of times, and what it frees another thread may have made.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    farmlokal::commands::run(farmlokal::cli::Cli::parse())
}
