//! `cargo xtask bench`: how long products take to load and to serve, into `docs/performance.md`.
//!
//! Two programs: the one that `cargo xtask` starts knows the command line only. It builds itself once
//! more, optimised and with the feature `bench`: a slow load generator would measure itself, and no
//! other chore should wait for a database driver to compile.

#[cfg(feature = "bench")]
mod measure;
#[cfg(not(feature = "bench"))]
mod rebuild;

use clap::{Args, ValueEnum};

#[cfg(feature = "bench")]
pub(crate) use measure::{run, serve_bare_endpoint};
#[cfg(not(feature = "bench"))]
pub(crate) use rebuild::run;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Products; with fewer than 1000000 the tables are only printed
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    rows: u64,
    /// What to measure; with one engine the tables are only printed
    #[arg(long, value_enum, default_value_t = Engines::All)]
    engine: Engines,
    /// Requests a second; slow cases get fewer, so that they do not wait for each other
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Seconds a case
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engines {
    Sqlite,
    Mariadb,
    All,
}
